"""A stochastic weather generator: many plausible years of one place.

After Richardson 1981 (doi:10.1029/WR017i001p00182): rain days as a two-state Markov chain with gamma amounts, daily
temperature anomalies as a first-order autoregression, radiation by clearness of dry and wet days; and on top of it a
shift of temperature and rain for each year, because loans care about years. Formulas: ``docs/method/weather.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from agrocredit.weather import extraterrestrial_radiation

if TYPE_CHECKING:
    from datetime import date

    from agrocredit.weather.radiation import FloatArray
    from pipelines.sample.settings import Climate

GAMMA_SHAPE = 0.75
"""Of the amount on rain days; Richardson's family of distributions, shape between drizzle and storm."""
WET_SPAN_SHARE = 0.65
"""Temperature range of a rain day relative to the normal."""
WET_COOLING_C = 1.5
CLEARNESS_RANGE = (0.12, 0.76)


def simulate_weather(
    climate: Climate, *, start_on: date, end_on: date, latitude_deg: float, rng: np.random.Generator
) -> pd.DataFrame:
    """Return simulated daily weather with the columns of `domain.tables.WEATHER`; dates half-open.

    Parameters
    ----------
    climate : Climate
        Monthly normals and scatter.
    start_on, end_on : date
        First day, and the day after the last.
    latitude_deg : float
        For the radiation above the atmosphere.
    rng : numpy Generator
        Every number drawn comes from it, in a fixed order.
    """
    dates = pd.date_range(start_on, end_on, inclusive="left")
    year_c = rng.normal(0, climate.year_sd_c)
    year_rain = np.exp(rng.normal(0, climate.year_rain_log_sd) - climate.year_rain_log_sd**2 / 2)
    wet = _rain_days(_daily(climate.rain_day_share, dates) * year_rain**0.5, climate.rain_persistence, rng)
    amount_mm = _daily(climate.rain_day_mm, dates) * year_rain**0.5
    rain_mm = np.where(wet, rng.gamma(GAMMA_SHAPE, amount_mm / GAMMA_SHAPE), 0.0)
    anomaly_c = _memory(rng.normal(0, 1, len(dates)), climate.temperature_memory) * climate.temperature_sd_c
    mean_c = _daily(climate.tmean_c, dates) + year_c + anomaly_c - WET_COOLING_C * wet
    scatter = np.clip(rng.normal(1, 0.18, len(dates)), 0.4, 1.6)
    span_c = _daily(climate.span_c, dates) * np.where(wet, WET_SPAN_SHARE, 1.0) * scatter
    clearness = np.where(wet, climate.clearness_wet, climate.clearness_dry)
    clearness = np.clip(clearness + rng.normal(0, climate.clearness_sd, len(dates)), *CLEARNESS_RANGE)
    above = extraterrestrial_radiation(dates.day_of_year.to_numpy(), latitude_deg=latitude_deg)
    table = {
        "date": dates,
        "tmin_c": mean_c - span_c / 2,
        "tmax_c": mean_c + span_c / 2,
        "tmean_c": mean_c,
        "prec_mm": rain_mm,
        "radiation_mj_m2": clearness * above,
    }
    return pd.DataFrame(table).round(dict.fromkeys(list(table)[1:], 2))


def _daily(months: tuple[float, ...], dates: pd.DatetimeIndex) -> FloatArray:
    """Return monthly normals as a smooth line through the middles of the months, one value a day."""
    middles = (np.arange(-1, 13) + 0.5) / 12
    values = np.array([months[-1], *months, months[0]])
    return np.asarray(np.interp((dates.day_of_year.to_numpy() - 0.5) / 366, middles, values), dtype=np.float64)


def _rain_days(
    share: FloatArray, persistence: float, rng: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which days have rain; the chain keeps the wished share and remembers yesterday."""
    draws, wet = rng.random(share.size), np.zeros(share.size, dtype=bool)
    after_dry, after_wet = share * (1 - persistence), share * (1 - persistence) + persistence
    for day in range(share.size):
        yesterday = day > 0 and wet[day - 1]
        wet[day] = draws[day] < (after_wet if yesterday else after_dry)[day]
    return wet


def _memory(shocks: FloatArray, memory: float) -> FloatArray:
    """Return a first-order autoregression of unit variance."""
    series = np.empty_like(shocks)
    state = shocks[0]
    for day, shock in enumerate(shocks):
        state = shock if day == 0 else memory * state + np.sqrt(1 - memory**2) * shock
        series[day] = state
    return series
