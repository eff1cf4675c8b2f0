"""Plots of one ring as plain arrays: the shape of nearly every field, read and written many thousands at a time.

Rings with the same number of points lie in one dense array, so that every step is a few operations on whole columns and
no geometry object is made. Whatever is not one ring in two dimensions goes through shapely (`plot_geometry`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

RING_POINTS_MIN = 4
_POLYGON_OF_ONE_RING = np.frombuffer(b"\x01\x03\x00\x00\x00\x01\x00\x00\x00", np.uint8)
"""Byte order, type, number of rings; then the number of points, and two doubles a point (OGC 06-103r4, 8.2)."""
_HEAD_BYTES = 13
_POINT_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rings:
    """Some features of one ring each, all with the same number of points."""

    lon: NDArray[np.float64]
    """(points, rings), degrees; the last point is the first again."""
    lat: NDArray[np.float64]
    rows: NDArray[np.int64]
    """(rings,) position of each feature in the file, from 0."""

    def only(self, chosen: NDArray[np.bool_]) -> Rings:
        """Return some of the rings."""
        if chosen.all():
            return self
        return Rings(lon=self.lon[:, chosen], lat=self.lat[:, chosen], rows=self.rows[chosen])

    @property
    def bounds(self) -> NDArray[np.float64]:
        """West, south, east, north of each ring; (rings, 4), NaN where a coordinate is."""
        return np.stack([self.lon.min(0), self.lat.min(0), self.lon.max(0), self.lat.max(0)], axis=1)

    def polygons(self) -> NDArray[np.object_]:
        """Return shapely Polygons, (rings,)."""
        found: NDArray[np.object_] = shapely.polygons(np.stack([self.lon.T, self.lat.T], axis=-1))
        return found

    def moved(self, transform: Callable[..., tuple[NDArray[np.float64], NDArray[np.float64]]]) -> Rings:
        """Return the rings with `transform` applied to their coordinates."""
        lon, lat = transform(self.lon.ravel(), self.lat.ravel())
        return Rings(lon=lon.reshape(self.lon.shape), lat=lat.reshape(self.lat.shape), rows=self.rows)


def rings_in_wkb(wkb: pa.BinaryArray, rows: NDArray[np.int64]) -> tuple[list[Rings], NDArray[np.int64]]:
    """Return the features that are one ring in two dimensions, and the positions of all others.

    Parameters
    ----------
    wkb : pyarrow.BinaryArray or LargeBinaryArray, shape (n,)
        As a file has them; nothing is taken for granted.
    rows : ndarray of int64, shape (n,)
        Position of each in the file.

    Returns
    -------
    rings : list of Rings
        By number of points.
    others : ndarray of int64
        Positions in `wkb`, from 0.
    """
    sizes = np.asarray(pc.binary_length(wkb).fill_null(0))
    is_ring = np.zeros(len(wkb), dtype=bool)
    found = []
    for size in np.unique(sizes).tolist():
        points, remainder = divmod(size - _HEAD_BYTES, _POINT_BYTES)
        if points < RING_POINTS_MIN or remainder:
            continue
        at = np.flatnonzero(sizes == size)
        content = _dense_bytes(wkb, at, size)
        ours = _is_one_ring(content, points)
        if ours.any():
            is_ring[at[ours]] = True
            values = np.ascontiguousarray(content[ours, _HEAD_BYTES:]).view("<f8")
            found.append(_of_points(values.reshape(-1, points, 2), rows[at[ours]]))
    return found, np.flatnonzero(~is_ring)


def rings_by_length(points: Sequence[NDArray[np.float64]], rows: Sequence[int]) -> list[Rings]:
    """Return rings, each (points, 2) longitude and latitude in degrees, and their positions in the file."""
    at_length: dict[int, list[int]] = {}
    for at, ring in enumerate(points):
        at_length.setdefault(len(ring), []).append(at)
    return [
        _of_points(np.stack([points[at] for at in group]), np.array([rows[at] for at in group]))
        for _, group in sorted(at_length.items())
    ]


def normal_wkb(rings: Rings, *, is_clockwise: NDArray[np.bool_]) -> pa.LargeBinaryArray:
    """Return the WKB of `plot_geometry.normal_form`: from the westernmost point on, counterclockwise.

    Parameters
    ----------
    rings : Rings
        Closed, valid, no point twice.
    is_clockwise : ndarray of bool, shape (rings,)
    """
    steps, count = rings.lon.shape[0] - 1, rings.rows.size
    lon, lat = rings.lon[:-1], rings.lat[:-1]
    # Of several westernmost points the southernmost is the first.
    start = np.where(lon == lon.min(0), lat, np.inf).argmin(0)
    order = (start + np.where(is_clockwise, -1, 1) * np.arange(steps + 1)[:, None]) % steps
    content = np.empty((count, _HEAD_BYTES + (steps + 1) * _POINT_BYTES), np.uint8)
    content[:, :_HEAD_BYTES] = _head(steps + 1)
    points = np.empty((count, steps + 1, 2), "<f8")
    points[:, :, 0] = np.take_along_axis(lon, order, 0).T
    points[:, :, 1] = np.take_along_axis(lat, order, 0).T
    points += 0.0  # -0.0 is 0.0
    content[:, _HEAD_BYTES:] = points.view(np.uint8).reshape(count, (steps + 1) * _POINT_BYTES)
    ends = np.arange(count + 1) * content.shape[1]
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), count, [None, pa.py_buffer(ends), pa.py_buffer(content)])


def _dense_bytes(wkb: pa.BinaryArray, at: NDArray[np.int64], size: int) -> NDArray[np.uint8]:
    """Return the values of one size as rows of bytes."""
    chosen = wkb if at.size == len(wkb) else wkb.take(pa.array(at))
    _, offsets, data = chosen.buffers()
    first = np.frombuffer(offsets, np.int64 if pa.types.is_large_binary(wkb.type) else np.int32)[chosen.offset]
    return np.frombuffer(data, np.uint8, count=at.size * size, offset=int(first)).reshape(at.size, size)


def _is_one_ring(content: NDArray[np.uint8], points: int) -> NDArray[np.bool_]:
    """Return which values are one ring of so many points that closes."""
    head, first, last = (
        content[:, :_HEAD_BYTES],
        content[:, _HEAD_BYTES : _HEAD_BYTES + _POINT_BYTES],
        content[:, -_POINT_BYTES:],
    )
    found: NDArray[np.bool_] = (head == _head(points)).all(axis=1) & (first == last).all(axis=1)
    return found


def _head(points: int) -> NDArray[np.uint8]:
    return np.concatenate([_POLYGON_OF_ONE_RING, np.array([points], "<u4").view(np.uint8)])


def _of_points(points: NDArray[np.float64], rows: NDArray[np.int64]) -> Rings:
    """Return rings from an array (rings, points, 2)."""
    lon, lat = np.ascontiguousarray(points[:, :, 0].T), np.ascontiguousarray(points[:, :, 1].T)
    return Rings(lon=lon, lat=lat, rows=rows)
