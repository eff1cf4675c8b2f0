"""Daily weather of many places as training regions: read, shifted to other climates, completed, cut into seasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from agrocredit.domain.errors import InputUnusableError
from agrocredit.growth import DailyForcing, forcing_from_table
from agrocredit.weather import check_weather, complete_weather, thermal_time

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

NAMES = {"t2m_c": "tmean_c"}
"""Other names of weather columns in the files that training reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherSource:
    """Where daily weather of many places lies, and on what terms."""

    files: str
    """Pattern of the Parquet files under the weather folder: a place, a date and daily values a row."""
    places: str
    """CSV file under the weather folder with the latitude of each place."""
    place: str
    """Column that names a place in both."""
    latitude: str
    """Column of the latitude, degrees."""
    title: str
    licence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowConfig:
    """One season window of the crop's calendar, and how the regions in it differ from their weather stations."""

    start: tuple[int, int]
    """Month and day of the season's start."""
    length_days: int
    start_shift_days: tuple[int, int]
    """Regions shift the start by this much, earliest and latest."""
    sowing_day: tuple[int, int]
    """Days from the start to sowing, by region."""
    warmer_c: tuple[float, float]
    """Added to a region's temperatures: other latitudes and heights than those of the stations."""
    wetter: tuple[float, float]
    """Factor on a region's rain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionWeather:
    """One region: a real place's weather, made warmer and wetter, with its own start of season and sowing."""

    number: int
    place: str
    first_on: date
    daily: pd.DataFrame
    """Complete weather, a row a day from `first_on`."""
    start_shift_days: int
    sowing_day: int
    base_temperature_c: float

    def start_on(self, harvest_year: int, start: tuple[int, int]) -> date:
        """Return the day on which the season of a harvest year starts here."""
        same_year = start[0] < 7
        return date(harvest_year if same_year else harvest_year - 1, *start) + timedelta(days=self.start_shift_days)

    def forcing(self, start_on: date, days: int) -> DailyForcing:
        """Return the weather of a season, each array (days,)."""
        return forcing_from_table(self._cut(start_on, days))

    def thermal_time(self, start_on: date, days: int) -> NDArray[np.float64]:
        """Return degree days since the season's start, (days,)."""
        return thermal_time(self._cut(start_on, days)["tmean_c"], base_c=self.base_temperature_c)

    def _cut(self, start_on: date, days: int) -> pd.DataFrame:
        first = (start_on - self.first_on).days
        if first < 0 or first + days > len(self.daily):
            raise InputUnusableError(
                "weather_gap", f"weather of {self.place} has no {days} days from {start_on}; it begins {self.first_on}"
            )
        return self.daily.iloc[first : first + days]


def read_places(
    folder: Path, source: WeatherSource, *, count: int, rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """Return the daily weather of `count` places drawn without replacement, by name in order of names.

    Parameters
    ----------
    folder : Path
        The weather folder.
    source : WeatherSource
        What to read there. Each table has its latitude under ``attrs["latitude_deg"]``.
    count : int
    rng : numpy Generator

    Raises
    ------
    InputUnusableError
        ``weather_unreadable`` if the folder does not hold the files, ``column_missing`` if they lack a column.
    """
    latitudes = _latitudes(folder, source)
    if count > len(latitudes):
        raise InputUnusableError(
            "weather_unreadable", f"{len(latitudes)} places with weather, expected {count} or more"
        )
    chosen = sorted(rng.choice(sorted(latitudes), size=count, replace=False).tolist())
    tables = {}
    for path in sorted(folder.glob(source.files)):
        rows = _read_file(path, source)
        for place, daily in rows[rows[source.place].isin(chosen)].groupby(source.place, sort=True):
            checked = check_weather(daily.rename(columns=NAMES), name=f"{path.name} {place}")
            checked.attrs["latitude_deg"] = latitudes[str(place)]
            tables[str(place)] = checked
    missing = sorted(set(chosen) - set(tables))
    if missing:
        raise InputUnusableError("weather_unreadable", f"no weather of place {missing[0]} in {source.files}")
    return dict(sorted(tables.items()))


def as_region(
    number: int, place: str, daily: pd.DataFrame, *, window: WindowConfig, base_temperature_c: float, seed: int
) -> RegionWeather:
    """Return a region with a climate of its own around a place's weather.

    Parameters
    ----------
    number : int
        Of the region; with `seed` it decides the draws.
    place : str
    daily : DataFrame
        From `read_places`.
    window : WindowConfig
    base_temperature_c : float
        Of the thermal axis.
    seed : int
    """
    rng = np.random.default_rng([seed, 7, number])
    warmer, wetter = rng.uniform(*window.warmer_c), np.exp(rng.uniform(*np.log(window.wetter)))
    shifted = daily.assign(
        **{name: daily[name] + warmer for name in ("tmin_c", "tmax_c", "tmean_c")}, prec_mm=daily["prec_mm"] * wetter
    )
    return RegionWeather(
        number=number,
        place=place,
        first_on=daily["date"].iloc[0].date(),
        daily=complete_weather(shifted, latitude_deg=daily.attrs["latitude_deg"]),
        start_shift_days=int(rng.integers(window.start_shift_days[0], window.start_shift_days[1] + 1)),
        sowing_day=int(rng.integers(*window.sowing_day)),
        base_temperature_c=base_temperature_c,
    )


def _latitudes(folder: Path, source: WeatherSource) -> dict[str, float]:
    try:
        table = pd.read_csv(folder / source.places, dtype={source.place: str})
        latitudes = table.drop_duplicates(source.place).set_index(source.place)[source.latitude]
    except (OSError, ValueError, KeyError) as error:
        raise InputUnusableError("weather_unreadable", f"{folder.name}/{source.places}: {error}") from error
    return {_name(place): float(latitude) for place, latitude in latitudes.items()}


def _read_file(path: Path, source: WeatherSource) -> pd.DataFrame:
    try:
        rows = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputUnusableError("weather_unreadable", f"{path.name}: {error}") from error
    if source.place not in rows.columns:
        raise InputUnusableError("column_missing", f"{path.name}: no column {source.place}")
    return rows.assign(**{source.place: rows[source.place].map(_name)})


def _name(place: object) -> str:
    """Return a place's name without leading zeros, which a CSV reader may have taken for padding of a number."""
    return str(place).lstrip("0")
