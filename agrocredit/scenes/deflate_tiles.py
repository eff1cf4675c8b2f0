"""Reads blocks of the commonest GeoTIFF without GDAL: square tiles, deflate, one band of 8 or 16 bits.

Most of what observing a season costs is undoing deflate. libdeflate (through imagecodecs) does it at once into memory
that is used again. GDAL opens and describes the file either way, and wherever this reader has a doubt - another
layout, a window that cuts tiles, a tile left out, bytes that do not decode - it says so and GDAL decides. Without
imagecodecs it is not used.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from agrocredit.scenes.differences import LANES, undo_differences
from agrocredit.scenes.tiff import tile_places
from agrocredit.scenes.wanted_tiles import spans

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from numpy.typing import NDArray

    from agrocredit.scenes.wanted_tiles import TileSpan

_DTYPES = ("uint8", "uint16", "int16")
_CODECS: Any = import_module("imagecodecs") if find_spec("imagecodecs") else None
_LITTLE_ENDIAN = b"II"
_TILE_PIXELS_MAX = 4_194_304


@dataclass(slots=True, kw_only=True, eq=False)
class DeflateTiles:
    """An open file of that layout; belongs to one thread, as its dataset does."""

    dataset: Any
    """rasterio.DatasetReader of the same file."""
    descriptor: int
    places: list[tuple[int, int]]
    """Where each tile begins in the file and how many bytes it has, row by row."""
    is_difference: bool
    """Whether rows hold differences (predictor 2)."""
    scratch: NDArray[Any]
    """One tile, as it was packed; (side, side)."""
    plain: NDArray[Any]
    """One tile that hangs over the raster's edge, its differences undone; (side, side)."""

    @property
    def side(self) -> int:
        """Pixels along a tile."""
        return int(self.scratch.shape[0])

    def close(self) -> None:
        """Close the file."""
        os.close(self.descriptor)

    def read(
        self,
        window: NDArray[Any],
        *,
        rows: tuple[int, int],
        columns: tuple[int, int],
        unwanted: Collection[TileSpan] = (),
    ) -> bool:
        """Decode a window of whole tiles into its place and say whether it worked; if not, GDAL must read it.

        Parameters
        ----------
        window : ndarray of the raster's type, shape (rows, columns)
            Filled, but for what is unwanted.
        rows, columns : tuple of int
            Half-open window within the raster; tiles at the edge of the raster count as whole.
        unwanted : collection of TileSpan
            Tiles to leave out.
        """
        if not (self._is_whole(rows, self.dataset.height) and self._is_whole(columns, self.dataset.width)):
            return False
        return all(
            self._read_tile(one.row0 // self.side, one.col0 // self.side, one.part_of(window, rows, columns))
            for one in spans(rows, columns, tile=(self.side, self.side))
            if one not in unwanted
        )

    def _is_whole(self, span: tuple[int, int], end: int) -> bool:
        first, last = span
        return 0 <= first < last <= end and first % self.side == 0 and (last % self.side == 0 or last == end)

    def _read_tile(self, row: int, column: int, target: NDArray[Any]) -> bool:
        """Decode one tile into its place; say whether it worked."""
        at, size = self.places[row * -(-self.dataset.width // self.side) + column]
        if at <= 0 or not 0 < size <= 2 * self.scratch.nbytes:
            return False
        packed = os.pread(self.descriptor, size, at)
        try:
            decoded = _CODECS.deflate_decode(packed, out=self.scratch.reshape(-1).view(np.uint8))
        except _CODECS.DeflateError:
            return False
        if len(packed) != size or decoded.nbytes != self.scratch.nbytes:
            return False
        self._unpack(target)
        return True

    def _unpack(self, target: NDArray[Any]) -> None:
        """Bring the tile in `scratch` to its place, as far as it lies within the raster."""
        if self.is_difference and target.shape == self.scratch.shape:
            undo_differences(self.scratch, target)
            return
        if self.is_difference:
            undo_differences(self.scratch, self.plain)
        tile = self.plain if self.is_difference else self.scratch
        target[...] = tile[: target.shape[0], : target.shape[1]]


def deflate_tiles(dataset: Any, path: Path) -> DeflateTiles | None:  # noqa: ANN401 - rasterio is untyped
    """Return the reader of a file, or None where its layout is another.

    Parameters
    ----------
    dataset : rasterio.DatasetReader
        Open on that file, and kept open as long as the reader.
    path : Path
        Regular local file.
    """
    structure = dataset.tags(ns="IMAGE_STRUCTURE") | dataset.tags(1, ns="IMAGE_STRUCTURE")
    rows, columns = dataset.block_shapes[0]
    if (
        _CODECS is None
        or dataset.driver != "GTiff"
        or dataset.count != 1
        or dataset.dtypes[0] not in _DTYPES
        or structure.get("COMPRESSION") != "DEFLATE"
        or structure.get("PREDICTOR", "1") not in {"1", "2"}
        or "NBITS" in structure
        or rows != columns
        or columns % LANES
        or columns == dataset.width  # strips, or a raster of one tile
        or rows * columns > _TILE_PIXELS_MAX
    ):
        return None
    places = tile_places(path)
    if places is None or places[0].size != -(-dataset.height // rows) * -(-dataset.width // columns):
        return None
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    if os.pread(descriptor, 2, 0) != _LITTLE_ENDIAN:
        os.close(descriptor)
        return None
    dtype = np.dtype(dataset.dtypes[0])
    return DeflateTiles(
        dataset=dataset,
        descriptor=descriptor,
        places=list(zip(*(array.tolist() for array in places), strict=True)),
        is_difference=structure.get("PREDICTOR") == "2",
        scratch=np.empty((rows, columns), dtype),
        plain=np.empty((rows, columns), dtype),
    )
