"""Less weight for looks that haze, thin cloud or its shadow left in after masking.

A canopy that loses a fifth of its greenness does not have it back within three weeks; a look through haze does. So a
look is judged by how far its guide index (NDVI) lies under the best of its nearest looks *on both sides*: the idea of
best index slope extraction (Viovy, Arino & Belward 1992, doi:10.1080/01431169208904212), used here to weigh looks
instead of deleting them. A curve that only rises, only falls, or rises and falls once is never touched, and neither
is the first or the last look, so harvest keeps its day; a meadow's slow return after mowing costs a look little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agrocredit.features.jit import entry, inner

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agrocredit.features.settings import Smoothing

    Doubles = NDArray[np.float64]

NEIGHBOURS = 2
"""Looks asked on each side: one would miss two hazy looks in a row, many would take noise for a summit."""


def dip_trust(guide: Doubles, weights: Doubles, days: Doubles, *, smoothing: Smoothing) -> Doubles:
    """Return a factor from 0 to 1 for every look: 1 for clear, 0 for a drop of `dip_depth_full` or more.

    Parameters
    ----------
    guide : float64 array (plot, time)
        The index that cloud lowers, NDVI; dimensionless, NaN where unknown.
    weights : float64 array (plot, time)
        Share of the plot seen clear, 0 for no look.
    days : float64 array (time,)
        Days since season start, rising.
    smoothing : Smoothing
        `dip_window_days`, `dip_tolerance`, `dip_depth_full`.

    Returns
    -------
    float64 array (plot, time)
        ``(1 - u**2)**2``, the bisquare of Tukey, with u running from 0 at the tolerance to 1 at the full depth.
    """
    depth = np.zeros(guide.shape)
    _dip_depths(guide, weights, days, float(smoothing.dip_window_days), depth)
    span = smoothing.dip_depth_full - smoothing.dip_tolerance
    excess = np.clip((depth - smoothing.dip_tolerance) / span, 0.0, 1.0)
    return np.square(1.0 - np.square(excess))


@entry
def _dip_depths(guide: Doubles, weights: Doubles, days: Doubles, window_days: float, depth: Doubles) -> None:
    """Fill `depth` with how far each look lies under the lower of its two sides, 0 where a side is empty."""
    plots, times = guide.shape
    for p in range(plots):
        for t in range(times):
            if weights[p, t] > 0 and np.isfinite(guide[p, t]):
                before = _best_beside(guide[p], weights[p], days, t, -1, window_days)
                after = _best_beside(guide[p], weights[p], days, t, 1, window_days)
                depth[p, t] = max(0.0, min(before, after) - guide[p, t])


@inner
def _best_beside(guide: Doubles, weights: Doubles, days: Doubles, t: int, way: int, window_days: float) -> float:
    """Return the highest guide value of the nearest looks on one side, minus infinity if the window has none."""
    best, found, i = -np.inf, 0, t + way
    while 0 <= i < days.size and found < NEIGHBOURS and abs(days[i] - days[t]) <= window_days:
        if weights[i] > 0 and np.isfinite(guide[i]):
            best = max(best, guide[i])
            found += 1
        i += way
    return best
