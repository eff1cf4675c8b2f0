"""Index curves as small drawings: every look a tick, clear looks as dots, times without a clear look shaded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.report.display import MONTHS, day
from agrocredit.report.looks import Gap, Looks, date_of, gaps, number_of
from agrocredit.report.svg import element

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markupsafe import Markup

WIDTH, HEIGHT = 420, 196
LEFT, RIGHT, TOP, BOTTOM = 30, 410, 10, 158
"""The panel inside the drawing, in drawing units."""
VALUE_MIN, VALUE_MAX = -0.2, 1.0
"""Range of the value axis; values beyond it are drawn at the edge as triangles, with the true value in the title."""
VALUES_LABELLED = (0.0, 0.5, 1.0)
MONTH_LABELS_MAX = 9
GAP_LABEL_UNITS = 26
"""A narrower gap has no room for its label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The axes that all curves of a page share."""

    window: tuple[int, int]
    """First and last day, as days since 1970-01-01."""
    index: str
    clear_fraction_min: float
    gap_days_min: int
    as_of: int | None
    """Day of knowledge; drawn where it lies inside the window."""

    def x(self, day_number: float) -> float:
        """Return where a day lies."""
        first, last = self.window
        return LEFT + (RIGHT - LEFT) * (day_number - first) / max(last - first, 1)

    def y(self, value: float) -> float:
        """Return where a value lies, at the edge where it is beyond the axis."""
        inside = min(max(value, VALUE_MIN), VALUE_MAX)
        return BOTTOM - (BOTTOM - TOP) * (inside - VALUE_MIN) / (VALUE_MAX - VALUE_MIN)

    def gaps(self, looks: Looks) -> tuple[Gap, ...]:
        """Return the gaps that are shaded."""
        return gaps(
            looks, window=self.window, clear_fraction_min=self.clear_fraction_min, gap_days_min=self.gap_days_min
        )


def draw_curve(looks: Looks, *, frame: Frame, label: str) -> Markup:
    """Return the drawing of one plot's looks.

    Parameters
    ----------
    looks : Looks
    frame : Frame
        The shared axes.
    label : str
        What a screen reader says.
    """
    return element(
        "svg",
        *_axes(frame),
        element("g", *(_gap(gap, frame) for gap in frame.gaps(looks)), class_="gaps"),
        *_day_of_knowledge(frame),
        element("g", *_line(looks, frame), class_="line"),
        element("g", *_ticks(looks, frame), class_="looks"),
        element("g", *_dots(looks, frame), class_="dots"),
        class_="curve",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=label,
    )


def empty_curve(frame: Frame) -> Markup:
    """Return the axes alone, into which the page's script draws the plot that a reader picks."""
    gaps, *groups = (element("g", class_=name) for name in ("gaps", "line", "looks", "dots"))
    return element(
        "svg",
        *_axes(frame),
        gaps,
        *_day_of_knowledge(frame),
        *groups,
        id="card-curve",
        class_="curve",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
    )


def _axes(frame: Frame) -> Iterator[Markup]:
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = frame.y(value)
        yield element("line", class_="grid", x1=LEFT, x2=RIGHT, y1=y, y2=y)
        if value in VALUES_LABELLED:
            yield element("text", f"{value:g}", class_="axis end", x=LEFT - 5, y=y + 3.5)
    yield from _months(frame)


def _day_of_knowledge(frame: Frame) -> Iterator[Markup]:
    """Yield the line that no gap may hide."""
    if frame.as_of is not None and frame.window[0] <= frame.as_of <= frame.window[1]:
        x = frame.x(frame.as_of)
        yield element(
            "line",
            element("title", f"as of {day(date_of(frame.as_of))}"),
            class_="as-of",
            x1=x,
            x2=x,
            y1=TOP,
            y2=BOTTOM,
        )


