"""A complete daily table from what a station measures: radiation and evapotranspiration filled by formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agrocredit.domain.errors import InputUnusableError
from agrocredit.weather.evapotranspiration import reference_evapotranspiration
from agrocredit.weather.radiation import HARGREAVES_INLAND, extraterrestrial_radiation, hargreaves_radiation

if TYPE_CHECKING:
    import pandas as pd

CLEARNESS_DRY_DAY = 0.52
CLEARNESS_RAIN_DAY = 0.30
"""Shares of extraterrestrial radiation that reach the ground where only the mean temperature is known; assumption."""
RAIN_DAY_MM = 1.0


def complete_weather(
    weather: pd.DataFrame, *, latitude_deg: float, elevation_m: float = 0.0, coastal_coefficient: float | None = None
) -> pd.DataFrame:
    """Return the weather with no empty cell, and with reference evapotranspiration.

    What is measured stays. Radiation that is missing comes from the day's temperature range (`hargreaves_radiation`).
    Where even that is unknown it is a share of extraterrestrial radiation, less on days with rain, and the range is
    the one that Hargreaves' formula would need for it: a rough stand-in, said so in ``docs/method/weather.md``.

    Parameters
    ----------
    weather : DataFrame
        As `read_weather` returns it.
    latitude_deg, elevation_m : float
        Of the station.
    coastal_coefficient : float, optional
        kRs of FAO-56 eq. 50; 0.16 of the interior by default.

    Returns
    -------
    DataFrame
        `date`, `tmin_c`, `tmax_c`, `tmean_c`, `prec_mm`, `radiation_mj_m2`, `et0_mm`.

    Raises
    ------
    InputUnusableError
        ``weather_gap`` if rain is missing on some day: no formula knows it.
    """
    rain = weather["prec_mm"]
    if rain.isna().any():
        day = weather.loc[rain.isna(), "date"].iloc[0]
        raise InputUnusableError("weather_gap", f"no rain on {day:%Y-%m-%d}, expected prec_mm on every day")
    coefficient = HARGREAVES_INLAND if coastal_coefficient is None else coastal_coefficient
    days = weather["date"].to_numpy().astype("datetime64[D]")
    day_of_year = (days - days.astype("datetime64[Y]")).astype(np.int64) + 1
    above = extraterrestrial_radiation(day_of_year, latitude_deg=latitude_deg)
    complete = weather[["date", "tmin_c", "tmax_c", "tmean_c", "prec_mm", "radiation_mj_m2"]].copy()
    clearness = np.where(rain.to_numpy() >= RAIN_DAY_MM, CLEARNESS_RAIN_DAY, CLEARNESS_DRY_DAY)
    half_span_c = (clearness / coefficient) ** 2 / 2
    complete["tmin_c"] = complete["tmin_c"].fillna(complete["tmean_c"] - half_span_c)
    complete["tmax_c"] = complete["tmax_c"].fillna(complete["tmean_c"] + half_span_c)
    estimated = hargreaves_radiation(
        complete["tmin_c"], complete["tmax_c"], extraterrestrial_mj_m2=above, coefficient=coefficient
    )
    measured = complete["radiation_mj_m2"].to_numpy(dtype=np.float64)
    complete["radiation_mj_m2"] = np.where(np.isnan(measured), estimated, measured)
    complete["et0_mm"] = reference_evapotranspiration(complete, latitude_deg=latitude_deg, elevation_m=elevation_m)
    return complete
