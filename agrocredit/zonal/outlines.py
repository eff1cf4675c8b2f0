"""Outlines of plots as flat arrays of corner points: what weights are built from, with no object a plot.

A million shapes as objects take more memory than all else in a run, and most of the time of weighing them. Plots come
as shapely geometries or as well-known binary (OGC 06-103r4), little-endian and in two dimensions, shells
counterclockwise and holes clockwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import shapely

from agrocredit.domain.errors import InputUnusableError
from agrocredit.zonal.jit import entry, inner

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa
    from numpy.typing import NDArray

_POLYGON, _MULTIPOLYGON = 3, 6
_HEAD_BYTES, _COUNT_BYTES, _POINT_BYTES = 5, 4, 16
_RING_BYTES_MIN = _COUNT_BYTES + 4 * _POINT_BYTES


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlines:
    """Rings of some plots: each closed, shells counterclockwise, holes clockwise, y upwards."""

    xy: NDArray[np.float64]
    """(points, 2)"""
    ring_at: NDArray[np.int64]
    """Where each ring begins in `xy`, and the end; (rings + 1,)."""
    plot_at: NDArray[np.int64]
    """Where each plot begins in the rings, and the end; (plots + 1,)."""

    @classmethod
    def of_shapes(cls, plots: NDArray[np.object_]) -> Self:
        """Return the outlines of Polygons and MultiPolygons, whichever way their rings run."""
        kind, xy, offsets = shapely.to_ragged_array(shapely.orient_polygons(plots), include_z=False)
        parts_at = offsets[1] if kind == shapely.GeometryType.POLYGON else offsets[1][offsets[2]]
        return cls(xy=xy, ring_at=offsets[0].astype(np.int64), plot_at=parts_at.astype(np.int64))

    @classmethod
    def of_wkb(cls, wkb: pa.LargeBinaryArray) -> Self:
        """Return the outlines of plots in well-known binary.

        Parameters
        ----------
        wkb : pyarrow.LargeBinaryArray, shape (plots,)
            Little-endian, two dimensions, shells counterclockwise.

        Raises
        ------
        InputUnusableError
            ``geometry_invalid`` for what is no polygon of this form; the value's number is named.
        """
        _, offsets, data = wkb.buffers()
        ends = np.frombuffer(offsets, np.int64)[wkb.offset : wkb.offset + len(wkb) + 1]
        content = np.frombuffer(data or b"", np.uint8)[ends[0] : ends[-1]]
        points, ring_at, plot_at, wrong = _split_wkb(content, ends - ends[0])
        if wrong >= 0:
            detail = f"value number {wrong} is no little-endian WKB of a polygon in two dimensions"
            raise InputUnusableError("geometry_invalid", detail)
        return cls(xy=points.view("<f8").reshape(-1, 2), ring_at=ring_at, plot_at=plot_at)

    @property
    def areas(self) -> NDArray[np.float64]:
        """Areas, less those of holes; (plots,). Negative where shells run clockwise."""
        return _areas(self.xy, self.ring_at, self.plot_at)

    @property
    def bounds(self) -> NDArray[np.float64]:
        """Smallest x and y, largest x and y of each plot; (plots, 4)."""
        point_at = self.ring_at[self.plot_at[:-1]]
        return np.concatenate([np.minimum.reduceat(self.xy, point_at), np.maximum.reduceat(self.xy, point_at)], axis=1)

    def moved(self, transform: Callable[..., tuple[NDArray[np.float64], NDArray[np.float64]]]) -> Outlines:
        """Return the outlines in another CRS: `transform` takes x and y and gives x and y."""
        moved = Outlines(
            xy=np.column_stack(transform(self.xy[:, 0], self.xy[:, 1])), ring_at=self.ring_at, plot_at=self.plot_at
        )
        return moved._turned() if np.nansum(moved.areas) < 0 else moved  # axes may point west or south

    def _turned(self) -> Outlines:
        """Return the same rings run the other way."""
        sizes = np.diff(self.ring_at)
        mirror = np.repeat(self.ring_at[:-1] + self.ring_at[1:] - 1, sizes) - np.arange(self.xy.shape[0])
        return Outlines(xy=self.xy[mirror], ring_at=self.ring_at, plot_at=self.plot_at)


@inner
def _number(data: NDArray[np.uint8], at: int) -> int:
    """Return four bytes as a number."""
    return int(data[at]) | int(data[at + 1]) << 8 | int(data[at + 2]) << 16 | int(data[at + 3]) << 24


@inner
def _begins(data: NDArray[np.uint8], at: int, end: int, kind: int) -> bool:
    """Say whether a head of this kind with a count after it lies at a place."""
    return end - at >= _HEAD_BYTES + _COUNT_BYTES and data[at] == 1 and _number(data, at + 1) == kind


@entry
def _split_wkb(
    data: NDArray[np.uint8], ends: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64], int]:
    """Return the bytes of all points, where rings begin in points, plots in rings, and the first bad value or -1."""
    points = np.empty(data.size, np.uint8)
    ring_at = np.zeros(data.size // _RING_BYTES_MIN + 1, np.int64)
    plot_at = np.zeros(ends.size, np.int64)
    n_bytes = n_rings = 0
    for plot in range(ends.size - 1):
        at, end = ends[plot], ends[plot + 1]
        parts = 1
        if _begins(data, at, end, _MULTIPOLYGON):
            parts = _number(data, at + _HEAD_BYTES)
            at += _HEAD_BYTES + _COUNT_BYTES
        for _ in range(parts):
            if not _begins(data, at, end, _POLYGON):
                return points, ring_at, plot_at, plot
            rings = _number(data, at + _HEAD_BYTES)
            at += _HEAD_BYTES + _COUNT_BYTES
            for _ in range(rings):
                size = _number(data, at) * _POINT_BYTES if end - at >= _RING_BYTES_MIN else end
                at += _COUNT_BYTES
                if size < 4 * _POINT_BYTES or size > end - at:
                    return points, ring_at, plot_at, plot
                points[n_bytes : n_bytes + size] = data[at : at + size]
                at += size
                n_bytes += size
                n_rings += 1
                ring_at[n_rings] = n_bytes // _POINT_BYTES
        if at != end or plot_at[plot] == n_rings:
            return points, ring_at, plot_at, plot
        plot_at[plot + 1] = n_rings
    return points[:n_bytes], ring_at[: n_rings + 1], plot_at, -1


@entry
def _areas(xy: NDArray[np.float64], ring_at: NDArray[np.int64], plot_at: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return areas, added in the order of GEOS, so that they are the same to the last bit."""
    areas = np.zeros(plot_at.size - 1)
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
    return areas