def _months(frame: Frame) -> Iterator[Markup]:
    firsts = list(_month_firsts(frame.window))
    every = math.ceil(len(firsts) / MONTH_LABELS_MAX) if firsts else 1
    for number, first in enumerate(firsts):
        x = frame.x(number_of(first))
        yield element("line", class_="month", x1=x, x2=x, y1=BOTTOM, y2=BOTTOM + 9)
        if number % every == 0:
            yield element("text", MONTHS[first.month - 1], class_="axis", x=x + 2, y=BOTTOM + 20)
            if number == 0 or first.month <= every:
                yield element("text", str(first.year), class_="axis", x=x + 2, y=BOTTOM + 33)


def _month_firsts(window: tuple[int, int]) -> Iterator[date]:
    first, last = date_of(window[0]), date_of(window[1])
    for months in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        on = date(months // 12, months % 12 + 1, 1)
        if first <= on <= last:
            yield on


def _gap(gap: Gap, frame: Frame) -> Markup:
    left, right = frame.x(gap.first_day), frame.x(gap.last_day)
    words = f"no clear look for {gap.length_days} days, {day(date_of(gap.first_day))} to {day(date_of(gap.last_day))}"
    shade = element("rect", element("title", words), x=left, y=TOP, width=right - left, height=BOTTOM - TOP)
    if right - left < GAP_LABEL_UNITS:
        return shade
    return shade + element("text", f"{gap.length_days} d", x=(left + right) / 2, y=TOP + 11)


def _line(looks: Looks, frame: Frame) -> Iterator[Markup]:
    """Yield a line from clear look to clear look; dashed over a gap, where nobody knows."""
    clear = np.flatnonzero(looks.clear(frame.clear_fraction_min)).tolist()
    for one, other in pairwise(clear):
        yield element(
            "line",
            class_="unknown" if looks.days[other] - looks.days[one] >= frame.gap_days_min else None,
            x1=frame.x(looks.days[one]),
            y1=frame.y(looks.values[one]),
            x2=frame.x(looks.days[other]),
            y2=frame.y(looks.values[other]),
        )


def _ticks(looks: Looks, frame: Frame) -> Iterator[Markup]:
    clear = looks.clear(frame.clear_fraction_min)
    for day_number, is_clear in zip(looks.days.tolist(), clear.tolist(), strict=True):
        x = frame.x(day_number)
        yield element("line", class_="clear" if is_clear else None, x1=x, x2=x, y1=BOTTOM, y2=BOTTOM + 5)


def _dots(looks: Looks, frame: Frame) -> Iterator[Markup]:
    clear = looks.clear(frame.clear_fraction_min)
    for day_number, fraction, value, is_clear in zip(
        looks.days.tolist(), looks.fractions.tolist(), looks.values.tolist(), clear.tolist(), strict=True
    ):
        if math.isfinite(value):
            words = f"{day(date_of(day_number))}: {frame.index} {value:.2f}, {fraction:.0%} of the plot seen"
            yield _dot(frame.x(day_number), value, fraction, frame=frame, clear=is_clear, words=words)


def _dot(x: float, value: float, fraction: float, *, frame: Frame, clear: bool, words: str) -> Markup:
    y = frame.y(value)
    title = element("title", words)
    kind = None if clear else "hazy"
    if VALUE_MIN <= value <= VALUE_MAX:
        return element("circle", title, class_=kind, cx=x, cy=y, r=dot_radius(fraction), opacity=dot_opacity(fraction))
    tip = -5 if value > VALUE_MAX else 5
    return element("path", title, class_=kind, d=f"M{x - 4:.1f} {y:.1f}h8l-4 {tip}z")


def dot_radius(fraction: float) -> float:
    """Return a dot's radius: its area grows with the share of the plot that was seen."""
    return 1.2 + 2.6 * math.sqrt(min(max(fraction, 0.0), 1.0))


def dot_opacity(fraction: float) -> float:
    """Return how solid a dot is: faint where little was seen."""
    return 0.35 + 0.65 * min(max(fraction, 0.0), 1.0)


def longest_gap(found: Sequence[Gap]) -> str:
    """Return the longest gap as words, empty where there is none."""
    if not found:
        return ""
    gap = max(found, key=lambda one: one.length_days)
    dates = f"{day(date_of(gap.first_day))} to {day(date_of(gap.last_day))}"
    return f"no clear look for {gap.length_days} days, {dates}"
