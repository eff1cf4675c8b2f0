"""How far each step of a season is from a clear look, how long its gap is, and how much was seen around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.features.jit import entry

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]
    Singles = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """What the steps of a season rest on; all (plot, step)."""

    gap_days: Singles
    """Days to the nearest look; NaN without any look or where the step has no date."""
    gap_length_days: Singles
    """Days between the looks before and after; infinite before the first and after the last look."""
    seen: Singles
    """Weight of evidence, 0 to 1: sum of look weights falling to 0 at `evidence_days`, at most 1."""


def measure_gaps(weights: Doubles, days: Doubles, step_days: Doubles, *, evidence_days: float) -> Gaps:
    """Return gaps and evidence at every step.

    Parameters
    ----------
    weights : float64 array (plot, time)
        Trust in each look, 0 for none.
    days : float64 array (time,)
        Days since season start, rising.
    step_days : float64 array (plot, step)
        Where the steps stand, days since season start; NaN where a step has no date.
    evidence_days : float
        Reach of a look, days.
    """
    shape = step_days.shape
    gaps = Gaps(
        gap_days=np.full(shape, np.nan, np.float32),
        gap_length_days=np.full(shape, np.nan, np.float32),
        seen=np.zeros(shape, np.float32),
    )
    _measure(weights, days, step_days, float(evidence_days), gaps.gap_days, gaps.gap_length_days, gaps.seen)
    return gaps


@entry
def _measure(
    weights: Doubles,
    days: Doubles,
    step_days: Doubles,
    evidence_days: float,
    distance: Singles,
    length: Singles,
    seen: Singles,
) -> None:
    """Fill the three arrays (plot, step)."""
    plots, steps = step_days.shape
    for p in range(plots):
        for k in range(steps):
            here = step_days[p, k]
            if np.isnan(here):
                continue
            before, after, evidence = np.inf, np.inf, 0.0
            for t in range(days.size):
                if weights[p, t] > 0:
                    away = days[t] - here
                    if away <= 0:
                        before = -away
                    if away >= 0:
                        after = min(after, away)
                    evidence += weights[p, t] * max(0.0, 1.0 - abs(away) / evidence_days)
            nearest = min(before, after)
            if np.isfinite(nearest):
                distance[p, k] = nearest
                length[p, k] = before + after
            seen[p, k] = min(1.0, evidence)
