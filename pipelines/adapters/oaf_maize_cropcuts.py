"""Crop cuts of One Acre Fund's maize fields in East Africa, each with the weather of its season.

Some fields share place and year: these are different cuts, so all are kept, and ``place`` in the static table says
which ones must stand on the same side of a split. ``esa_avg`` is soil moisture, no vegetation index; the column
``era_prec_avg`` is empty in every row and is left out.
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

_WEATHER = {
    "esa_avg": "soil_moisture_m3_m3",
    "chirps_sum": "rain_sum_mm",
    "era_temp_mean_avg": "t_mean_c",
    "era_temp_min_avg": "t_min_c",
    "era_temp_max_avg": "t_max_c",
    "kdd_event": "killing_days",
    "kdd_result": "killing_degree_days_c_day",
    "era_vswl_avg": "soil_water_layer1_m3_m3",
}
_PRACTICE = {"hybrid": "hybrid", "intercrop": "intercrop", "N_kg_ph": "nitrogen_kg_ha", "gs_length": "season_days"}
_KG_HA_PER_T_HA = 1 / yield_to_t_ha(1, weight_unit="kg", area_unit="ha")


def _read(files: Mapping[str, Sequence[Path]]) -> Adapted:
    rows = read_rows(files["cuts"], text=("ID", "country", "survey"))
    harvested = pd.to_datetime(rows["harvest_date"], errors="coerce", format="ISO8601")
    labels = pd.DataFrame(
        {
            "unit": rows["ID"],
            "region": rows["country"],
            "crop": "maize",
            "harvest_year": rows["year"],
            "yield_t_ha": pd.to_numeric(rows["yield_kg_ph"], errors="coerce") / _KG_HA_PER_T_HA,
            "longitude": rows["field_longitude"],
            "latitude": rows["field_latitude"],
            "file": rows["file"],
            "row": rows["row"],
        }
    )
    # A mean over the season is known when it is over.
    year = pd.to_numeric(rows["year"], errors="coerce")
    series = pd.DataFrame({"unit": rows["ID"], "year": year, "date": harvested.dt.date}).join(numbers(rows, _WEATHER))
    series = series.assign(file=rows["file"], row=rows["row"]).dropna(subset=["unit", "year", "date"])
    place = rows["field_latitude"].map(str) + " " + rows["field_longitude"].map(str)
    planted = pd.to_datetime(rows["plant_date"], errors="coerce", format="ISO8601").dt.date
    static = pd.DataFrame({"unit": rows["ID"], "place": place, "survey": rows["survey"], "plant_date": planted})
    static = static.assign(harvest_date=harvested.dt.date).join(numbers(rows, _PRACTICE)).dropna(subset=["unit"])
    return Adapted(labels=labels, series=series, static=static, units={"hybrid": "0 or 1", "intercrop": "0 or 1"})


SOURCE = Source(
    kinds={
        "cuts": frozenset(
            {"ID", "country", "survey", "year", "yield_kg_ph", "field_latitude", "field_longitude"}
            | {"plant_date", "harvest_date", *_WEATHER, *_PRACTICE}
        )
    },
    label_kinds=("cuts",),
    rules=LabelRules(
        zero_is_missing=False,
        placed=True,
        peers="region_season",
        peer_ratio_max=5.0,
        notes={"moisture_basis": "not stated by the source"},
    ),
    read=_read,
)
"""``oaf_maize_cropcuts``."""
