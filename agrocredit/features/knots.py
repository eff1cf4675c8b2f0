"""A smooth curve through looks on any days, by the Whittaker penalty on evenly spaced knots.

Looks rarely fall on a regular grid, and moving them to the nearest grid day would shift a season by days. Here the
curve is piecewise linear between knots and is compared with each look on its true day: penalised splines of degree 1
(Eilers & Marx 1996, doi:10.1214/ss/1038425655). With a look on every knot this *is* the Whittaker smoother; the
equations keep five diagonals, and `smoothing.solve_lanes` solves them. A little tension, a penalty on slope beside the
one on bending (Schweikert 1966, doi:10.1002/sapm1966451312), keeps the curve from swinging over in long gaps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agrocredit.features.compiled import compiled
from agrocredit.features.smoothing import LANES, STEPS_MIN, solve_lanes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agrocredit.features.settings import Smoothing

    Doubles = NDArray[np.float64]
    Singles = NDArray[np.float32]


def draw_curves(
    values: Doubles, weights: Doubles, days: Doubles, step_days: Doubles, *, length_days: float, smoothing: Smoothing
) -> Singles:
    """Return the curve of every plot and channel at its steps.

    Parameters
    ----------
    values : float64 array (plot, time, channel)
        Index values, NaN where unknown.
    weights : float64 array (plot, time)
        Trust in each look, 0 for none.
    days : float64 array (time,)
        Days since season start, each in 0 .. `length_days`.
    step_days : float64 array (plot, step)
        Where to read the curve; NaN gives NaN.
    length_days : float
        Length of the season; fixes the knots, so that a plot's curve never depends on other plots.
    smoothing : Smoothing
        `penalty_day3`, `tension_day`, `knot_days`, `hold_days_max`.

    Returns
    -------
    float32 array (plot, step, channel)
        In the unit of `values`; NaN with fewer than two looks, and further than `hold_days_max` outside them.
    """
    knots = max(STEPS_MIN, int(np.ceil(length_days / smoothing.knot_days)) + 1)
    out = np.empty((*step_days.shape, values.shape[2]), np.float32)
    _draw(
        values,
        weights,
        days / smoothing.knot_days,
        step_days / smoothing.knot_days,
        knots,
        (smoothing.penalty_day3 / smoothing.knot_days**3, smoothing.tension_day / smoothing.knot_days),
        smoothing.hold_days_max / smoothing.knot_days,
        out,
    )
    return out


@compiled
def _draw(
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


@compiled
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


@compiled
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
