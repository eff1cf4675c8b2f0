"""Counts as bars."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from agrocredit.domain.money import minor_per_major
from agrocredit.report.display import counted, money
from agrocredit.report.nice_numbers import step_at_least
from agrocredit.report.svg import element

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH, HEIGHT = 420, 180
LEFT, RIGHT, TOP, BOTTOM = 34, 412, 12, 150
BINS = 12
"""About as many bins as the eye compares."""
OUTLIER_RATIO = 4
"""Where the largest value is more than this many times the 98th percentile, the last bin is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of a list."""

    label: str
    count: int
    percent: float
    """Length, of the longest bar."""
    note: str = ""
    code: str = ""
    """The code behind the label, where there is one."""


def bars(rows: Sequence[tuple[str, int, str, str]]) -> tuple[Bar, ...]:
    """Return bars for rows of label, count, note and code, longest first, ties by code and label."""
    longest = max((count for _, count, _, _ in rows), default=0)
    ordered = sorted(rows, key=lambda row: (-row[1], row[3], row[0]))
    return tuple(
        Bar(label=label, count=count, percent=100 * count / max(longest, 1), note=note, code=code)
        for label, count, note, code in ordered
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """A histogram's bins over amounts in minor units, each including its lower edge."""

    edges_minor: tuple[int, ...]
    counts: tuple[int, ...]
    """One more than `edges_minor` has gaps where `beyond` is True: the last bin is then open."""
    beyond: bool


def binned(amounts_minor: Sequence[int], *, currency: str) -> Bins:
    """Return round bins for amounts above 0; where a few are huge, one open bin at the end holds them.

    Parameters
    ----------
    amounts_minor : sequence of int
        At least one.
    currency : str
    """
    amounts = np.sort(np.asarray(amounts_minor, dtype=float))
    reach = float(np.quantile(amounts, 0.98))
    beyond = float(amounts[-1]) > OUTLIER_RATIO * reach
    top = reach if beyond else float(amounts[-1])
    per_major = minor_per_major(currency)
    step = max(int(step_at_least(max(top / per_major / BINS, 1e-9)) * per_major), 1)
    last = math.floor(top / step) + 1
    edges = [step * number for number in range(last + 1)]
    counts, _ = np.histogram(amounts, bins=[*edges[:-1], edges[-1]])
    counts = counts.tolist()
    if beyond:
        counts.append(int((amounts >= edges[-1]).sum()))
    return Bins(edges_minor=tuple(edges), counts=tuple(counts), beyond=beyond)


def draw_histogram(amounts_minor: Sequence[int], *, currency: str) -> Markup:
    """Return the drawing of how limits are spread; empty where there are none."""
    if not amounts_minor:
        return Markup("")
    found = binned(amounts_minor, currency=currency)
    label = f"Histogram of {counted(len(amounts_minor), 'limit')} in {currency}"
    return element(
        "svg",
        *_count_axis(max(found.counts)),
        *_columns(found, currency),
        *_amount_axis(found, currency),
        class_="histogram",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=label,
    )


def _count_axis(top: int) -> Iterator[Markup]:
    step = max(int(step_at_least(top / 4)), 1)
    for count in range(0, top + 1, step):
        y = _y(count, top)
        yield element("line", class_="grid", x1=LEFT, x2=RIGHT, y1=y, y2=y)
        yield element("text", f"{count:,}", class_="axis end", x=LEFT - 5, y=y + 3.5)


def _columns(found: Bins, currency: str) -> Iterator[Markup]:
    width = (RIGHT - LEFT) / len(found.counts)
    for number, count in enumerate(found.counts):
        y = _y(count, max(found.counts))
        title = f"{_bin_words(found, number, currency)}: {counted(count, 'farmer')}"
        yield element(
            "rect",
            element("title", title),
            class_="open" if found.beyond and number == len(found.counts) - 1 else None,
            x=LEFT + number * width + 1,
            y=y,
            width=width - 2,
            height=BOTTOM - y,
        )


def _bin_words(found: Bins, number: int, currency: str) -> str:
    low = money(found.edges_minor[number], currency)
    if number + 1 == len(found.edges_minor):
        return f"{low} and more"
    return f"{low} to under {money(found.edges_minor[number + 1], currency)}"


def _amount_axis(found: Bins, currency: str) -> Iterator[Markup]:
    width = (RIGHT - LEFT) / len(found.counts)
    every = math.ceil(len(found.edges_minor) / 5)
    for number, edge in enumerate(found.edges_minor):
        if number % every == 0:
            words = money(edge, currency).removeprefix(f"{currency} ")
            anchor = "axis" if number == 0 else "axis middle"
            yield element("text", words, class_=anchor, x=LEFT + number * width, y=BOTTOM + 16)
    if found.beyond:
        yield element("text", "more", class_="axis end", x=RIGHT, y=BOTTOM + 28)


def _y(count: int, top: int) -> float:
    return BOTTOM - (BOTTOM - TOP) * count / max(top, 1)
