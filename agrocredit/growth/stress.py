"""Factors from 0 to 1 that hold growth back: temperature and winter rest. The water's stands in ``soil_water``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from agrocredit.growth.parameters import FloatArray, GrowthParameters

DORMANCY_WINDOW_DAYS = 10


def temperature_stress(tmean_c: FloatArray, *, crop: GrowthParameters) -> FloatArray:
    """Return the temperature factor f(Ta) of light use, 1 at the optimum, 0 outside the range.

    f = 1 - |(Ta - Topt) / (Tlimit - Topt)|^beta with Tlimit = Tmin below and Tmax above the optimum
    (Duchemin et al. 2008, eq. 4, doi:10.1016/j.envsoft.2007.10.003).
    """
    limit_c = np.where(tmean_c < crop.temperature_opt_c, crop.temperature_min_c, crop.temperature_max_c)
    distance = np.abs((tmean_c - crop.temperature_opt_c) / (limit_c - crop.temperature_opt_c))
    return np.asarray(1 - np.minimum(distance, 1.0) ** crop.temperature_exponent, dtype=np.float64)


def trailing_mean(values: FloatArray, *, window: int = DORMANCY_WINDOW_DAYS) -> FloatArray:
    """Return the mean of the last `window` days along the last axis; of as many as there are on the first days."""
    total = np.cumsum(values, axis=-1)
    lagged = np.zeros_like(total)
    lagged[..., window:] = total[..., :-window]
    count = np.minimum(np.arange(1, values.shape[-1] + 1), window)
    return np.asarray((total - lagged) / count, dtype=np.float64)


def wakefulness(recent_c: FloatArray, *, crop: GrowthParameters) -> FloatArray:
    """Return 0 while the crop rests in the cold, 1 when it grows freely, linear between.

    Our own assumption, in place of a vernalisation model: new leaves of an overwintering cereal need sustained
    warmth, not one warm day, so the ten-day mean temperature decides (``docs/method/growth.md``).
    """
    ramp = (recent_c - crop.dormancy_low_c) / (np.asarray(crop.dormancy_high_c) - crop.dormancy_low_c)
    return np.asarray(np.clip(ramp, 0.0, 1.0), dtype=np.float64)
