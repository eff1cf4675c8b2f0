"""Weighted Whittaker smoothing of many series at once.

Minimises ``sum w (y - z)^2 + penalty * sum (z[i-1] - 2 z[i] + z[i+1])^2`` over z (Eilers 2003, *A Perfect Smoother*,
Analytical Chemistry 75, doi:10.1021/ac034173t). The equations are symmetric with five diagonals and are solved as
L D L', without pivoting because the matrix is positive definite as soon as two steps carry weight.

Strategy: `LANES` series stand side by side in columns, and every step of the recursion runs over all of them, so the
processor works on several series with one instruction. Each column is computed by itself: neighbours, and the empty
columns of the last batch, change nothing. Arithmetic is float64 throughout; half the width would be twice as fast but
loses the last digits where long gaps meet strong smoothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agrocredit.domain.errors import WrongUsageError
from agrocredit.features.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]
    Doubles = NDArray[np.float64]

LANES = 32
STEPS_MIN = 3
"""Second differences need three steps."""


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
    dtype = np.result_type(values.dtype, np.float32)
    out = np.empty(values.shape, dtype)
    trust = np.broadcast_to(weights, values.shape)
    _smooth_rows(np.ascontiguousarray(values, dtype), np.ascontiguousarray(trust, np.float64), float(penalty), out)
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


@compiled
def _smooth_rows(values: Floats, weights: Doubles, penalty: float, out: Floats) -> None:
    """Fill `out` (series, step), `LANES` series at a time."""
    count, steps = values.shape
    diagonal = np.empty((steps, LANES))
    beside = np.zeros((steps, LANES))
    z = np.empty((steps, LANES))
    seen = np.empty(LANES, np.int64)
    for first in range(0, count, LANES):
        lanes = min(LANES, count - first)
        # Empty columns get weight 1 and value 0, so that they solve too and cannot trap.
        diagonal[:] = 1.0
        beside[:] = 0.0
        z[:] = 0.0
        for a in range(lanes):
            seen[a] = 0
            for i in range(steps):
                weight = weights[first + a, i]
                known = weight > 0 and np.isfinite(values[first + a, i])
                diagonal[i, a] = weight if known else 0.0
                z[i, a] = weight * values[first + a, i] if known else 0.0
                seen[a] += known
        solve_lanes(diagonal, beside, z, penalty, 0.0)
        for a in range(lanes):
            for i in range(steps):
                out[first + a, i] = z[i, a] if seen[a] >= 2 else np.nan


@compiled
def solve_lanes(diagonal: Doubles, beside: Doubles, z: Doubles, penalty: float, tension: float) -> None:
    """Solve ``(A + penalty D'D + tension E'E) z = z`` in place for every lane; D takes second, E first differences.

    All arrays are (step, lane). A has `diagonal` and beside it `beside`, where ``beside[i]`` joins steps i and i + 1;
    both are overwritten. Columns that are singular come back without meaning; the caller knows which, by counting
    weighted steps.
    """
    steps = z.shape[0]
    far = np.empty((steps, LANES))
    for i in range(steps):
        _eliminate(diagonal, beside, far, z, penalty, tension, i)
    last = steps - 1
    for a in range(LANES):
        z[last, a] = z[last, a] / diagonal[last, a]
        z[last - 1, a] = z[last - 1, a] / diagonal[last - 1, a] - beside[last - 1, a] * z[last, a]
    for i in range(last - 2, -1, -1):
        for a in range(LANES):
            z[i, a] = z[i, a] / diagonal[i, a] - beside[i, a] * z[i + 1, a] - far[i, a] * z[i + 2, a]


@compiled
def _eliminate(
    diagonal: Doubles, beside: Doubles, far: Doubles, z: Doubles, penalty: float, tension: float, i: int
) -> None:
    """Turn row i into its pivot (`diagonal`) and the two entries of L below it (`beside`, `far`), for all lanes."""
    last = diagonal.shape[0] - 1
    # Row i of D'D and E'E, for any length from three: the differences that touch step i, and both i and its next.
    own = (1.0 if i <= last - 2 else 0.0) + (4.0 if 1 <= i <= last - 1 else 0.0) + (1.0 if i >= 2 else 0.0)
    next_to = (-2.0 if i <= last - 2 else 0.0) + (-2.0 if 1 <= i <= last - 1 else 0.0)
    skip = penalty if i <= last - 2 else 0.0
    own = penalty * own + tension * (2.0 if 1 <= i <= last - 1 else 1.0)
    next_to = penalty * next_to - (tension if i <= last - 1 else 0.0)
    for a in range(LANES):
        pivot = diagonal[i, a] + own
        below = beside[i, a] + next_to
        if i >= 1:
            pivot -= beside[i - 1, a] * beside[i - 1, a] * diagonal[i - 1, a]
            below -= beside[i - 1, a] * far[i - 1, a] * diagonal[i - 1, a]
            z[i, a] -= beside[i - 1, a] * z[i - 1, a]
        if i >= 2:
            pivot -= far[i - 2, a] * far[i - 2, a] * diagonal[i - 2, a]
            z[i, a] -= far[i - 2, a] * z[i - 2, a]
        diagonal[i, a] = pivot
        beside[i, a] = below / pivot
        far[i, a] = skip / pivot
