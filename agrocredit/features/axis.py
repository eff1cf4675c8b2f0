"""Where the steps of a season stand: equal in days, or equal in thermal time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from agrocredit.domain.errors import InputUnusableError, WrongUsageError

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from agrocredit.domain.crop import Season

    Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepAxis:
    """The steps of a season, each read at its middle."""

    kind: Literal["calendar", "thermal"]
    day: Doubles
    """(step,) days since season start; NaN where the day is not known yet, or never comes."""
    thermal_time_c_day: Doubles | None
    """(step,) degree days since season start, on a thermal axis."""
    thermal_total_c_day: float | None
    """Degree days that the steps share out, on a thermal axis."""


def calendar_axis(season: Season, *, steps: int) -> StepAxis:
    """Return `steps` steps of equal days over the half-open season.

    Raises
    ------
    WrongUsageError
        ``axis_invalid`` for fewer than 1 step.
    """
    _check_steps(steps)
    length_days = (season.end_on - season.start_on).days
    day = (np.arange(steps) + 0.5) * length_days / steps
    return StepAxis(kind="calendar", day=day, thermal_time_c_day=None, thermal_total_c_day=None)


def thermal_axis(season: Season, *, thermal_time: pd.Series, total_c_day: float, steps: int, as_of: date) -> StepAxis:
    """Return steps of equal thermal time: step k is the same stage of the crop in a warm and in a cool year.

    Parameters
    ----------
    season : Season
        Its start is where thermal time counts from.
    thermal_time : Series
        Cumulative degree days by date (end of the day), never falling; a day of frost adds 0. What had been reached
        before the season, where the series begins earlier, is taken off.
    total_c_day : float
        Thermal time that the steps share out, degree days; the same for every season of a crop.
    steps : int
        How many.
    as_of : date
        Weather after this day is not used: steps that it has not reached have no day yet.

    Returns
    -------
    StepAxis
        Steps that the season ends before reaching have no day either.

    Raises
    ------
    InputUnusableError
        ``thermal_time_invalid`` where dates do not rise, a value is missing or falls, or it begins after the season.
    WrongUsageError
        ``axis_invalid`` for fewer than 1 step or a total that is not above 0.
    """
    _check_steps(steps)
    if not 0 < total_c_day < np.inf:
        raise WrongUsageError("axis_invalid", f"total thermal time {total_c_day} degree days, expected above 0")
    target = (np.arange(steps) + 0.5) * total_c_day / steps
    days, reached = _known_thermal(thermal_time, season, as_of)
    # The first day that reaches a target: of a frost period, its first day.
    rising = np.concatenate(([True], np.diff(reached) > 0))
    day = np.interp(target, reached[rising], days[rising], right=np.nan)
    return StepAxis(kind="thermal", day=day, thermal_time_c_day=target, thermal_total_c_day=float(total_c_day))


def _known_thermal(thermal_time: pd.Series, season: Season, as_of: date) -> tuple[Doubles, Doubles]:
    """Return days since season start and degree days reached, from the start to the last day known on `as_of`."""
    days = _days_since(season.start_on, thermal_time.index)
    reached = thermal_time.to_numpy(np.float64)
    if not np.all(np.diff(days) > 0):
        raise InputUnusableError("thermal_time_invalid", "thermal time is not sorted by date, one value a day")
    before = reached[days < 0]
    known = (days >= 0) & (days < (season.end_on - season.start_on).days) & (days <= (as_of - season.start_on).days)
    days, reached = days[known], reached[known] - (before[-1] if before.size else 0.0)
    if days.size and days[0] > 0:
        raise InputUnusableError(
            "thermal_time_invalid", f"thermal time begins {days[0]:.0f} days after the season, {season.start_on}"
        )
    if not np.all(np.isfinite(reached)) or np.any(np.diff(reached, prepend=0.0) < 0):
        raise InputUnusableError("thermal_time_invalid", "thermal time falls or is missing on some day of the season")
    # A day's sum is complete at its end, so the season starts at 0 with its first day.
    return np.concatenate(([0.0], days + 1)), np.concatenate(([0.0], reached))


def _days_since(start_on: date, dates: pd.Index) -> Doubles:
    stamps = pd.DatetimeIndex(pd.to_datetime(dates))
    if stamps.tz is not None:
        raise InputUnusableError("thermal_time_invalid", f"thermal time by instants in {stamps.tz}, expected dates")
    return ((stamps - pd.Timestamp(start_on)) / pd.Timedelta(days=1)).to_numpy(np.float64)


def _check_steps(steps: int) -> None:
    if steps < 1:
        raise WrongUsageError("axis_invalid", f"{steps} steps, expected 1 or more")
