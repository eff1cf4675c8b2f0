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
_LITTLE_ENDIAN, _POLYGON, _ONE_RING = 1, 3, 1
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
        content = _dense(wkb, at, points)
        ours = _is_one_ring(content)
        if not ours.all():
            at, content = at[ours], content[ours]
        if at.size:
            is_ring[at] = True
            found.append(_of_points(content["points"].view("<f8"), rows[at]))
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
    content = np.empty(count, _wkb_type(steps + 1))
    content["order"], content["kind"], content["rings"] = _LITTLE_ENDIAN, _POLYGON, _ONE_RING
    content["count"] = steps + 1
    points = content["points"].view("<f8")
    # Of several westernmost points the southernmost is the first.
    start = np.where(lon == lon.min(0), lat, np.inf).argmin(0)
    one_on = np.where(is_clockwise, steps - 1, 1)  # the last point but one is the one before the first
    at = start * count + np.arange(count)  # in the raveled arrays
    for point in range(steps + 1):
        points[:, point, 0] = lon.take(at)
        points[:, point, 1] = lat.take(at)
        at += one_on * count
        at[at >= lon.size] -= lon.size
    points += 0.0  # -0.0 is 0.0
    ends = np.arange(count + 1) * content.itemsize
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), count, [None, pa.py_buffer(ends), pa.py_buffer(content)])


def _wkb_type(points: int) -> np.dtype[np.void]:
    """Return the bytes of a polygon of one ring (OGC 06-103r4, 8.2); the points' doubles as they lie there."""
    head = [("order", "u1"), ("kind", "<u4"), ("rings", "<u4"), ("count", "<u4")]
    return np.dtype([*head, ("points", "<u8", (points, 2))])


def _dense(wkb: pa.BinaryArray, at: NDArray[np.int64], points: int) -> NDArray[np.void]:
    """Return the values of one size as records."""
    chosen = wkb if at.size == len(wkb) else wkb.take(pa.array(at))
    _, offsets, data = chosen.buffers()
    first = np.frombuffer(offsets, np.int64 if pa.types.is_large_binary(wkb.type) else np.int32)[chosen.offset]
    return np.frombuffer(data, _wkb_type(points), count=at.size, offset=int(first))


def _is_one_ring(content: NDArray[np.void]) -> NDArray[np.bool_]:
    """Return which values are one ring of so many points that closes, bit by bit."""
    points = content["points"]
    found: NDArray[np.bool_] = (
        (content["order"] == _LITTLE_ENDIAN)
        & (content["kind"] == _POLYGON)
        & (content["rings"] == _ONE_RING)
        & (content["count"] == points.shape[1])
        & (points[:, 0, 0] == points[:, -1, 0])
        & (points[:, 0, 1] == points[:, -1, 1])
    )
    return found


def _of_points(points: NDArray[np.float64], rows: NDArray[np.int64]) -> Rings:
    """Return rings from an array (rings, points, 2)."""
    lon, lat = np.ascontiguousarray(points[:, :, 0].T), np.ascontiguousarray(points[:, :, 1].T)
    return Rings(lon=lon, lat=lat, rows=rows)
