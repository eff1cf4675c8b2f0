"""Rice yields of Indian districts with the weather of the growing and the harvest window; a yield of 0 means none.

Which months the two windows cover is not stated, so they are dated by the last day of their year: by then they are
known for certain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from agrocredit.domain.units import yield_to_t_ha
from pipelines.adapters.adapted import Adapted, LabelRules, Source
from pipelines.adapters.files import read_rows
from pipelines.adapters.series_checks import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_YIELD = "RICE YIELD (kg per ha)"
_WEATHER = {
    f"{variable}_{window}": f"{ours}_{window}_{unit}"
    for variable, ours, unit in (
        ("prec", "rain", "mm"),
        ("et", "evapotranspiration", "mm"),
        ("maxT", "t_max", "c"),
        ("minT", "t_min", "c"),
        ("runoff", "runoff", "mm"),
        ("windspeed", "wind", "m_s"),
    )
    for window in ("grow", "harvest")
}
_INPUTS = {
    "RICE AREA (1000 ha)": "rice_area_1000_ha",
    "RICE IRRIGATED AREA (1000 ha)": "rice_irrigated_area_1000_ha",
    "nitrogen": "nitrogen_t",
    "phosphate": "phosphate_t",
    "potash": "potash_t",
}
_KG_HA_PER_T_HA = 1 / yield_to_t_ha(1, weight_unit="kg", area_unit="ha")


def _read(files: Mapping[str, Sequence[Path]]) -> Adapted:
    rows = read_rows(files["districts"], text=("Dist Code", "Dist Name", "State Name"))
    unit = rows["Dist Code"].str.removesuffix(".0")
    year = pd.to_numeric(rows["Year"], errors="coerce")
    labels = pd.DataFrame(
        {
            "unit": unit,
            "region": rows["State Name"],
            "crop": "rice",
            "harvest_year": year,
            "yield_t_ha": pd.to_numeric(rows[_YIELD], errors="coerce") / _KG_HA_PER_T_HA,
            "longitude": float("nan"),
            "latitude": float("nan"),
            "file": rows["file"],
            "row": rows["row"],
        }
    )
    ends = pd.to_datetime(year.map("{:.0f}-12-31".format), errors="coerce", format="%Y-%m-%d").dt.date
    series = pd.DataFrame({"unit": unit, "year": year, "date": ends}).join(numbers(rows, {**_WEATHER, **_INPUTS}))
    series = series.assign(file=rows["file"], row=rows["row"]).dropna(subset=["unit", "year", "date"])
    static = pd.DataFrame({"unit": unit, "name": rows["Dist Name"], "state": rows["State Name"]})
    return Adapted(labels=labels, series=series, static=static.dropna(subset=["unit"]))


SOURCE = Source(
    kinds={"districts": frozenset({"Dist Code", "Dist Name", "State Name", "Year", _YIELD, *_WEATHER, *_INPUTS})},
    label_kinds=("districts",),
    rules=LabelRules(
        zero_is_missing=True, placed=False, peers="own_years", notes={"moisture_basis": "not stated by the source"}
    ),
    read=_read,
)
"""``india_rice_districts``."""
