"""Exact shares of pixels that polygons cover, by accumulating signed areas. Text for `agrocredit.loops`.

Every edge of a ring is cut at pixel borders. A piece adds to its pixel the signed area between itself and the pixel's
right border, and its signed height to all pixels further right, which a running sum along the row carries there. After
all edges the running sum is the covered share of each pixel: no point-in-polygon test, no sampling. The method is known
from font rendering (R. Levien, "Inside the fastest font renderer in the world", 2016).

A plot is taken block by block, clipped to the block: what lies left of it is carried in through the first column, so
memory stays that of one block however long the plot is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agrocredit.zonal.layout import BLOCK, FULL, LENGTH_BITS, POSITION_BITS, SPAN

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHARE_TOLERANCE = 1e-6
"""A share outside 0 to 1 by more than this is no rounding: rings cross, overlap or run the wrong way."""
_COLUMN_BITS = POSITION_BITS // 2


def _add_piece(share: NDArray[np.float64], base: int, width: int, x_from: float, x_to: float, height: float) -> None:
    """Add a piece of an edge that lies within one row; `height` is its signed extent in y."""
    left = min(x_from, x_to)
    right = max(x_from, x_to)
    if right <= 0:
        share[base] += height
        return
    if left >= width:
        return
    first = int(max(left, 0.0))
    if left >= 0 and right <= first + 1:  # one column, as most pieces
        inside = 0.5 * (left + right) - first
        share[base + first] += height * (1 - inside)
        share[base + first + 1] += height * inside
        return
    if left < 0:
        share[base] += height * (-left / (right - left))
    for column in range(first, min(width, int(np.ceil(right)))):
        low = max(left, float(column))
        high = min(right, column + 1.0)
        piece = height * ((high - low) / (right - left))
        inside = 0.5 * (low + high) - column
        share[base + column] += piece * (1 - inside)
        share[base + column + 1] += piece * inside


def _add_edge(share: NDArray[np.float64], rows: int, width: int, x0: float, y0: float, x1: float, y1: float) -> None:
    """Add one edge, in pixels relative to the corner of the window; downward edges count as positive."""
    if y0 == y1:
        return
    sign = 1.0
    if y0 > y1:
        sign = -1.0
        x0, x1 = x1, x0
        y0, y1 = y1, y0
    if y1 <= 0 or y0 >= rows:
        return
    top = max(y0, 0.0)
    # Shares of the edge, not a slope: a slope overflows where an edge is all but level.
    x_top = x0 + (x1 - x0) * ((top - y0) / (y1 - y0))
    for row in range(int(top), min(rows, int(np.ceil(y1)))):
        bottom = min(y1, row + 1.0)
        x_bottom = x0 + (x1 - x0) * ((bottom - y0) / (y1 - y0))
        _add_piece(share, row * (width + 1), width, x_top, x_bottom, sign * (bottom - top))
        top, x_top = bottom, x_bottom


def _cover_window(  # noqa: PLR0917 - numba has no keyword-only arguments
    share: NDArray[np.float64],
    xy: NDArray[np.float64],
    ring_at: NDArray[np.int64],
    ring_from: int,
    ring_to: int,
    row0: int,
    col0: int,
    rows: int,
    width: int,
) -> bool:
    """Fill `share` with the covered share of every pixel of a window; False where a share cannot be one."""
    for k in range(rows * (width + 1)):
        share[k] = 0.0
    for ring in range(ring_from, ring_to):
        for k in range(ring_at[ring], ring_at[ring + 1] - 1):
            _add_edge(share, rows, width, xy[k, 0] - col0, xy[k, 1] - row0, xy[k + 1, 0] - col0, xy[k + 1, 1] - row0)
    low = 0.0
    high = 0.0
    for row in range(rows):
        covered = 0.0
        for k in range(row * (width + 1), row * (width + 1) + width):
            covered += share[k]
            share[k] = covered
            low = min(low, covered)
            high = max(high, covered)
    return low >= -_SHARE_TOLERANCE and high <= 1 + _SHARE_TOLERANCE


def _emit(  # noqa: PLR0917 - numba has no keyword-only arguments
    share: NDArray[np.float64],
    rows: int,
    width: int,
    row_in_block: int,
    col_in_block: int,
    edge: NDArray[np.uint32],
    n_edges: int,
    span: NDArray[np.uint32],
    before: NDArray[np.uint16],
    after: NDArray[np.uint16],
    n_spans: int,
) -> tuple[int, int, int]:
    """Append a window's entries: covered pixels side by side as spans, and the weights of those covered partly."""
    total = 0
    for row in range(rows):
        length = 0
        for col in range(width):
            weight = int(share[row * (width + 1) + col] * FULL + 0.5)
            if weight <= 0:
                length = 0
                continue
            if length % SPAN == 0 or (weight >= FULL and after[n_spans - 1] > 0):
                position = (row + row_in_block) << _COLUMN_BITS | (col + col_in_block)
                span[n_spans], before[n_spans], after[n_spans] = position << LENGTH_BITS, 0, 0
                n_spans += 1
                length = 0
            if weight >= FULL:
                total += FULL
            else:
                edge[n_edges] = weight
                n_edges += 1
                total += weight
                if length == before[n_spans - 1]:
                    before[n_spans - 1] += 1
                else:
                    after[n_spans - 1] += 1
            length += 1
            span[n_spans - 1] += 1
    return n_edges, n_spans, total


