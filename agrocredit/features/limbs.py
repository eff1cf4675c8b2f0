"""The rising and the falling limb of one season's curve: peak, feet, crossings, slopes and areas.

All but `measure_all` works on one curve without gaps: `days` rise, `curve` is finite, both (point,).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agrocredit.features.jit import entry, inner

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]

COLUMNS = (
    "base",
    "peak",
    "amplitude",
    "start_day",
    "half_rise_day",
    "peak_day",
    "half_fall_day",
    "end_day",
    "length_days",
    "rise_per_day",
    "fall_per_day",
    "integral_index_days",
    "integral_above_base_index_days",
    "complete",
)
POINTS_MIN = 3
"""A peak needs a point on either side."""


@entry
def measure_all(days: Doubles, curves: Doubles, shares: Doubles, out: Doubles) -> None:
    """Fill `out` (plot, measure) from `curves` (plot, step), leaving out steps without value."""
    for p in range(curves.shape[0]):
        known = np.isfinite(curves[p]) & np.isfinite(days)
        if known.sum() >= POINTS_MIN:
            _measure(days[known], curves[p][known], shares, out[p])


@inner
def _measure(days: Doubles, curve: Doubles, shares: Doubles, out: Doubles) -> None:
    """Fill the measures of one curve without gaps, in the order of `COLUMNS`."""
    start_share, slope_share, complete_share, fall_min = shares
    top = int(np.argmax(curve))
    peak_day, peak = summit(days, curve, top)
    foot_left, foot_right = curve[: top + 1].min(), curve[top:].min()
    rise, fall = peak - foot_left, peak - foot_right
    base = foot_left if top > 0 else foot_right
    complete = fall >= max(complete_share * rise, fall_min)
    start = rise_day(days, curve, top, foot_left + start_share * rise)
    steep = rise_day(days, curve, top, foot_left + slope_share * rise)
    out[0], out[1], out[2] = base, peak, peak - base
    out[3] = start
    out[4] = rise_day(days, curve, top, foot_left + 0.5 * rise)
    out[5] = peak_day
    if complete:
        end = fall_day(days, curve, top, foot_right + start_share * fall)
        out[6] = fall_day(days, curve, top, foot_right + 0.5 * fall)
        out[7], out[8] = end, end - start
        steep_end = fall_day(days, curve, top, foot_right + slope_share * fall)
        out[10] = (slope_share - start_share) * fall / (end - steep_end)
    if steep > start:
        out[9] = (slope_share - start_share) * rise / (steep - start)
    out[11], out[12] = area_above(days, curve, 0.0), area_above(days, curve, base)
    out[13] = 1.0 if complete else 0.0


@inner
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


@inner
def rise_day(days: Doubles, curve: Doubles, top: int, level: float) -> float:
    """Return the last day before `top` on which the curve climbs through `level`, NaN if it never does."""
    for i in range(top, 0, -1):
        if curve[i - 1] < level <= curve[i]:
            return float(days[i - 1] + (level - curve[i - 1]) / (curve[i] - curve[i - 1]) * (days[i] - days[i - 1]))
    return np.nan


@inner
def fall_day(days: Doubles, curve: Doubles, top: int, level: float) -> float:
    """Return the first day after `top` on which the curve sinks through `level`, NaN if it never does."""
    for i in range(top, curve.size - 1):
        if curve[i] > level >= curve[i + 1]:
            return float(days[i] + (curve[i] - level) / (curve[i] - curve[i + 1]) * (days[i + 1] - days[i]))
    return np.nan


@inner
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
