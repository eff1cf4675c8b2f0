"""Plots sorted into groups that share a crop and a season, so that each group is estimated in one go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agrocredit.domain.crop import HARVEST_YEARS
from agrocredit.domain.crop_facts import resolve_crop
from agrocredit.domain.errors import RefusedError, WrongUsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from agrocredit.domain.crop import Crop, Season


@dataclass(frozen=True, slots=True, kw_only=True)
class CropGroup:
    """Plots of one crop under one calendar."""

    crop: str
    """Our name of the crop, or the plots' own where we know none."""
    season: Season | None
    """None where the crop is unknown or no calendar reaches the place."""
    plots: gpd.GeoDataFrame


def crop_groups(
    plots: gpd.GeoDataFrame, *, crops: Mapping[str, Crop], default: str, harvest_year: int
) -> list[CropGroup]:
    """Return the groups in a stable order: by crop, then by the season's start.

    Parameters
    ----------
    plots : GeoDataFrame
        Columns ``id``, ``crop`` (may be null), geometry in EPSG:4326.
    crops : mapping
        Known crops by name.
    default : str
        Crop of the plots that state none.
    harvest_year : int
        Year of the harvest.

    Raises
    ------
    WrongUsageError
        ``crop_unknown`` if `default` is no name or alias of a known crop, ``year_invalid`` for a year that is none.
    """
    if harvest_year not in HARVEST_YEARS:
        detail = f"harvest year {harvest_year}, expected {HARVEST_YEARS[0]} to {HARVEST_YEARS[-1]}"
        raise WrongUsageError("year_invalid", detail)
    if resolve_crop(default, crops) is None:
        raise WrongUsageError("crop_unknown", f"{default!r}, expected one of {', '.join(sorted(crops))}")
    stated = plots["crop"].where(plots["crop"].notna(), default)
    keys = [
        _crop_and_season(name, latitude_deg, crops, harvest_year)
        for name, latitude_deg in zip(stated, plots.geometry.representative_point().y, strict=True)
    ]
    members: dict[tuple[str, Season | None], list[int]] = {}
    for row, key in enumerate(keys):
        members.setdefault(key, []).append(row)
    ordered = sorted(members, key=lambda key: (key[0], "" if key[1] is None else key[1].start_on.isoformat()))
    return [CropGroup(crop=crop, season=season, plots=plots.iloc[members[crop, season]]) for crop, season in ordered]


def _crop_and_season(
    name: str, latitude_deg: float, crops: Mapping[str, Crop], harvest_year: int
) -> tuple[str, Season | None]:
    crop = resolve_crop(name, crops)
    if crop is None:
        return name, None
    try:
        return crop.name, crop.season(harvest_year, latitude_deg=latitude_deg)
    except RefusedError:
        return crop.name, None