def cover_windows(  # noqa: PLR0917 - numba has no keyword-only arguments
    xy: NDArray[np.float64],
    ring_at: NDArray[np.int64],
    plot_at: NDArray[np.int64],
    windows: NDArray[np.int64],
    share: NDArray[np.float64],
    edge: NDArray[np.uint32],
    span: NDArray[np.uint32],
    before: NDArray[np.uint16],
    after: NDArray[np.uint16],
    counts: NDArray[np.int64],
    found: NDArray[np.int64],
) -> None:
    """Find the entries of plots in windows of a grid.

    Parameters
    ----------
    xy : ndarray of float64, shape (points, 2)
        Column and row in pixels from the grid's upper left corner. The left side of a shell runs down, of a hole up.
    ring_at : ndarray of int64, shape (rings + 1,)
        Where each ring begins in `xy`.
    plot_at : ndarray of int64, shape (plots + 1,)
        Where each plot begins in the rings.
    windows : ndarray of int64, shape (windows, 5)
        Plot, first row, first column, rows, columns; no window reaches over the border of a block.
    share : ndarray of float64
        Room for the largest window, with a column more.
    edge, span, before, after : ndarrays
        Filled with the entries of all windows, one after the other, as `agrocredit.zonal.layout` describes them, behind
        those that are there; room for as many more as there are pixels in all windows.
    counts : ndarray of int64, shape (windows, 3)
        Filled with edges, spans, and the sum of the weights in units of ``1 / FULL`` pixel.
    found : ndarray of int64, shape (3,)
        Edges and spans that are there; the first plot whose rings cannot bound an area is set behind them.
    """
    n_edges, n_spans = found[0], found[1]
    for w in range(windows.shape[0]):
        plot, row0, col0, rows, cols = windows[w, 0], windows[w, 1], windows[w, 2], windows[w, 3], windows[w, 4]
        if not _cover_window(share, xy, ring_at, plot_at[plot], plot_at[plot + 1], row0, col0, rows, cols):
            found[2] = plot
            return
        edges_to, spans_to, total = _emit(
            share, rows, cols, row0 % BLOCK, col0 % BLOCK, edge, n_edges, span, before, after, n_spans
        )
        counts[w, 0], counts[w, 1], counts[w, 2] = edges_to - n_edges, spans_to - n_spans, total
        n_edges, n_spans = edges_to, spans_to
    found[0], found[1] = n_edges, n_spans
