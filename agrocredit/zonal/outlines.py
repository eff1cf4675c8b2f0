"""Outlines of plots as flat arrays of corner points: what weights are built from, with no object a plot.

A million shapes as objects take more memory than all else in a run, and most of the time of weighing them. Plots come
as shapely geometries or as well-known binary (OGC 06-103r4), little-endian and in two dimensions, shells
counterclockwise and holes clockwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import shapely

from agrocredit.domain.errors import InputUnusableError
from agrocredit.loops import Loop
from agrocredit.zonal.outline_loops import RING_BYTES_MIN

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa
    from numpy.typing import NDArray

_LOOPS = Path(__file__).with_name("outline_loops.py")
_split_wkb = Loop.of_file(_LOOPS, "split_wkb")
_find_bounds = Loop.of_file(_LOOPS, "find_bounds")
_add_areas = Loop.of_file(_LOOPS, "add_areas")


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
        points = np.empty(content.size, np.uint8)
        ring_at, plot_at = np.empty(content.size // RING_BYTES_MIN + 1, np.int64), np.empty(ends.size, np.int64)
        found = np.empty(3, np.int64)
        _split_wkb(content, ends - ends[0], points, ring_at, plot_at, found)
        n_bytes, n_rings, wrong = found
        if wrong >= 0:
            detail = f"value number {wrong} is no little-endian WKB of a polygon in two dimensions"
            raise InputUnusableError("geometry_invalid", detail)
        return cls(xy=points[:n_bytes].view("<f8").reshape(-1, 2), ring_at=ring_at[: n_rings + 1], plot_at=plot_at)

    @property
    def areas(self) -> NDArray[np.float64]:
        """Areas, less those of holes; (plots,). Negative where shells run clockwise."""
        areas = np.zeros(self.plot_at.size - 1)
        _add_areas(np.ascontiguousarray(self.xy), self.ring_at, self.plot_at, areas)
        return areas

    @property
    def bounds(self) -> NDArray[np.float64]:
        """Smallest x and y, largest x and y of each plot; (plots, 4)."""
        bounds = np.empty((self.plot_at.size - 1, 4))
        _find_bounds(np.ascontiguousarray(self.xy), self.ring_at, self.plot_at, bounds)
        return bounds

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
