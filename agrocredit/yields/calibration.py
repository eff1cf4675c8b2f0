"""Conformal correction of the quantiles, learnt on whole years that training never saw.

Each quantile is moved by its own shift, so that on the calibration seasons the truth lies below it as often as its
level says: conformalised quantile regression with separate tails (Romano, Patterson and Candes 2019, NeurIPS 32,
theorem 2). Shifts are measured in widths of the network's own 80 % interval, so that a season the network is unsure
about moves more.
Seasons of one year share their weather, so rows of a year are not exchangeable with those of another: calibration and
test are split by whole years, and the coverage of single years in the scores shows what is left of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.estimate import QUANTILE_LEVELS
from agrocredit.yields.inputs import CONTEXT_INPUTS, SeasonInputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

STAGES: Final = (0.5, 0.8)
"""Shares of the season's days that part early from middle and middle from late."""

GROUPS: Final = tuple(
    f"{axis}-{level}-{stage}"
    for axis in ("calendar", "thermal")
    for level in ("alone", "level")
    for stage in ("early", "middle", "late")
)
"""Every kind of question the network is asked, each with its own shifts."""

GROUP_ROWS_MIN: Final = 200
"""Below this a group takes the pooled shifts: a 5 % tail of fewer rows is ten rows or less."""

WIDTH_FLOOR: Final = 0.02
"""Smallest width a shift is measured in, yield over level: an interval of width 0 could never be widened."""

_LOW, _MEDIAN, _HIGH = (QUANTILE_LEVELS.index(level) for level in (0.10, 0.50, 0.90))


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Shifts of the seven quantiles a group, in widths of the network's 80 % interval."""

    shifts: Mapping[str, tuple[float, ...]]
    """Group name, or ``pooled``, to one shift a quantile."""
    rows: Mapping[str, int]
    """How many seasons each group's shifts rest on."""
    years: tuple[int, ...]
    """The held-out harvest years."""

    def __post_init__(self) -> None:
        unknown = set(self.shifts) - {*GROUPS, "pooled"}
        right = all(len(s) == len(QUANTILE_LEVELS) and np.isfinite(s).all() for s in self.shifts.values())
        if unknown or "pooled" not in self.shifts or not right:
            msg = f"calibration of groups {sorted(self.shifts)}, expected 'pooled' and any of {GROUPS}, 7 shifts each"
            raise InputUnusableError("model_invalid", msg)

    def apply(self, quantiles: NDArray[np.float64], groups: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the corrected quantiles, rising and never below 0.

        Parameters
        ----------
        quantiles : ndarray, shape (n, 7)
            The network's quantiles, in any unit.
        groups : ndarray of int, shape (n,)
            Place of each row's group in `GROUPS`, from `group_of`.
        """
        table = np.array([self.shifts.get(group, self.shifts["pooled"]) for group in GROUPS])
        return in_order(quantiles + table[groups] * _width(quantiles)[:, None])


def uncorrected() -> Calibration:
    """Return the calibration that changes nothing, for a network whose quantiles have not been corrected yet."""
    return Calibration(shifts={"pooled": (0.0,) * len(QUANTILE_LEVELS)}, rows={"pooled": 0}, years=())


def fit_calibration(
    quantiles: NDArray[np.float64],
    truth: NDArray[np.float64],
    *,
    groups: NDArray[np.int64],
    harvest_years: NDArray[np.int64],
) -> Calibration:
    """Return the shifts learnt on held-out years.

    Parameters
    ----------
    quantiles : ndarray, shape (n, 7)
        The network's quantiles, yield over level.
    truth : ndarray, shape (n,)
        Yield over level.
    groups : ndarray of int, shape (n,)
        From `group_of`.
    harvest_years : ndarray of int, shape (n,)
    """
    if truth.size == 0:
        raise InputUnusableError("training_data_invalid", "no seasons in the calibration years")
    errors = (truth[:, None] - quantiles) / _width(quantiles)[:, None]
    shifts, rows = {"pooled": _shifts(errors)}, {"pooled": int(truth.size)}
    for place, group in enumerate(GROUPS):
        members = errors[groups == place]
        if len(members) >= GROUP_ROWS_MIN:
            shifts[group], rows[group] = _shifts(members), len(members)
    return Calibration(shifts=shifts, rows=rows, years=tuple(int(year) for year in np.unique(harvest_years)))


def group_of(inputs: SeasonInputs) -> NDArray[np.int64]:
    """Return the place in `GROUPS` of each row: its axis, whether the level is known, how much of the season is.

    Parameters
    ----------
    inputs : SeasonInputs
    """
    thermal = inputs.context[:, CONTEXT_INPUTS.index("thermal")] > 0.5
    level = inputs.context[:, CONTEXT_INPUTS.index("level_known")] > 0.5
    stage = np.digitize(season_share(inputs), STAGES)
    groups: NDArray[np.int64] = (thermal * 2 + level) * 3 + stage
    return groups


def season_share(inputs: SeasonInputs) -> NDArray[np.float64]:
    """Return the share of each season's days that had passed on its date of knowledge, 0 to 1.

    Parameters
    ----------
    inputs : SeasonInputs
    """
    return inputs.context[:, CONTEXT_INPUTS.index("progress")].astype(np.float64)


def in_order(quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the quantiles at or above 0 and rising, the median untouched: outer ones give way to inner ones.

    Parameters
    ----------
    quantiles : ndarray, shape (n, 7)
    """
    ordered = np.maximum(quantiles, 0.0)
    ordered[:, : _MEDIAN + 1] = np.minimum.accumulate(ordered[:, _MEDIAN::-1], axis=1)[:, ::-1]
    ordered[:, _MEDIAN:] = np.maximum.accumulate(ordered[:, _MEDIAN:], axis=1)
    return ordered


def _width(quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
    # In t/ha as well as in yield over level the floor is far below any real interval, so it needs no unit of its own.
    width: NDArray[np.float64] = np.maximum(quantiles[:, _HIGH] - quantiles[:, _LOW], WIDTH_FLOOR)
    return width


def _shifts(errors: NDArray[np.float64]) -> tuple[float, ...]:
    """Return the conformal shift of every quantile from errors (n, 7): ranks rounded away from the median."""
    ordered, n = np.sort(errors, axis=0), len(errors)
    return tuple(float(ordered[_rank(level, n), place]) for place, level in enumerate(QUANTILE_LEVELS))


def _rank(level: float, n: int) -> int:
    """Return the 0-based rank whose value the truth stays below with at least (at most, under the median) `level`."""
    rank = np.floor(level * (n + 1)) if level < 0.5 else np.ceil(level * (n + 1))
    return int(np.clip(rank, 1, n)) - 1
