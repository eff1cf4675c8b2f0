"""The sample region's tables: plots and holdings as a lender would send them, and the truth that no lender has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import shapely

from agrocredit.store.atomic import write_text
from agrocredit.store.canonical_json import json_text
from agrocredit.store.tables import write_parquet
from pipelines.sample.land import FIELD_COVERS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from pipelines.sample.claims import Claim
    from pipelines.sample.cropping import Cropping
    from pipelines.sample.land import LandMap
    from pipelines.sample.settings import SampleSettings

GRADES = ("A", "B", "C")
GRADE_SHARES = (0.45, 0.35, 0.20)
TENURE_SHARES = (1.0, 0.7, 0.5)
TENURE_WEIGHTS = (0.80, 0.12, 0.08)

TRUTH = pa.schema(
    [
        pa.field("plot_id", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("is_field", pa.bool_(), nullable=False),
        pa.field("crop", pa.string()),
        pa.field("area_m2", pa.float64(), nullable=False),
        pa.field("yield_t_ha", pa.float64()),
        pa.field("peak_lai", pa.float64()),
        pa.field("sowing_on", pa.date32()),
        pa.field("emergence_on", pa.date32()),
        pa.field("maturity_on", pa.date32()),
        pa.field("harvest_on", pa.date32()),
    ]
)
"""What is true of each plot; simulated. Yield in t/ha at the crop's moisture basis; null where no such crop stands."""


def write_plots(claims: Sequence[Claim], path: Path, *, region: str) -> None:
    """Write the plots as GeoJSON (RFC 7946): WGS 84, outer rings counter-clockwise, one feature a line.

    Properties: id, crop, farmer_id, declared_area_m2, region, simulated.
    """
    features = [
        {
            "type": "Feature",
            "properties": {
                "id": claim.plot_id,
                "crop": claim.crop,
                "farmer_id": claim.farmer_id,
                "declared_area_m2": claim.declared_area_m2,
                "region": region,
                "simulated": True,
            },
            "geometry": {"type": "Polygon", "coordinates": [shapely.get_coordinates(claim.lonlat).tolist()]},
        }
        for claim in claims
    ]
    write_text(json_text({"type": "FeatureCollection", "features": features}), path)


def write_holdings(claims: Sequence[Claim], path: Path, *, rng: np.random.Generator) -> None:
    """Write who farms which plot with what share, as CSV: farmer_id, plot_id, tenure_share, grade."""
    grades = rng.choice(GRADES, size=len(claims), p=GRADE_SHARES)
    shares = rng.choice(TENURE_SHARES, size=len(claims), p=TENURE_WEIGHTS)
    lines = ["farmer_id,plot_id,tenure_share,grade"]
    for claim, grade, share in zip(claims, grades.tolist(), shares.tolist(), strict=True):
        lines.append(f"{claim.farmer_id},{claim.plot_id},{share},{grade}")
    write_text("\n".join(lines) + "\n", path)


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV with ISO dates."""
    write_text(table.to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%d"), path)


def truth_table(claims: Sequence[Claim], *, land: LandMap, cropping: Cropping, settings: SampleSettings) -> pa.Table:
    """Return what is true of each plot, columns of `TRUTH`, in the order of the plots."""
    fields = {int(piece): row for row, piece in enumerate(land.indices(*FIELD_COVERS))}
    rows = [_truth(claim, fields=fields, land=land, cropping=cropping, settings=settings) for claim in claims]
    return pa.Table.from_pylist(rows, schema=TRUTH)


def write_labelled(claims: Sequence[Claim], truth: pa.Table, folder: Path, *, settings: SampleSettings) -> None:
    """Write the plots with a known yield in the canonical labelled form: ``labels.parquet`` and ``static.parquet``.

    Plots whose ring crosses itself are left out: nobody can observe them.
    """
    known = [
        (claim, row)
        for claim, row in zip(claims, truth.to_pylist(), strict=True)
        if row["yield_t_ha"] is not None and claim.lonlat.is_valid
    ]
    middles = [shapely.centroid(claim.lonlat) for claim, _ in known]
    units = [claim.plot_id for claim, _ in known]
    labels = {
        "unit": pa.array(units, pa.string()),
        "region": pa.array([settings.place.name] * len(known), pa.string()),
        "crop": pa.array([row["crop"] for _, row in known], pa.string()),
        "harvest_year": pa.array([settings.season.harvest_year] * len(known), pa.int32()),
        "yield_t_ha": pa.array([row["yield_t_ha"] for _, row in known], pa.float64()),
        "longitude": pa.array([middle.x for middle in middles], pa.float64()),
        "latitude": pa.array([middle.y for middle in middles], pa.float64()),
    }
    write_parquet(pa.table(labels), folder / "labels.parquet")
    areas = pa.array([claim.area_m2 for claim, _ in known], pa.float64())
    write_parquet(pa.table({"unit": labels["unit"], "area_m2": areas}), folder / "static.parquet")


def _truth(
    claim: Claim, *, fields: dict[int, int], land: LandMap, cropping: Cropping, settings: SampleSettings
) -> dict[str, object]:
    base = {"plot_id": claim.plot_id, "kind": claim.kind, "is_field": claim.field is not None, "area_m2": claim.area_m2}
    if claim.field is None:
        return base
    row, season = fields[claim.field], cropping.season
    is_crop = land.covers[claim.field].value == settings.season.crop
    return {
        **base,
        "crop": land.covers[claim.field].value,
        "yield_t_ha": _mean_yield(claim, fields=fields, land=land, cropping=cropping) if is_crop else None,
        "peak_lai": float(season.green_lai[row].max()),
        "sowing_on": cropping.on(int(cropping.sowing_day[row])),
        "emergence_on": cropping.on(int(season.emergence_day[row])),
        "maturity_on": cropping.on(int(season.maturity_day[row])),
        "harvest_on": cropping.on(int(season.harvest_day[row])),
    }


def _mean_yield(claim: Claim, *, fields: dict[int, int], land: LandMap, cropping: Cropping) -> float:
    """Return the yield of all fields under the plot's outline, by area; land of other crops brings none."""
    pieces = np.array(list(fields))
    overlap_m2 = shapely.area(shapely.intersection(land.shapes[pieces], claim.shape))
    rows = np.array([fields[int(piece)] for piece in pieces])
    yields = np.where(
        [land.covers[piece] is land.covers[claim.field or 0] for piece in pieces], cropping.season.yield_t_ha[rows], 0.0
    )
    return float((overlap_m2 * yields).sum() / overlap_m2.sum())
