"""Weighted Whittaker smoothing of many series at once.

Minimises ``sum w (y - z)^2 + penalty * sum (z[i-1] - 2 z[i] + z[i+1])^2`` over z (Eilers 2003, *A Perfect Smoother*,
Analytical Chemistry 75, doi:10.1021/ac034173t). `lanes` solves the equations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agrocredit.domain.errors import WrongUsageError
from agrocredit.features.lanes import STEPS_MIN, smooth_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]

SERIES_AT_ONCE = 2048
"""Brought to float64 together: some hundred kilobytes, so that they stay in the processor's cache."""


def whittaker_smooth(values: Floats, weights: Floats, *, penalty: float) -> Floats:
    """Return every series smoothed, gaps filled, in the dtype of `values`.

    Parameters
    ----------
    values : float array (series, step)
        Equal steps; NaN or infinite where nothing is known.
    weights : float array (series, step) or (step,)
        Trust in each value, 0 for a gap, dimensionless. Values that are not finite count as gaps.
    penalty : float
        Weight of squared second differences, above 0, for steps of length 1. Steps of h days that shall bend like a
        penalty of p day3 on the curve's squared second derivative take ``p / h**3``.

    Returns
    -------
    float array (series, step)
        In the unit of `values`. NaN throughout for a series with fewer than two weighted steps, which no line fits.

    Raises
    ------
    WrongUsageError
        ``smoothing_invalid`` for a wrong shape, a penalty that is not above 0, or a negative weight.
    """
    _check(values, weights, penalty)
    out = np.empty(values.shape, np.result_type(values.dtype, np.float32))
    trust = np.broadcast_to(weights, values.shape)
    for first in range(0, values.shape[0], SERIES_AT_ONCE):
        rows = slice(first, first + SERIES_AT_ONCE)
        known = np.array(values[rows], np.float64, order="C")
        smooth = np.empty_like(known)
        smooth_rows(known, np.array(trust[rows], np.float64, order="C"), float(penalty), smooth)
        out[rows] = smooth
    return out


def _check(values: Floats, weights: Floats, penalty: float) -> None:
    if values.ndim != 2 or values.shape[1] < STEPS_MIN:
        raise WrongUsageError(
            "smoothing_invalid", f"values of shape {values.shape}, expected (series, {STEPS_MIN} steps or more)"
        )
    if weights.shape not in {values.shape, values.shape[1:]}:
        raise WrongUsageError("smoothing_invalid", f"weights of shape {weights.shape}, values {values.shape}")
    if not 0 < penalty < np.inf:
        raise WrongUsageError("smoothing_invalid", f"penalty {penalty}, expected above 0 and finite")
    if not np.all((weights >= 0) & (weights < np.inf)):
        raise WrongUsageError("smoothing_invalid", "a weight is negative or not finite, expected 0 or more")
