"""What anyone could say without a network: the regional mean, and a straight line on the season's NDVI integral.

Both answer for a row only from rows of *other harvest years* where there are two years or more, else from rows of other
folds of the same year (five folds by the order of the units' names). So neither has seen the row it is scored on, and
neither has seen that year's weather if another year exists. Intervals are the quantiles of the residuals of the rows
they were fitted on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.estimate import QUANTILE_LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Fitted = tuple[NDArray[np.float64], NDArray[np.float64]]

FOLDS: Final = 5
ROWS_MIN: Final = 5
"""A fold fitted on fewer rows gives no answer (NaN)."""


def folds(units: Sequence[str], harvest_years: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the fold of every row: its harvest year if there are several, else one of five by the unit's name.

    Parameters
    ----------
    units : sequence of str, length n
    harvest_years : ndarray of int, shape (n,)
    """
    if np.unique(harvest_years).size > 1:
        return harvest_years
    order = {unit: place for place, unit in enumerate(sorted(set(units)))}
    return np.array([order[unit] % FOLDS for unit in units], dtype=np.int64)


def regional_mean(
    regions: NDArray[np.object_], truth_t_ha: NDArray[np.float64], *, fold: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return quantiles (n, 7) in t/ha around the mean yield of the row's region in the other folds.

    Parameters
    ----------
    regions : ndarray of str, shape (n,)
        A region that the other folds lack takes the mean of all their rows.
    truth_t_ha : ndarray, shape (n,)
    fold : ndarray of int, shape (n,)
        From `folds`.
    """

    def fit(rest: NDArray[np.bool_], held: NDArray[np.bool_]) -> Fitted:
        mean = float(truth_t_ha[rest].mean())
        means = {region: float(truth_t_ha[rest & (regions == region)].mean()) for region in set(regions[rest])}
        return np.array([means[r] for r in regions[rest]]), np.array([means.get(r, mean) for r in regions[held]])

    return _cross_fitted(fit, truth_t_ha, fold)


def integral_line(
    integrals: NDArray[np.float64], truth_t_ha: NDArray[np.float64], *, fold: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return quantiles (n, 7) in t/ha around a least-squares line of yield on the season's NDVI integral.

    Parameters
    ----------
    integrals : ndarray, shape (n,)
        NDVI integral of each row's season; NaN gives NaN.
    truth_t_ha : ndarray, shape (n,)
    fold : ndarray of int, shape (n,)
        From `folds`.
    """

    def fit(rest: NDArray[np.bool_], held: NDArray[np.bool_]) -> Fitted:
        design = np.column_stack([np.ones(integrals.size), integrals])
        line, *_ = np.linalg.lstsq(design[rest], truth_t_ha[rest], rcond=None)
        return design[rest] @ line, design[held] @ line

    return _cross_fitted(fit, truth_t_ha, fold, usable=np.isfinite(integrals))


def _cross_fitted(
    fit: Callable[[NDArray[np.bool_], NDArray[np.bool_]], Fitted],
    truth: NDArray[np.float64],
    fold: NDArray[np.int64],
    *,
    usable: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    if truth.shape != fold.shape:
        raise InputUnusableError("scores_invalid", f"{truth.size} yields and {fold.size} folds, expected one each")
    usable = np.isfinite(truth) & (True if usable is None else usable)
    answers = np.full((truth.size, len(QUANTILE_LEVELS)), np.nan)
    for one in np.unique(fold):
        held, rest = usable & (fold == one), usable & (fold != one)
        if rest.sum() < ROWS_MIN or not held.any():
            continue
        inside, outside = fit(rest, held)
        spread = np.quantile(truth[rest] - inside, QUANTILE_LEVELS)
        spread[QUANTILE_LEVELS.index(0.50)] = 0.0  # the middle is the baseline's own answer, a mean
        answers[held] = np.maximum(np.maximum.accumulate(outside[:, None] + np.sort(spread), axis=1), 0.0)
    return answers
