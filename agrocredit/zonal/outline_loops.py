"""Loops over the corner points of plots. Text for `agrocredit.loops`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_POLYGON, _MULTIPOLYGON = 3, 6
_HEAD_BYTES, _COUNT_BYTES, _POINT_BYTES = 5, 4, 16
RING_BYTES_MIN = _COUNT_BYTES + 4 * _POINT_BYTES
"""A count and four points: no ring has fewer."""


def _number(data: NDArray[np.uint8], at: int) -> int:
    """Return four bytes as a number."""
    return int(data[at]) | int(data[at + 1]) << 8 | int(data[at + 2]) << 16 | int(data[at + 3]) << 24


def _begins(data: NDArray[np.uint8], at: int, end: int, kind: int) -> bool:
    """Say whether a head of this kind with a count after it lies at a place."""
    return end - at >= _HEAD_BYTES + _COUNT_BYTES and data[at] == 1 and _number(data, at + 1) == kind


def split_wkb(
    data: NDArray[np.uint8],
    ends: NDArray[np.int64],
    points: NDArray[np.uint8],
    ring_at: NDArray[np.int64],
    plot_at: NDArray[np.int64],
    found: NDArray[np.int64],
) -> None:
    """Take well-known binary apart.

    Parameters
    ----------
    data : ndarray of uint8
        All values, one after the other.
    ends : ndarray of int64, shape (plots + 1,)
        Where values begin in `data`, and the end.
    points : ndarray of uint8
        Filled with the bytes of all points; as large as `data`.
    ring_at, plot_at : ndarrays of int64
        Filled with where rings begin in points and plots in rings; room for ``data.size // RING_BYTES_MIN`` rings.
    found : ndarray of int64, shape (3,)
        Set to the bytes of points, the number of rings, and the first bad value or -1.
    """
    n_bytes = n_rings = 0
    ring_at[0] = plot_at[0] = 0
    for plot in range(ends.size - 1):
        found[2] = plot
        at, end = ends[plot], ends[plot + 1]
        parts = 1
        if _begins(data, at, end, _MULTIPOLYGON):
            parts = _number(data, at + _HEAD_BYTES)
            at += _HEAD_BYTES + _COUNT_BYTES
        for _ in range(parts):
            if not _begins(data, at, end, _POLYGON):
                return
            rings = _number(data, at + _HEAD_BYTES)
            at += _HEAD_BYTES + _COUNT_BYTES
            for _ in range(rings):
                size = _number(data, at) * _POINT_BYTES if end - at >= RING_BYTES_MIN else end
                at += _COUNT_BYTES
                if size < 4 * _POINT_BYTES or size > end - at:
                    return
                for k in range(size):
                    points[n_bytes + k] = data[at + k]
                at += size
                n_bytes += size
                n_rings += 1
                ring_at[n_rings] = n_bytes // _POINT_BYTES
        if at != end or plot_at[plot] == n_rings:
            return
        plot_at[plot + 1] = n_rings
    found[0], found[1], found[2] = n_bytes, n_rings, -1


def find_bounds(
    xy: NDArray[np.float64], ring_at: NDArray[np.int64], plot_at: NDArray[np.int64], bounds: NDArray[np.float64]
) -> None:
    """Fill `bounds` with the smallest x and y and the largest x and y of plots."""
    for plot in range(bounds.shape[0]):
        first, last = ring_at[plot_at[plot]], ring_at[plot_at[plot + 1]]
        west, south = xy[first, 0], xy[first, 1]
        east, north = west, south
        for k in range(first + 1, last):
            x, y = xy[k, 0], xy[k, 1]
            west, east = min(west, x), max(east, x)
            south, north = min(south, y), max(north, y)
        bounds[plot, 0], bounds[plot, 1], bounds[plot, 2], bounds[plot, 3] = west, south, east, north


def add_areas(
    xy: NDArray[np.float64], ring_at: NDArray[np.int64], plot_at: NDArray[np.int64], areas: NDArray[np.float64]
) -> None:
    """Add the areas of plots to `areas`, in the order of GEOS, so that they are the same to the last bit."""
    for plot in range(areas.size):
        part = 0.0
        for ring in range(plot_at[plot], plot_at[plot + 1]):
            twice = 0.0
            first = ring_at[ring]
            for k in range(first + 1, ring_at[ring + 1] - 1):
                twice += (xy[k, 0] - xy[first, 0]) * (xy[k + 1, 1] - xy[k - 1, 1])
            if twice * part > 0:  # a ring that runs as the shell before it is the shell of another part
                areas[plot] += part
                part = 0.0
            part += twice / 2
        areas[plot] += part
