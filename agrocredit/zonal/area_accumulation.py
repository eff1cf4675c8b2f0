"""Coverage entries of plots in windows of a grid: room is made here, `coverage_loops` fills it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from agrocredit.loops import Loop
from agrocredit.zonal import layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agrocredit.zonal.outlines import Outlines

_Words = TypeVar("_Words", "NDArray[np.uint16]", "NDArray[np.uint32]")
_PIXELS_AT_A_TIME = 1 << 22
"""In the windows of one call, beyond the first window: room is made for as many entries."""
_cover_windows = Loop.of_file(Path(__file__).with_name("coverage_loops.py"), "cover_windows", constants=vars(layout))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Covered:
    """Entries of windows, one window after the other, as `agrocredit.zonal.layout` describes them."""

    edge: NDArray[np.uint32]
    span: NDArray[np.uint32]
    before: NDArray[np.uint16]
    after: NDArray[np.uint16]
    counts: NDArray[np.int64]
    """Edges, spans, and the sum of the weights in units of ``1 / FULL`` pixel of each window; (windows, 3)."""
    wrong: int
    """The first plot found whose rings cannot bound an area, or -1."""


def cover_windows(outlines: Outlines, windows: NDArray[np.int64]) -> Covered:
    """Return the entries of plots in windows of a grid.

    Parameters
    ----------
    outlines : Outlines
        In pixels from the grid's upper left corner: columns, rows.
    windows : ndarray of int64, shape (windows, 5)
        Plot, first row, first column, rows, columns; no window reaches over the border of a block.
    """
    rows, columns = windows[:, 3], windows[:, 4]
    pixels_to = np.cumsum(rows * columns)
    edge, span = np.empty(0, np.uint32), np.empty(0, np.uint32)
    before, after = np.empty(0, np.uint16), np.empty(0, np.uint16)
    share = np.empty(int((rows * (columns + 1)).max(initial=0)))
    counts, found = np.zeros((windows.shape[0], 3), np.int64), np.array([0, 0, -1])
    first = done = 0
    while first < windows.shape[0] and found[2] < 0:
        last = max(int(np.searchsorted(pixels_to, done + _PIXELS_AT_A_TIME)), first + 1)
        n_edges, n_spans, _ = map(int, found)
        more = int(pixels_to[last - 1]) - done  # no more entries than pixels
        expected = int(pixels_to[-1]) / max(done, 1)
        edge = _with_room(edge, used=n_edges, more=more, expected=expected)
        span = _with_room(span, used=n_spans, more=more, expected=expected)
        before = _with_room(before, used=n_spans, more=more, expected=expected)
        after = _with_room(after, used=n_spans, more=more, expected=expected)
        _cover_windows(
            *(outlines.xy, outlines.ring_at, outlines.plot_at, windows[first:last]),
            *(share, edge, span, before, after, counts[first:last], found),
        )
        first, done = last, int(pixels_to[last - 1])
    n_edges, n_spans, wrong = map(int, found)
    spans = slice(n_spans)
    return Covered(
        edge=edge[:n_edges], span=span[spans], before=before[spans], after=after[spans], counts=counts, wrong=wrong
    )


def _with_room(array: _Words, *, used: int, more: int, expected: float) -> _Words:
    """Return the array, or a larger copy where fewer than `more` places are free.

    The copy has room for `expected` times what is used: all, if it goes on like this. What is never filled is not
    memory.
    """
    if used + more <= array.size:
        return array
    larger = np.empty(int(1.02 * expected * used) + more, array.dtype)
    larger[:used] = array[:used]
    return larger
