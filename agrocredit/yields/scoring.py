"""How good estimates were: error of the middle, coverage and width of the intervals, and what was left unanswered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.estimate import QUANTILE_LEVELS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_Q05, _Q10, _Q50, _Q90, _Q95 = (QUANTILE_LEVELS.index(level) for level in (0.05, 0.10, 0.50, 0.90, 0.95))

Scores = dict[str, float | int | None]


def score(truth_t_ha: NDArray[np.float64], quantiles_t_ha: NDArray[np.float64]) -> Scores:
    """Return the scores of one set of estimates; rows whose quantiles are NaN count as abstained and nowhere else.

    Parameters
    ----------
    truth_t_ha : ndarray, shape (n,)
        Measured yields, t/ha.
    quantiles_t_ha : ndarray, shape (n, 7)
        Estimates at `agrocredit.domain.estimate.QUANTILE_LEVELS`, t/ha.

    Returns
    -------
    dict
        ``n`` answered rows, ``rmse_t_ha``, ``nrmse`` (over the mean truth), ``r2`` (1 - SSE / SST around the mean of
        the same rows: below 0 means worse than that mean), ``pinball`` (mean over levels, t/ha), ``pinball10`` (of the
        10 % quantile alone, near which loans are set), ``coverage90``, ``width90_t_ha``, ``coverage80``, ``abstained``.
        None where nothing can be said.
    """
    if quantiles_t_ha.shape != (truth_t_ha.size, len(QUANTILE_LEVELS)):
        msg = f"{truth_t_ha.size} yields and estimates of shape {quantiles_t_ha.shape}, expected (n, 7)"
        raise InputUnusableError("scores_invalid", msg)
    answered = np.isfinite(quantiles_t_ha).all(axis=1) & np.isfinite(truth_t_ha)
    abstained = int((~np.isfinite(quantiles_t_ha).all(axis=1)).sum())
    truth, quantiles = truth_t_ha[answered], quantiles_t_ha[answered]
    if truth.size == 0:
        names = ("rmse_t_ha", "nrmse", "r2", "pinball", "pinball10", "coverage90", "width90_t_ha", "coverage80")
        return {"n": 0, **dict.fromkeys(names), "abstained": abstained}
    rmse = float(np.sqrt(np.mean((truth - quantiles[:, _Q50]) ** 2)))
    return {
        "n": int(truth.size),
        "rmse_t_ha": rmse,
        "nrmse": rmse / float(truth.mean()) if truth.mean() > 0 else None,
        "r2": _r2(truth, quantiles[:, _Q50]),
        "pinball": pinball(truth, quantiles),
        "pinball10": pinball(truth, quantiles, levels=(_Q10,)),
        "coverage90": _coverage(truth, quantiles[:, _Q05], quantiles[:, _Q95]),
        "width90_t_ha": float(np.mean(quantiles[:, _Q95] - quantiles[:, _Q05])),
        "coverage80": _coverage(truth, quantiles[:, _Q10], quantiles[:, _Q90]),
        "abstained": abstained,
    }


def score_by(
    keys: NDArray[np.object_] | NDArray[np.int64],
    truth_t_ha: NDArray[np.float64],
    quantiles_t_ha: NDArray[np.float64],
) -> dict[str, Scores]:
    """Return `score` for every key, keys in order.

    Parameters
    ----------
    keys : ndarray, shape (n,)
        Year, region, crop or any other grouping.
    truth_t_ha, quantiles_t_ha : ndarray
        As for `score`.
    """
    return {
        str(key): score(truth_t_ha[keys == key], quantiles_t_ha[keys == key])
        for key in sorted(set(keys.tolist()), key=str)
    }


def pinball(
    truth: NDArray[np.float64],
    quantiles: NDArray[np.float64],
    *,
    levels: tuple[int, ...] = tuple(range(len(QUANTILE_LEVELS))),
) -> float:
    """Return the mean pinball loss over rows and levels, in the unit of the truth.

    Parameters
    ----------
    truth : ndarray, shape (n,)
    quantiles : ndarray, shape (n, 7)
    levels : tuple of int
        Places of the levels that count; all by default.
    """
    shares = np.array(QUANTILE_LEVELS)[list(levels)]
    error = truth[:, None] - quantiles[:, list(levels)]
    return float(np.mean(np.maximum(shares * error, (shares - 1.0) * error)))


def rounded(scores: Mapping[str, object], digits: int = 4) -> dict[str, object]:
    """Return nested scores with their floats rounded, as they stand in files.

    Parameters
    ----------
    scores : mapping
        As nested as it likes.
    digits : int
        Digits after the point.
    """
    return {key: _rounded(value, digits) for key, value in scores.items()}


def _rounded(value: object, digits: int) -> object:
    if isinstance(value, dict):
        return rounded(value, digits)
    return round(value, digits) if isinstance(value, float) else value


def _coverage(truth: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> float:
    return float(np.mean((truth >= low) & (truth <= high)))


def _r2(truth: NDArray[np.float64], middle: NDArray[np.float64]) -> float | None:
    total = float(np.sum((truth - truth.mean()) ** 2))
    return None if truth.size < 2 or total == 0 else 1.0 - float(np.sum((truth - middle) ** 2)) / total
