"""Writes a season cube block by block: each file of chunks is made once, whole, from the raw pixels of all scenes.

zarr-python makes the hierarchy and its metadata. The files of chunks are written here, chunk after chunk as the Zarr
specification has it, because a file written through the library is held several times over in memory. The cube's table
of chunks says where every chunk lies and what its bytes are: a chunk that is lost later cannot pass for empty land.
Memory holds one row of chunks of one resolution (36 scenes, four bands: 9 MB) and one of them compressed.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import numpy as np
import pyarrow as pa

from agrocredit.zonal.cube_layout import CHUNK, SHARD, ZARR
from agrocredit.zonal.layout import BLOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

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


class _CodecSettings(TypedDict):
    """What Blosc is told, here and in the metadata."""

    cname: Literal["lz4"]
    clevel: int


_ABSENT = 2**64 - 1
"""Offset and size of a chunk that a file does not have."""
_CODEC: _CodecSettings = {"cname": "lz4", "clevel": 5}


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
            compressors=BloscCodec(**_CODEC, shuffle="bitshuffle", typesize=np.dtype(array.dtype).itemsize),
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
    height, width = (-(-length // array.factor) for length in (season.grid.height, season.grid.width))
    for row0, col0 in _shard_corners(block, season, array):
        window = (row0, min(row0 + array.shard, height), col0, min(col0 + array.shard, width))
        path = folder / array.shard_key(row0 // array.chunk, col0 // array.chunk)
        path.parent.mkdir(parents=True, exist_ok=True)
        yield from _write_shard(path, season, array, window, read_layer)


def _write_shard(
    path: Path,
    season: CubeSeason,
    array: SeasonArray,
    window: tuple[int, int, int, int],
    read_layer: Callable[..., Any],
) -> Iterator[tuple[object, ...]]:
    """Write one file: chunks in order, then where each lies (offset, size; 64 bits, little-endian) and its CRC-32C.

    Zarr v3, sharding codec, https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/index.html
    """
    import google_crc32c

    index = np.full((SHARD // CHUNK, SHARD // CHUNK, 2), _ABSENT, "<u8")
    row0, row1, col0, col1 = window
    with path.open("wb") as file:
        for top in range(row0, row1, array.chunk):
            strip = _stacked(season, array, (top, min(top + array.chunk, row1), col0, col1), read_layer)
            for left in range(0, col1 - col0, array.chunk):
                chunk = _compressed(strip[:, :, :, left : left + array.chunk], array)
                index[(top - row0) // array.chunk, left // array.chunk] = file.tell(), len(chunk)
                place = top // array.chunk, (col0 + left) // array.chunk
                yield array.path, *place, file.tell(), len(chunk), hashlib.sha256(chunk).digest()
                file.write(chunk)
        checksum: int = google_crc32c.value(index.tobytes())
        file.write(index.tobytes() + checksum.to_bytes(4, "little"))


def _compressed(pixels: NDArray[Any], array: SeasonArray) -> bytes:
    """Return a chunk's bytes, zero beyond the grid. Blosc's own threads would order its parts by chance."""
    from numcodecs import blosc

    blosc.use_threads = False
    chunk = np.zeros((*pixels.shape[:2], array.chunk, array.chunk), np.dtype(array.dtype).newbyteorder("<"))
    chunk[:, :, : pixels.shape[2], : pixels.shape[3]] = pixels
    return bytes(blosc.compress(chunk, _CODEC["cname"].encode(), _CODEC["clevel"], blosc.BITSHUFFLE))


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


def _grid_attributes(season: CubeSeason) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(season.grid)
