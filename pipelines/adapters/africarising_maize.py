"""Maize yields of households in Ghana and Malawi with the monthly greenness and rain of their village.

The files do not state their year: it is read from the name of the file or of the folder that holds it. The country is
known by the months: Ghana's season is April to October, Malawi's October to April, three months of it in the year
before the harvest. Satellite, weather and soil columns repeat within a village; ``village`` in the static table says
which households share them. Income is left out, because it holds the harvest itself, and so is what describes the
head of the household: neither has a place in a loan.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from agrocredit.domain.errors import Refusal
from agrocredit.domain.units import yield_to_t_ha
from pipelines.adapters.adapted import Adapted, LabelRules, Source
from pipelines.adapters.files import read_rows
from pipelines.adapters.series_checks import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_MONTHS = {
    "ghana": ("apr", "may", "jun", "jul", "aug", "sep", "oct"),
    "malawi": ("oct", "nov", "dec", "jan", "feb", "mar", "apr"),
}
_NUMBER = {name: f"{n:02d}" for n, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul"), start=1)}
_NUMBER |= {name: f"{n:02d}" for n, name in enumerate(("aug", "sep", "oct", "nov", "dec"), start=8)}
_REGION = {"ghana": "Ghana", "malawi": "Malawi"}
_SOIL = {
    "Silt": "silt_percent",
    "Sand": "sand_percent",
    "Clay": "clay_percent",
    "CEC": "cation_exchange_capacity",
    "Orgcab": "organic_carbon",
    "Soilbulk": "soil_bulk_density",
    "DEM": "elevation_m",
}
_PRACTICE = {
    "Intercrop": "intercrop",
    "Manure": "manure",
    "Pest": "pest_control",
    "Residue": "residue",
    "Rotation": "rotation",
    "Fert": "fertilised",
    "Fallow": "fallow",
    "FertHa": "fertiliser_kg_ha",
    "Landsize": "land_ha",
}
_VILLAGE = ["pdsi", "seasprec", "lst"]
_YEAR = re.compile(r"(?<!\d)(19|20)\d{2}(?!\d)")
_KG_HA_PER_T_HA = 1 / yield_to_t_ha(1, weight_unit="kg", area_unit="ha")


def _read(files: Mapping[str, Sequence[Path]]) -> Adapted:
    labels, series, static, refused = [], [], [], []
    for country, months in _MONTHS.items():
        for path in files[country]:
            year = _harvest_year(path)
            if year is None:
                detail = f"{path.name}: no year in the name of the file or its folder, expected one such as 2013"
                refused.append(Refusal(code="harvest_year_missing", detail=detail))
                continue
            rows = read_rows([path])
            unit = _units(rows, country, year)
            labels.append(_labels(rows, unit, country, year))
            series += [_month(rows, unit, year, month, before=months) for month in months]
            static.append(_static(rows, unit, country))
    return Adapted(
        labels=pd.concat(labels, ignore_index=True) if labels else pd.DataFrame(columns=[*_LABELLED]),
        series=pd.concat(series, ignore_index=True) if series else None,
        static=pd.concat(static, ignore_index=True) if static else pd.DataFrame(columns=["unit"]),
        units=_UNITS,
        refused=refused,
    )


def _harvest_year(path: Path) -> int | None:
    found = _YEAR.search(path.stem) or _YEAR.search(path.parent.name)
    return int(found[0]) if found else None


def _units(rows: pd.DataFrame, country: str, year: int) -> pd.Series:
    """Return a name a household: no two of a year share their place."""
    degrees = [pd.to_numeric(rows[axis], errors="coerce").map("{:.8f}".format) for axis in ("Lat", "Long")]
    return f"{country} {year} " + degrees[0] + " " + degrees[1]


def _labels(rows: pd.DataFrame, unit: pd.Series, country: str, year: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "unit": unit,
            "region": f"{_REGION[country]} cluster " + rows["Clusters"].map(str),
            "crop": "maize",
            "harvest_year": year,
            "yield_t_ha": pd.to_numeric(rows["Yield"], errors="coerce") / _KG_HA_PER_T_HA,
            "longitude": rows["Long"],
            "latitude": rows["Lat"],
            "file": rows["file"],
            "row": rows["row"],
        }
    )


def _month(rows: pd.DataFrame, unit: pd.Series, year: int, month: str, *, before: tuple[str, ...]) -> pd.DataFrame:
    """Return one month of the season, dated by its last day, when its mean and sum are known."""
    autumn = "jan" in before and month in {"oct", "nov", "dec"}
    ends = pd.Period(f"{year - autumn}-{_NUMBER[month]}", freq="M").end_time.date()
    values = numbers(rows, {f"{month}EVI": "evi", f"{month}prec": "rain_sum_mm"})
    keys = pd.DataFrame({"unit": unit, "year": year, "date": ends})
    return keys.join(values).assign(file=rows["file"], row=rows["row"])


def _static(rows: pd.DataFrame, unit: pd.Series, country: str) -> pd.DataFrame:
    village = f"{country} " + rows[_VILLAGE].astype(str).agg(" ".join, axis=1)
    return pd.DataFrame({"unit": unit, "village": village}).join(numbers(rows, {**_PRACTICE, **_SOIL}))


_LABELLED = ("unit", "region", "crop", "harvest_year", "yield_t_ha", "longitude", "latitude", "file", "row")
_UNITS = {
    "evi": "1",
    "land_ha": "ha; the unit is not confirmed by the source",
    "fertiliser_kg_ha": "kg ha-1; may encode the outcome",
    "cation_exchange_capacity": "as published, unit not stated",
    "organic_carbon": "as published, unit not stated",
    "soil_bulk_density": "as published, unit not stated",
    **dict.fromkeys(("intercrop", "manure", "pest_control", "residue", "rotation", "fertilised", "fallow"), "0 or 1"),
}


def _columns(country: str) -> frozenset[str]:
    monthly = {f"{month}{kind}" for month in _MONTHS[country] for kind in ("EVI", "prec")}
    return frozenset({"Yield", "Clusters", "Lat", "Long", *_VILLAGE, *_SOIL, *_PRACTICE} | monthly)


SOURCE = Source(
    kinds={country: _columns(country) for country in _MONTHS},
    label_kinds=tuple(_MONTHS),
    rules=LabelRules(
        zero_is_missing=False,
        placed=True,
        peers="region_season",
        peer_ratio_max=6.0,
        notes={"moisture_basis": "not stated by the source", "unit_of_source": "kg/ha, inferred"},
    ),
    read=_read,
)
"""``africarising_maize``."""
