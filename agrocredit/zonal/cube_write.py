"""Writes a season cube block by block: each file of chunks is made once, whole, from the raw pixels of all scenes.

zarr-python writes the arrays. What it wrote is then looked up in each file's own index and hashed, so that the cube's
table of chunks says where every chunk lies and what its bytes are: a chunk that is lost later cannot pass for empty
land. Memory holds one file of chunks of one resolution at a time (36 scenes, four bands: 75 MB before compression).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from agrocredit.zonal.cube_layout import CHUNK, SHARD, ZARR
from agrocredit.zonal.layout import BLOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from zarr.core.array_spec import ArrayConfigParams

    from agrocredit.zonal.cube_layout import CubeSeason, SeasonArray

CHUNK_TABLE = pa.schema(
    [
        pa.field("array", pa.string(), nullable=False),
        pa.field("row", pa.int32(), nullable=False),
        pa.field("col", pa.int32(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("nbytes", pa.int64(), nullable=False),
        pa.field("sha256", pa.binary(32), nullable=False),
    ]
)
"""Where each chunk lies in its file, and the SHA-256 of its compressed bytes."""

_CHUNKS_ALONG = SHARD // CHUNK
_CRC_BYTES = 4
_SETTINGS: ArrayConfigParams = {"write_empty_chunks": True}
"""A chunk of zeros is written like any other: what is not there was never written."""


def create_arrays(folder: Path, season: CubeSeason) -> None:
    """Make the group and the empty arrays of a season; attributes say what the raw numbers mean.

    Parameters
    ----------
    folder : Path
        The cube's folder.
    season : CubeSeason
    """
    import zarr
    from zarr.codecs import BloscCodec

    group = zarr.open_group(folder / ZARR, mode="a").create_group(season.grid.key)
    group.attrs.update({"scenes": list(season.entries), "grid": _grid_attributes(season)})
    for array in season.arrays:
        shape = (len(season.scenes), len(array.layers))
        side = [-(-length // array.factor) for length in (season.grid.height, season.grid.width)]
        group.create_array(
            f"by_{array.factor}",
            shape=(*shape, *side),
            chunks=(*shape, array.chunk, array.chunk),
            shards=(*shape, array.shard, array.shard),
            dtype=array.dtype,
            fill_value=0,
            # Bits of neighbouring pixels side by side: raw reflectance has few of them changing.
            compressors=BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle"),
            dimension_names=("scene", "layer", "row", "column"),
            attributes={"layers": list(array.layers), "factor": array.factor},
        )


def write_block(folder: Path, season: CubeSeason, *, block: int, read_layer: Callable[..., Any]) -> pa.Table:
    """Write all files of chunks of one block of the engine and return their rows of the table of chunks.

    Parameters
    ----------
    folder : Path
        The cube's folder, after `create_arrays`.
    season : CubeSeason
    block : int
        Index of the block, row by row. Blocks touch different files, so they may be written side by side.
    read_layer : callable
        ``read_layer(scene, layer, (row0, row1, col0, col1))`` returns raw pixels of a window on the layer's own grid.
    """
    rows = [row for array in season.arrays for row in _write_shards(folder, season, array, block, read_layer)]
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), CHUNK_TABLE, strict=True)],
        schema=CHUNK_TABLE,
    )


def _write_shards(
    folder: Path, season: CubeSeason, array: SeasonArray, block: int, read_layer: Callable[..., Any]
) -> Iterator[tuple[object, ...]]:
    import zarr

    # Opening drops the setting that the array was made with, so it is given again.
    target = zarr.open_array(folder / ZARR / array.path, mode="r+").with_config(_SETTINGS)
    height, width = target.shape[2:]
    for row0, col0 in _shard_corners(block, season, array):
        window = (row0, min(row0 + array.shard, height), col0, min(col0 + array.shard, width))
        target[:, :, window[0] : window[1], window[2] : window[3]] = _stacked(season, array, window, read_layer)
        yield from _written(folder, array, window)


def _shard_corners(block: int, season: CubeSeason, array: SeasonArray) -> Iterator[tuple[int, int]]:
    """Yield the first row and column, on the array's own grid, of the files that lie in a block."""
    block_row, block_col = divmod(block, -(-season.grid.width // BLOCK))
    for row in range(block_row * BLOCK, min((block_row + 1) * BLOCK, season.grid.height), SHARD):
        for col in range(block_col * BLOCK, min((block_col + 1) * BLOCK, season.grid.width), SHARD):
            yield row // array.factor, col // array.factor


def _stacked(
    season: CubeSeason, array: SeasonArray, window: tuple[int, int, int, int], read_layer: Callable[..., Any]
) -> NDArray[Any]:
    """Return (scenes, layers, rows, columns) of a window; zeros where a scene lacks a layer, as its entry says."""
    row0, row1, col0, col1 = window
    pixels = np.zeros((len(season.scenes), len(array.layers), row1 - row0, col1 - col0), array.dtype)
    for number, scene in enumerate(season.scenes):
        for layer, name in enumerate(array.layers):
            if scene.factors.get(name) == array.factor:
                pixels[number, layer] = read_layer(number, name, window)
    return pixels


def _written(folder: Path, array: SeasonArray, window: tuple[int, int, int, int]) -> Iterator[tuple[object, ...]]:
    """Yield a row of the table for each chunk of the file that covers a window, from the file's own index.

    The index stands at the end: offset and size of every chunk, 64 bits each, little-endian, then four bytes of CRC
    (Zarr v3, sharding codec, https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/index.html).
    """
    row0, row1, col0, col1 = (length // array.chunk for length in (window[0], window[1] - 1, window[2], window[3] - 1))
    data = (folder / array.shard_key(row0, col0)).read_bytes()
    end = len(data) - _CRC_BYTES
    index = np.frombuffer(data[end - 16 * _CHUNKS_ALONG**2 : end], "<u8").reshape(_CHUNKS_ALONG, _CHUNKS_ALONG, 2)
    for row in range(row0, row1 + 1):
        for col in range(col0, col1 + 1):
            offset, nbytes = (int(number) for number in index[row - row0, col - col0])
            chunk = data[offset : offset + nbytes]
            assert len(chunk) == nbytes > 0  # noqa: S101 - zarr writes every chunk of a file it writes whole
            yield array.path, row, col, offset, nbytes, hashlib.sha256(chunk).digest()


def _grid_attributes(season: CubeSeason) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(season.grid)
