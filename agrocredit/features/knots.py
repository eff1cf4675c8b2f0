"""A smooth curve through looks on any days, by the Whittaker penalty on evenly spaced knots.

Looks rarely fall on a regular grid, and moving them to the nearest grid day would shift a season by days. Here the
curve is piecewise linear between knots and is compared with each look on its true day: penalised splines of degree 1
(Eilers & Marx 1996, doi:10.1214/ss/1038425655). With a look on every knot this *is* the Whittaker smoother; the
equations keep five diagonals, and `lanes` solves them. A little tension, a penalty on slope beside the
one on bending (Schweikert 1966, doi:10.1002/sapm1966451312), keeps the curve from swinging over in long gaps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agrocredit.features.lanes import STEPS_MIN, draw

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
    draw(
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
