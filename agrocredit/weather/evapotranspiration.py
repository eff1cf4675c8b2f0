"""Reference evapotranspiration of a grass meadow (FAO-56: Allen, Pereira, Raes and Smith 1998, chapters 2 to 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agrocredit.weather.radiation import CLEAR_SKY_SHARE, extraterrestrial_radiation

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from agrocredit.weather.radiation import FloatArray

GRASS_ALBEDO = 0.23
STEFAN_BOLTZMANN_MJ_K4_M2_DAY = 4.903e-9
DEFAULT_WIND_M_S = 2.0
"""Mean of over 2,000 stations, where wind is not measured (FAO-56, chapter 3)."""
MJ_PER_MM = 2.45
"""Latent heat of a millimetre of water, MJ/m2 (FAO-56, eq. 20 as 0.408)."""


def wind_at_two_metres(wind_m_s: npt.ArrayLike, *, height_m: float) -> FloatArray:
    """Return the wind at 2 m over grass from that at another height, m/s (FAO-56, eq. 47).

    >>> float(wind_at_two_metres(3.2, height_m=10).round(1))
    2.4
    """
    return np.asarray(np.asarray(wind_m_s, dtype=np.float64) * 4.87 / np.log(67.8 * height_m - 5.42), dtype=np.float64)


def saturation_vapour_pressure(temperature_c: npt.ArrayLike) -> FloatArray:
    """Return the vapour pressure of saturated air, kPa (FAO-56, eq. 11)."""
    temperature = np.asarray(temperature_c, dtype=np.float64)
    return np.asarray(0.6108 * np.exp(17.27 * temperature / (temperature + 237.3)), dtype=np.float64)


def psychrometric_constant(elevation_m: float) -> float:
    """Return gamma, kPa/degree C, from the air pressure at an elevation (FAO-56, eq. 7 and 8)."""
    pressure_kpa = 101.3 * ((293 - 0.0065 * elevation_m) / 293) ** 5.26
    return float(0.665e-3 * pressure_kpa)


def net_radiation(
    *,
    radiation_mj_m2: FloatArray,
    clear_sky_mj_m2: FloatArray,
    tmin_c: FloatArray,
    tmax_c: FloatArray,
    vapour_pressure_kpa: FloatArray,
) -> FloatArray:
    """Return net radiation of grass, MJ/m2/day: short-wave in less long-wave out (FAO-56, eq. 38 to 40)."""
    kelvin4 = ((np.asarray(tmax_c) + 273.16) ** 4 + (np.asarray(tmin_c) + 273.16) ** 4) / 2
    cloudiness = np.clip(radiation_mj_m2 / np.maximum(clear_sky_mj_m2, 1e-6), 0.25, 1.0)
    emitted = STEFAN_BOLTZMANN_MJ_K4_M2_DAY * kelvin4 * (0.34 - 0.14 * np.sqrt(vapour_pressure_kpa))
    return np.asarray((1 - GRASS_ALBEDO) * radiation_mj_m2 - emitted * (1.35 * cloudiness - 0.35), dtype=np.float64)


def penman_monteith_evapotranspiration(
    *,
    tmin_c: npt.ArrayLike,
    tmax_c: npt.ArrayLike,
    net_radiation_mj_m2: npt.ArrayLike,
    vapour_pressure_kpa: npt.ArrayLike,
    wind_m_s: npt.ArrayLike = DEFAULT_WIND_M_S,
    elevation_m: float = 0.0,
) -> FloatArray:
    """Return reference evapotranspiration, mm/day, with no soil heat flux over a day (FAO-56, eq. 6).

    Parameters
    ----------
    tmin_c, tmax_c, net_radiation_mj_m2, vapour_pressure_kpa, wind_m_s : array
        Of a day; wind at 2 m. Shapes broadcast.
    elevation_m : float
        For the air pressure.
    """
    low, high = np.asarray(tmin_c, dtype=np.float64), np.asarray(tmax_c, dtype=np.float64)
    mean = (low + high) / 2
    slope = 4098 * saturation_vapour_pressure(mean) / (mean + 237.3) ** 2
    deficit = (saturation_vapour_pressure(low) + saturation_vapour_pressure(high)) / 2 - np.asarray(vapour_pressure_kpa)
    wind, gamma = np.asarray(wind_m_s, dtype=np.float64), psychrometric_constant(elevation_m)
    radiative = slope * np.asarray(net_radiation_mj_m2) / MJ_PER_MM
    aerodynamic = gamma * 900 / (mean + 273) * wind * np.maximum(deficit, 0)
    return np.asarray(np.maximum((radiative + aerodynamic) / (slope + gamma * (1 + 0.34 * wind)), 0), dtype=np.float64)


def hargreaves_evapotranspiration(
    *, tmin_c: npt.ArrayLike, tmax_c: npt.ArrayLike, extraterrestrial_mj_m2: npt.ArrayLike
) -> FloatArray:
    """Return reference evapotranspiration from temperatures alone, mm/day (FAO-56, eq. 52; Hargreaves and Samani 1985).

    ET0 = 0.0023 (Tmean + 17.8) sqrt(Tmax - Tmin) Ra, with Ra as mm/day.
    """
    low, high = np.asarray(tmin_c, dtype=np.float64), np.asarray(tmax_c, dtype=np.float64)
    water_mm = np.asarray(extraterrestrial_mj_m2, dtype=np.float64) / MJ_PER_MM
    warmth = np.maximum((low + high) / 2 + 17.8, 0)
    return np.asarray(0.0023 * warmth * np.sqrt(np.maximum(high - low, 0)) * water_mm, dtype=np.float64)


def reference_evapotranspiration(weather: pd.DataFrame, *, latitude_deg: float, elevation_m: float = 0.0) -> FloatArray:
    """Return reference evapotranspiration of each day, mm/day, by the best formula the columns allow.

    With `radiation_mj_m2`: Penman-Monteith, with `vapour_pressure_kpa` and `wind_m_s` where the table has them, else
    dew point at the night's minimum (FAO-56, eq. 48) and 2 m/s. Without: Hargreaves.

    Parameters
    ----------
    weather : DataFrame
        Columns `date`, `tmin_c`, `tmax_c`; optional `radiation_mj_m2`, `vapour_pressure_kpa`, `wind_m_s`. No gaps.
    """
    low, high = (weather[name].to_numpy(dtype=np.float64) for name in ("tmin_c", "tmax_c"))
    above = extraterrestrial_radiation(_day_of_year(weather), latitude_deg=latitude_deg)
    if "radiation_mj_m2" not in weather or weather["radiation_mj_m2"].isna().any():
        return hargreaves_evapotranspiration(tmin_c=low, tmax_c=high, extraterrestrial_mj_m2=above)
    vapour = _column(weather, "vapour_pressure_kpa", default=saturation_vapour_pressure(low))
    net = net_radiation(
        radiation_mj_m2=weather["radiation_mj_m2"].to_numpy(dtype=np.float64),
        clear_sky_mj_m2=(CLEAR_SKY_SHARE + 2e-5 * elevation_m) * above,
        tmin_c=low,
        tmax_c=high,
        vapour_pressure_kpa=vapour,
    )
    return penman_monteith_evapotranspiration(
        tmin_c=low,
        tmax_c=high,
        net_radiation_mj_m2=net,
        vapour_pressure_kpa=vapour,
        wind_m_s=_column(weather, "wind_m_s", default=np.full(len(weather), DEFAULT_WIND_M_S)),
        elevation_m=elevation_m,
    )


def _column(weather: pd.DataFrame, name: str, *, default: FloatArray) -> FloatArray:
    return weather[name].fillna(0.0).where(weather[name].notna(), default).to_numpy() if name in weather else default


def _day_of_year(weather: pd.DataFrame) -> FloatArray:
    days = weather["date"].to_numpy().astype("datetime64[D]")
    return np.asarray((days - days.astype("datetime64[Y]")).astype(np.int64) + 1, dtype=np.float64)
