"""The rising and the falling limb of one season's curve: peak, feet, crossings, slopes and areas.

Everything here works on one curve without gaps: `days` rise, `curve` is finite, both (point,).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agrocredit.features.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]


@compiled
def summit(days: Doubles, curve: Doubles, top: int) -> tuple[float, float]:
    """Return day and value at the vertex of the parabola through the highest point `top` and its two neighbours."""
    if top == 0 or top == curve.size - 1:
        return days[top], curve[top]
    before, after = days[top - 1] - days[top], days[top + 1] - days[top]
    slope_before = (curve[top - 1] - curve[top]) / before
    slope_after = (curve[top + 1] - curve[top]) / after
    bend = (slope_after - slope_before) / (after - before)
    if not bend < 0:
        return days[top], curve[top]
    slope = slope_before - bend * before
    away = -slope / (2 * bend)
    return days[top] + away, curve[top] + slope * away + bend * away * away


@compiled
def rise_day(days: Doubles, curve: Doubles, top: int, level: float) -> float:
    """Return the last day before `top` on which the curve climbs through `level`, NaN if it never does."""
    for i in range(top, 0, -1):
        if curve[i - 1] < level <= curve[i]:
            return float(days[i - 1] + (level - curve[i - 1]) / (curve[i] - curve[i - 1]) * (days[i] - days[i - 1]))
    return np.nan


@compiled
def fall_day(days: Doubles, curve: Doubles, top: int, level: float) -> float:
    """Return the first day after `top` on which the curve sinks through `level`, NaN if it never does."""
    for i in range(top, curve.size - 1):
        if curve[i] > level >= curve[i + 1]:
            return float(days[i] + (curve[i] - level) / (curve[i] - curve[i + 1]) * (days[i + 1] - days[i]))
    return np.nan


@compiled
def area_above(days: Doubles, curve: Doubles, level: float) -> float:
    """Return the area between the straight-line curve and `level` where the curve is higher, index-days."""
    area = 0.0
    for i in range(curve.size - 1):
        left, right = curve[i] - level, curve[i + 1] - level
        width = days[i + 1] - days[i]
        if left >= 0 and right >= 0:
            area += width * (left + right) / 2
        elif left > 0 or right > 0:
            high = max(left, right)
            area += width * high * high / (high - min(left, right)) / 2
    return area
