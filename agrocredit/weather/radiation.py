"""Sunlight of a day from latitude, season and the day's temperature range (FAO-56 chapter 3)."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]

SOLAR_CONSTANT_MJ_M2_MIN = 0.0820
"""Gsc (FAO-56, eq. 21)."""
HARGREAVES_INLAND = 0.16
"""kRs of the interior, where land decides the air (FAO-56, eq. 50)."""
CLEAR_SKY_SHARE = 0.75
"""Share of extraterrestrial radiation that a clear sky at sea level lets through (FAO-56, eq. 37)."""


def extraterrestrial_radiation(day_of_year: npt.ArrayLike, *, latitude_deg: npt.ArrayLike) -> FloatArray:
    """Return radiation on a horizontal plane above the atmosphere, MJ/m2/day (FAO-56, eq. 21 to 25).

    Parameters
    ----------
    day_of_year : array
        1 to 366.
    latitude_deg : array
        North positive; broadcast against the days. Polar day and night are handled.

    Examples
    --------
    >>> float(extraterrestrial_radiation(246, latitude_deg=-20).round(1))
    32.2
    """
    phase = 2 * np.pi * np.asarray(day_of_year, dtype=np.float64) / 365
    latitude = np.deg2rad(np.asarray(latitude_deg, dtype=np.float64))
    distance = 1 + 0.033 * np.cos(phase)
    declination = 0.409 * np.sin(phase - 1.39)
    sunset = np.arccos(np.clip(-np.tan(latitude) * np.tan(declination), -1, 1))
    height = sunset * np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.sin(sunset)
    return np.asarray(24 * 60 / np.pi * SOLAR_CONSTANT_MJ_M2_MIN * distance * height, dtype=np.float64)


def hargreaves_radiation(
    tmin_c: npt.ArrayLike,
    tmax_c: npt.ArrayLike,
    *,
    extraterrestrial_mj_m2: npt.ArrayLike,
    coefficient: float = HARGREAVES_INLAND,
) -> FloatArray:
    """Return global radiation from the temperature range, MJ/m2/day (FAO-56, eq. 50).

    Rs = kRs sqrt(Tmax - Tmin) Ra, never more than a clear sky's 0.75 Ra.

    Parameters
    ----------
    tmin_c, tmax_c, extraterrestrial_mj_m2 : array
        Same shape; degrees C and MJ/m2/day.
    coefficient : float
        kRs: 0.16 in the interior, 0.19 at a coast.
    """
    span_c = np.maximum(np.asarray(tmax_c, dtype=np.float64) - np.asarray(tmin_c, dtype=np.float64), 0)
    share = np.minimum(coefficient * np.sqrt(span_c), CLEAR_SKY_SHARE)
    return np.asarray(share * np.asarray(extraterrestrial_mj_m2, dtype=np.float64), dtype=np.float64)
