"""Weather files in: CSV or Parquet with our names or well known ones, and MeteoSwiss station texts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
import pyarrow as pa

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.tables import WEATHER, conform

if TYPE_CHECKING:
    from collections.abc import Sequence

ALIASES: dict[str, str] = {
    "day": "date",
    "time": "date",
    "datum": "date",
    "tmin": "tmin_c",
    "t2m_min": "tmin_c",
    "t2m_min_c": "tmin_c",
    "tre200dn": "tmin_c",
    "tmax": "tmax_c",
    "t2m_max": "tmax_c",
    "t2m_max_c": "tmax_c",
    "tre200dx": "tmax_c",
    "tmean": "tmean_c",
    "t2m": "tmean_c",
    "t2m_c": "tmean_c",
    "tre200d0": "tmean_c",
    "prec": "prec_mm",
    "rain_mm": "prec_mm",
    "prectotcorr": "prec_mm",
    "rka150d0": "prec_mm",
    "rre150d0": "prec_mm",
    "radiation": "radiation_mj_m2",
    "allsky_sfc_sw_dwn": "radiation_mj_m2",
}
"""Other names of our columns, lower case; NASA POWER and MeteoSwiss use our units: degrees C, mm, MJ/m2."""

DATE_FORMATS = ("%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%Y/%m/%d")

LIMITS: dict[str, tuple[float, float]] = {
    "tmin_c": (-90.0, 60.0),
    "tmax_c": (-90.0, 60.0),
    "tmean_c": (-90.0, 60.0),
    "prec_mm": (0.0, 2000.0),
    "radiation_mj_m2": (0.0, 50.0),
}
"""What the Earth's surface has shown in a day, rounded outward (WMO weather and climate extremes archive); 50 MJ/m2 is
more than ever reaches the top of the atmosphere. Kelvin for degrees C or kJ for MJ falls outside."""


def read_weather(path: Path | Sequence[Path]) -> pd.DataFrame:
    """Return daily weather, checked: `domain.tables.WEATHER` columns, `date` as datetime64, one row a day in order.

    Parameters
    ----------
    path : Path or sequence of Path
        ``.parquet``, or text separated by comma or semicolon with a header. Several files, one variable each as
        MeteoSwiss gives them, are joined by date; days that not all of them have fall away at both ends.

    Returns
    -------
    DataFrame
        `tmean_c` never empty (mean of minimum and maximum where it is not given); the others NaN where not measured.

    Raises
    ------
    InputUnusableError
        ``weather_unreadable``, ``column_missing``, ``weather_gap``, ``weather_invalid``; the line names the file, the
        day and the value.
    """
    paths = [path] if isinstance(path, Path) else list(path)
    if not paths:
        raise InputUnusableError("weather_unreadable", "no weather file, expected one or more")
    name = ", ".join(item.name for item in paths)
    joined = _read_one(paths[0])
    for other in paths[1:]:
        joined = joined.merge(_read_one(other), on="date", how="inner", suffixes=("", "_again"), validate="1:1")
    return check_weather(joined, name=name)


def check_weather(table: pd.DataFrame, *, name: str = "weather") -> pd.DataFrame:
    """Return the table in the order and types of `domain.tables.WEATHER`, or raise what is wrong with it.

    Parameters
    ----------
    table : DataFrame
        `date` (dates or datetime64) and the weather columns under our names.
    name : str
        Names the table in errors.

    Raises
    ------
    InputUnusableError
        As `read_weather`.
    """
    table = table.copy()
    if "tmean_c" not in table and {"tmin_c", "tmax_c"} <= set(table.columns):
        table["tmean_c"] = (table["tmin_c"] + table["tmax_c"]) / 2
    if "date" in table:
        table["date"] = pd.to_datetime(table["date"])
        table = table.sort_values("date", ignore_index=True, kind="stable")
    checked: pd.DataFrame = conform(_arrow(table, name), WEATHER, name=name).to_pandas()
    checked["date"] = pd.to_datetime(checked["date"])
    for column in LIMITS:
        checked[column] = checked[column].astype(np.float64)
    _check_days(checked["date"], name=name)
    _check_values(checked, name=name)
    return checked


def _arrow(table: pd.DataFrame, name: str) -> pa.Table:
    known = table[[field.name for field in WEATHER if field.name in table.columns]]
    if "tmean_c" in known and known["tmean_c"].isna().any() and "date" in known:
        day = known.loc[known["tmean_c"].isna(), "date"].iloc[0]
        raise InputUnusableError(
            "weather_gap", f"{name}: no mean temperature on {day:%Y-%m-%d}, expected one every day"
        )
    return pa.Table.from_pandas(known, preserve_index=False)


def _read_one(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_parquet(path) if path.suffix == ".parquet" else _read_text(path)
    except (OSError, ValueError, pa.ArrowException, pd.errors.ParserError) as error:
        raise InputUnusableError(
            "weather_unreadable", f"{path.name}: {error}; expected CSV or Parquet with one row a day"
        ) from error
    names = {column: _canonical(str(column)) for column in table.columns}
    table = table.rename(columns=names)
    twice = sorted({name for name in table.columns if list(table.columns).count(name) > 1 and name in WEATHER.names})
    if twice:
        raise InputUnusableError("weather_invalid", f"{path.name}: more than one column means {', '.join(twice)}")
    if "date" not in table:
        raise InputUnusableError("column_missing", f"{path.name}: no column date; found {', '.join(table.columns)}")
    table["date"] = _dates(table["date"], name=path.name)
    kept = [name for name in WEATHER.names if name in table.columns]
    for column in kept[1:]:
        table[column] = _numbers(table[column], name=path.name)
    return table[kept]


def _canonical(column: str) -> str:
    lower = column.strip().lower()
    return ALIASES.get(lower, lower)


def _read_text(path: Path) -> pd.DataFrame:
    # utf-8-sig: station files often begin with a byte order mark; MeteoSwiss texts begin with blank lines.
    lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    if not lines:
        msg = "the file is empty"
        raise ValueError(msg)
    separator = ";" if lines[0].count(";") > lines[0].count(",") else ","
    header = [cell.strip() for cell in lines[0].split(separator)]
    rows = [[cell.strip() for cell in line.split(separator)] for line in lines[1:]]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            msg = f"row {number} has {len(row)} cells, the header {len(header)}"
            raise ValueError(msg)
    return pd.DataFrame(rows, columns=header)


def _dates(column: pd.Series, *, name: str) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(column):
        return cast("pd.Series", column.dt.tz_localize(None).dt.normalize())
    text = column.astype(str).str.slice(0, 10)
    tries = [pd.to_datetime(text, format=pattern, errors="coerce") for pattern in DATE_FORMATS]
    dates = min(tries, key=lambda tried: int(tried.isna().sum()))
    if dates.isna().any():
        wrong = text[dates.isna()].iloc[0]
        raise InputUnusableError("weather_invalid", f"{name}: {wrong!r} is no date, expected YYYY-MM-DD")
    return dates


def _numbers(column: pd.Series, *, name: str) -> pd.Series:
    if column.dtype == object or pd.api.types.is_string_dtype(column):
        column = column.replace({"": None, "-": None})  # MeteoSwiss writes a missing value as a dash
    try:
        return pd.to_numeric(column).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputUnusableError("weather_invalid", f"{name}: column {column.name}: {error}") from error


def _check_days(dates: pd.Series, *, name: str) -> None:
    if len(dates) == 0:
        raise InputUnusableError("weather_gap", f"{name}: no days, expected one row a day")
    steps = dates.diff().dt.days.iloc[1:]
    if (steps == 0).any():
        raise InputUnusableError(
            "weather_invalid", f"{name}: {dates[steps[steps == 0].index[0]]:%Y-%m-%d} stands twice"
        )
    if (steps > 1).any():
        after = steps[steps > 1].index[0]
        raise InputUnusableError(
            "weather_gap",
            f"{name}: {int(steps[after]) - 1} days missing after {dates[after - 1]:%Y-%m-%d}, expected every day",
        )


def _check_values(table: pd.DataFrame, *, name: str) -> None:
    for column, (low, high) in LIMITS.items():
        wrong = table[(table[column] < low) | (table[column] > high)]
        if len(wrong):
            raise InputUnusableError(
                "weather_invalid",
                f"{name}: {column} is {wrong[column].iloc[0]:g} on {wrong['date'].iloc[0]:%Y-%m-%d}, "
                f"expected {low:g} to {high:g}",
            )
    crossed = table[table["tmin_c"] > table["tmax_c"]]
    if len(crossed):
        row = crossed.iloc[0]
        raise InputUnusableError(
            "weather_invalid",
            f"{name}: tmin_c {row['tmin_c']:g} above tmax_c {row['tmax_c']:g} on {row['date']:%Y-%m-%d}",
        )
