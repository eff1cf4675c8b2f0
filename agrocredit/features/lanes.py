"""The compiled core of smoothing: five-diagonal systems for many series side by side.

`LANES` series stand in columns, and every step of the recursion runs over all of them, so that the processor works on
several series with one instruction. Each column is computed by itself: neighbours, and the empty columns of the last
batch, change nothing. The system is solved as L D L', without pivoting because it is positive definite as soon as two
places carry weight. Arithmetic is float64 throughout; half the width would be faster, but was measured to lose the
fourth decimal on series with long gaps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agrocredit.features.jit import entry, inner

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]
    Singles = NDArray[np.float32]

LANES = 32
STEPS_MIN = 3
"""Second differences need three steps."""


@entry
def smooth_rows(values: Doubles, weights: Doubles, penalty: float, out: Doubles) -> None:
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


@entry
def draw(
    values: Doubles,
    weights: Doubles,
    at: Doubles,
    read_at: Doubles,
    knots: int,
    stiffness: tuple[float, float],
    hold: float,
    out: Singles,
) -> None:
    """Fill `out`; positions `at` and `read_at` and `hold` count knots; `stiffness` is penalty and tension."""
    plots, _, channels = values.shape
    diagonal = np.empty((knots, LANES))
    beside = np.empty((knots, LANES))
    z = np.empty((knots, LANES))
    reach = np.empty((2, LANES))
    for first in range(0, plots * channels, LANES):
        lanes = min(LANES, plots * channels - first)
        diagonal[:] = 0.0
        beside[:] = 0.0
        z[:] = 0.0
        diagonal[:, lanes:] = 1.0
        for a in range(lanes):
            p, c = divmod(first + a, channels)
            _gather(values[p, :, c], weights[p], at, a, diagonal, beside, z, reach)
        solve_lanes(diagonal, beside, z, stiffness[0], stiffness[1])
        for a in range(lanes):
            p, c = divmod(first + a, channels)
            _read(z, a, read_at[p], reach[0, a], reach[1, a], hold, out[p, :, c])


@inner
def _gather(
    series: Doubles,
    weights: Doubles,
    at: Doubles,
    a: int,
    diagonal: Doubles,
    beside: Doubles,
    z: Doubles,
    reach: Doubles,
) -> None:
    """Add one series' looks to lane `a`, and note the first and last position seen (`reach`)."""
    reach[0, a] = np.inf
    reach[1, a] = -np.inf
    last = z.shape[0] - 2
    for t in range(at.size):
        weight, value = weights[t], series[t]
        if weight > 0 and np.isfinite(value):
            k = min(int(at[t]), last)
            right = at[t] - k
            left = 1.0 - right
            diagonal[k, a] += weight * left * left
            diagonal[k + 1, a] += weight * right * right
            beside[k, a] += weight * left * right
            z[k, a] += weight * left * value
            z[k + 1, a] += weight * right * value
            reach[0, a] = min(reach[0, a], at[t])
            reach[1, a] = max(reach[1, a], at[t])


@inner
def _read(z: Doubles, a: int, read_at: Doubles, first: float, last: float, hold: float, out: Singles) -> None:
    """Read lane `a` at positions; the nearest look's value is held over at most `hold` knots outside the looks."""
    for s in range(read_at.size):
        out[s] = np.nan
        # Two different days make a line; the comparison is False for NaN positions and for series without looks.
        if first < last and first - hold <= read_at[s] <= last + hold:
            position = min(max(read_at[s], first), last)
            k = min(int(position), z.shape[0] - 2)
            right = position - k
            out[s] = (1.0 - right) * z[k, a] + right * z[k + 1, a]


@inner
def solve_lanes(diagonal: Doubles, beside: Doubles, z: Doubles, penalty: float, tension: float) -> None:
    """Solve ``(A + penalty D'D + tension E'E) z = z`` in place for every lane; D takes second, E first differences.

    All arrays are (step, lane). A has `diagonal` and beside it `beside`, where ``beside[i]`` joins steps i and i + 1;
    both are overwritten. Columns that are singular come back without meaning; the caller knows which, by counting
    weighted steps.
    """
    steps = z.shape[0]
    below = np.empty((steps, LANES))
    for i in range(steps):
        _eliminate(diagonal, beside, below, z, penalty, tension, i)
    last = steps - 1
    for a in range(LANES):
        z[last, a] *= diagonal[last, a]
        z[last - 1, a] = z[last - 1, a] * diagonal[last - 1, a] - beside[last - 1, a] * z[last, a]
    for i in range(last - 2, -1, -1):
        for a in range(LANES):
            z[i, a] = (z[i, a] - penalty * z[i + 2, a]) * diagonal[i, a] - beside[i, a] * z[i + 1, a]


@inner
def _eliminate(
    diagonal: Doubles, beside: Doubles, below: Doubles, z: Doubles, penalty: float, tension: float, i: int
) -> None:
    """Leave row i of the elimination in place, for all lanes.

    `diagonal` becomes one over the pivot (one division a row is most of the cost), `below` the entry under it, and
    `beside` their product, the entry of L. Two rows below, every row but the last two has `penalty`.
    """
    last = diagonal.shape[0] - 1
    # Row i of D'D and E'E, for any length from three: the differences that touch step i, and both i and its next.
    bends = (1.0 if i <= last - 2 else 0.0) + (4.0 if 1 <= i <= last - 1 else 0.0) + (1.0 if i >= 2 else 0.0)
    own = penalty * bends + tension * (2.0 if 1 <= i <= last - 1 else 1.0)
    shared = (-2.0 if i <= last - 2 else 0.0) + (-2.0 if 1 <= i <= last - 1 else 0.0)
    next_to = penalty * shared - (tension if i <= last - 1 else 0.0)
    for a in range(LANES):
        pivot = diagonal[i, a] + own
        under = beside[i, a] + next_to
        if i >= 1:
            pivot -= beside[i - 1, a] * below[i - 1, a]
            z[i, a] -= beside[i - 1, a] * z[i - 1, a]
        if 1 <= i <= last - 1:
            under -= beside[i - 1, a] * penalty
        if i >= 2:
            far = penalty * diagonal[i - 2, a]
            pivot -= far * penalty
            z[i, a] -= far * z[i - 2, a]
        diagonal[i, a] = 1.0 / pivot
        below[i, a] = under
        beside[i, a] = under * diagonal[i, a]
