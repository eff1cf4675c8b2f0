"""Winter wheat yields of US counties, and their daily weather a state at a time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from agrocredit.domain.units import bushels_to_t_ha
from pipelines.adapters.adapted import Adapted, LabelRules, Source
from pipelines.adapters.files import read_rows, refuse_row
from pipelines.adapters.us_daily_weather import DAILY_COLUMNS, daily_parts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_T_HA_PER_BUSHEL_ACRE = bushels_to_t_ha(1, crop="winter_wheat")
_TOLERANCE_T_HA = 0.001
"""The source rounds to four digits and its factor, 0.067251, to five."""


def _read(files: Mapping[str, Sequence[Path]]) -> Adapted:
    rows = read_rows(files["yields"], text=("county_fips", "state_name", "county_name"))
    t_ha = pd.to_numeric(rows["yield_bu_acre"], errors="coerce") * _T_HA_PER_BUSHEL_ACRE
    unit = rows["county_fips"].str.zfill(5)
    stated = pd.to_numeric(rows["yield_t_ha"], errors="coerce") if "yield_t_ha" in rows else t_ha
    differing = (stated - t_ha).abs() > _TOLERANCE_T_HA
    refused = [
        refuse_row(
            "yield_contradiction",
            row,
            f"county {row.county_fips} in {row.year}: {row.yield_bu_acre} bu/acre are not {row.yield_t_ha} t/ha",
        )
        for row in rows[differing].itertuples()
    ]
    labels = pd.DataFrame(
        {
            "unit": unit,
            "region": rows["state_name"],
            "crop": "winter_wheat",
            "harvest_year": rows["year"],
            "yield_t_ha": t_ha,
            "longitude": rows["county_lon"],
            "latitude": rows["county_lat"],
            "file": rows["file"],
            "row": rows["row"],
        }
    )
    static = pd.DataFrame({"unit": unit, "name": rows["county_name"], "state": rows["state_name"]})
    return Adapted(
        labels=labels[~differing],
        static=static.dropna(subset=["unit"]),
        series_parts=partial(daily_parts, files["daily_weather"]) if files["daily_weather"] else None,
        refused=refused,
    )


SOURCE = Source(
    kinds={
        "yields": frozenset(
            {"county_fips", "state_name", "county_name", "county_lat", "county_lon", "year", "yield_bu_acre"}
        ),
        "daily_weather": frozenset(DAILY_COLUMNS),
    },
    label_kinds=("yields",),
    rules=LabelRules(
        zero_is_missing=False,
        placed=True,
        peers="own_years",
        peer_ratio_max=5.0,
        notes={"moisture_basis_percent": "13.5", "converted_from": "bushel of 60 lb an acre"},
    ),
    read=_read,
)
"""``us_winter_wheat``. A yield of 0 is kept: the source states that none is missing, and a county can lose its crop."""
