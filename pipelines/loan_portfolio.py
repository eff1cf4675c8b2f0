"""What all approved loans of a season may lose together, in the draws and under stress."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.summary import Summary
from pipelines.assess import AssessRequest, read_case_tables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import geopandas as gpd

FLOOD_BYTES_MAX = 50_000_000


def loan_portfolio(request: AssessRequest, *, flood: Path | None = None) -> Summary:
    """Return losses of the loans that `assess` would approve of the same tables; writes nothing.

    Parameters
    ----------
    request : AssessRequest
        As for `pipelines.assess.assess`; ``out`` is not used.
    flood : Path, optional
        GeoJSON polygons, WGS 84: plots they touch bring nothing in the scenario ``flood``.

    Raises
    ------
    InputUnusableError
        ``policy_prices_no_risk``, ``flood_unreadable``, and what readers and the policy raise.
    """
    from agrocredit.credit import portfolio
    from agrocredit.store.plot_files import read_plots

    tables = read_case_tables(request)
    plots = read_plots(request.plots, id_field=request.id_field).plots
    known = set(tables.cases.estimates["plot_id"].to_pylist())
    flooded = [] if flood is None else [plot for plot in _touched(plots, flood) if plot in known]
    found = portfolio(tables.cases, flooded_plots=flooded, region_by_farmer=_regions(plots))
    facts = {**asdict(found), "stressed_loss_minor": dict(found.stressed_loss_minor), "simulated": True}
    counts = {"loans": int(facts.pop("loans")), "plots_flooded": len(flooded)}
    del facts["refused"]
    return Summary(counts=counts, refused=(*tables.refused, *found.refused), facts=facts)


def _regions(plots: gpd.GeoDataFrame) -> Mapping[str, str] | None:
    """Return the region of each farmer's largest plot, None where some plot states none: then all share one season."""
    if plots["region"].isna().any():
        return None
    farmers = plots["farmer_id"].fillna(plots["id"])
    largest = plots.assign(farmer=farmers).sort_values(["area_m2", "id"], ascending=[False, True])
    return dict(largest.drop_duplicates("farmer")[["farmer", "region"]].itertuples(index=False))


def _touched(plots: gpd.GeoDataFrame, flood: Path) -> list[str]:
    """Return the plots that a flood's polygons touch, in their order."""
    import shapely

    try:
        if flood.stat().st_size > FLOOD_BYTES_MAX:
            raise InputUnusableError("flood_unreadable", f"{flood}: over {FLOOD_BYTES_MAX} bytes")
        outline = shapely.from_geojson(flood.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, shapely.errors.GEOSException) as error:
        raise InputUnusableError("flood_unreadable", f"{flood}: {error}") from error
    parts = shapely.get_parts(outline)
    polygons = {shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON}
    if not len(parts) or not set(shapely.get_type_id(parts)) <= polygons or not shapely.is_valid(parts).all():
        raise InputUnusableError("flood_unreadable", f"{flood}: expected valid polygons as GeoJSON")
    touched = plots.geometry.intersects(shapely.union_all(parts))
    names: list[str] = plots.loc[touched, "id"].tolist()
    return names
