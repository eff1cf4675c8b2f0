"""Coverage entries of plots in windows of a grid: room is made here, `coverage_loops` fills it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.zonal.loop import Loop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agrocredit.zonal.outlines import Outlines

_cover_windows = Loop.of_file("coverage_loops.py", "cover_windows")
_place_entries = Loop.of_file("coverage_loops.py", "place_entries")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entries:
    """Entries of windows, one window after the other, as `agrocredit.zonal.layout` describes them."""

    edge: NDArray[np.uint32]
    low: NDArray[np.uint16]
    run: NDArray[np.uint32]
    counts: NDArray[np.int64]
    """Edges, runs, and the sum of the weights in units of ``1 / FULL`` pixel of each window; (windows, 3)."""
    wrong: int
    """The first plot whose rings cannot bound an area, or -1; then there are no entries."""


def cover_windows(xy: NDArray[np.float64], outlines: Outlines, windows: NDArray[np.int64]) -> Entries:
    """Return the entries of plots in windows of a grid.

    Parameters
    ----------
    xy : ndarray of float64, shape (points, 2)
        Column and row of the outlines' points in pixels from the grid's upper left corner.
    outlines : Outlines
        What rings and plots the points make.
    windows : ndarray of int64, shape (windows, 5)
        Plot, first row, first column, rows, columns; no window reaches over the border of a block.
    """
    rows, columns = windows[:, 3], windows[:, 4]
    pixels = int((rows * columns).sum())  # as many entries at most; what is not filled takes no memory
    edge, low, run = np.empty(pixels, np.uint32), np.empty(pixels, np.uint16), np.empty(pixels, np.uint32)
    share = np.empty(int((rows * (columns + 1)).max(initial=0)))
    counts, wrong = np.zeros((windows.shape[0], 3), np.int64), np.empty(1, np.int64)
    _cover_windows(xy, outlines.ring_at, outlines.plot_at, windows, share, edge, low, run, counts, wrong)
    n_edges, n_runs, _ = counts.sum(axis=0) if wrong[0] < 0 else (0, 0, 0)
    # Copies of what was filled: a view would keep the room for all.
    return Entries(
        edge=edge[:n_edges].copy(),
        low=low[:n_edges].copy(),
        run=run[:n_runs].copy(),
        counts=counts,
        wrong=int(wrong[0]),
    )


def place_entries(
    entries: tuple[NDArray[np.uint32], NDArray[np.uint16], NDArray[np.uint32]],
    counts: NDArray[np.int32],
    *,
    starts: tuple[NDArray[np.int64], NDArray[np.int64]],
    all_entries: tuple[NDArray[np.uint32], NDArray[np.uint16], NDArray[np.uint32]],
) -> None:
    """Copy the entries of some parts to their places among all.

    Parameters
    ----------
    entries : tuple of ndarrays
        Edges, their low bits and runs of the parts, one part after the other.
    counts : ndarray of int32, shape (parts, 2)
        Edges and runs of each part.
    starts : tuple of ndarrays of int64, shape (parts,)
        Where the edges and the runs of each part begin among all.
    all_entries : tuple of ndarrays
        Filled here.
    """
    _place_entries(*entries, counts, *starts, *all_entries)
