"""Soybean yields of Illinois counties, with 26 steps of indices through the season or with the season's mean weather.

The dates of the steps are not published: ``date`` is missing there and ``step`` counts from 1. The season's weather has
step 0 and is dated by the last day of its year. Both kinds of file state the yield, in bushels an acre, and must agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from agrocredit.domain.units import bushels_to_t_ha
from pipelines.adapters.adapted import Adapted, LabelRules, Source
from pipelines.adapters.files import read_rows
from pipelines.adapters.series_checks import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

STEPS = 26
_STEPPED = {
    "NDVI": "ndvi",
    "EVI": "evi",
    "SATVI": "satvi",
    "GNDVI": "gndvi",
    "LSWI": "lswi",
    "WDVI": "wdvi",
    "SM": "soil_moisture_m3_m3",
    "PR": "crop_progress",
}
_SEASON = {"CR": "cr", "GDD": "gdd", "SR": "sr", "VP": "vp"}
_NORMALISED = ("ndvi", "gndvi", "lswi")
"""Normalised differences lie in -1 to 1; a few county means beyond come from reflectances below zero."""
_T_HA_PER_BUSHEL_ACRE = bushels_to_t_ha(1, crop="soybean")


def _read(files: Mapping[str, Sequence[Path]]) -> Adapted:
    stepped = read_rows(files["steps"], text=("County",)).rename(columns={"yield_bu_acre": "Yield"})
    seasons = pd.concat([stepped, read_rows(files["seasons"], text=("County",))], ignore_index=True)
    labels = pd.DataFrame(
        {
            "unit": seasons["County"],
            "region": "Illinois",
            "crop": "soybean",
            "harvest_year": seasons["Year"],
            "yield_t_ha": pd.to_numeric(seasons["Yield"], errors="coerce") * _T_HA_PER_BUSHEL_ACRE,
            "longitude": float("nan"),
            "latitude": float("nan"),
            "file": seasons["file"],
            "row": seasons["row"],
        }
    )
    parts = [_of_season(seasons), *(_of_step(stepped, step) for step in range(1, STEPS + 1) if len(stepped))]
    series = pd.concat(parts, ignore_index=True).dropna(subset=["unit", "year"])
    static = pd.DataFrame({"unit": seasons["County"]}).dropna()
    return Adapted(labels=labels, series=series, static=static, units=_UNITS)


def _of_season(rows: pd.DataFrame) -> pd.DataFrame:
    year = pd.to_numeric(rows["Year"], errors="coerce")
    ends = pd.to_datetime(year.map("{:.0f}-12-31".format), errors="coerce", format="%Y-%m-%d").dt.date
    keys = pd.DataFrame({"unit": rows["County"], "year": year, "date": ends, "step": 0})
    blank = pd.DataFrame(index=rows.index, columns=list(_STEPPED.values()), dtype="float64")
    return keys.join(numbers(rows, _SEASON)).join(blank).assign(file=rows["file"], row=rows["row"])


def _of_step(rows: pd.DataFrame, step: int) -> pd.DataFrame:
    year = pd.to_numeric(rows["Year"], errors="coerce")
    keys = pd.DataFrame({"unit": rows["County"], "year": year, "date": None, "step": step})
    blank = pd.DataFrame(index=rows.index, columns=list(_SEASON.values()), dtype="float64")
    values = numbers(rows, {f"{theirs}{step}": ours for theirs, ours in _STEPPED.items()})
    for column in _NORMALISED:
        values[column] = values[column].where(values[column].abs() <= 1)
    return keys.join(blank).join(values).assign(file=rows["file"], row=rows["row"])


_UNITS = {
    "step": "1 to 26 through the season, 0 for the whole season",
    **dict.fromkeys(("ndvi", "evi", "satvi", "gndvi", "lswi", "wdvi", "crop_progress"), "1"),
    **dict.fromkeys(_SEASON.values(), "as published: season mean, unit not stated"),
}

SOURCE = Source(
    kinds={
        "steps": frozenset(
            {"Year", "County", "yield_bu_acre", *_SEASON}
            | {f"{name}{step}" for name in _STEPPED for step in range(1, STEPS + 1)}
        ),
        "seasons": frozenset({"Year", "County", "Yield", *_SEASON}),
    },
    label_kinds=("steps", "seasons"),
    rules=LabelRules(
        zero_is_missing=False,
        placed=False,
        peers="own_years",
        peer_ratio_max=5.0,
        notes={"moisture_basis_percent": "13", "converted_from": "bushel of 60 lb an acre"},
    ),
    read=_read,
)
"""``illinois_soybean_hls``."""
