"""The season cube, opened: all scenes of a place in a few small chunks, each checked against the table of chunks.

The table says where every chunk lies, so a plot costs one request a file and one round trip, after one for the manifest
that says whether the cube is still the one we know. A chunk is decoded only if its SHA-256 is the table's; a chunk that
the table does not have was never written, and is an answer (``plot_outside_cube``), not a fill value.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.grid import Grid
from agrocredit.zonal.cube_layout import CHUNKS, FORMAT, MANIFEST, season_of
from agrocredit.zonal.cube_store import read_ranges, read_whole, store_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from obstore.store import ObjectStore

    from agrocredit.zonal.cube_layout import CubeSeason, SeasonArray

ChunkPlace = tuple[str, int, int]
"""Path of the array, row and column of the chunk."""

_tables: dict[str, dict[ChunkPlace, tuple[int, int, bytes]]] = {}
_TABLES_KEPT = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeasonCube:
    """A cube as its manifest describes it; made by `open_cube`."""

    store: ObjectStore
    manifest: Mapping[str, Any]
    seasons: tuple[CubeSeason, ...]
    """One a grid, by key; also grids of the run without a kept block, which have no arrays."""
    chunks: Mapping[ChunkPlace, tuple[int, int, bytes]]
    """Offset, size and SHA-256 of each chunk that was written."""

    def read(self, wanted: Iterable[tuple[SeasonArray, int, int]], *, scenes: int) -> dict[ChunkPlace, NDArray[Any]]:
        """Return decoded chunks, shape (scenes, layers, rows, columns) each, in one round trip.

        Parameters
        ----------
        wanted : iterable of (SeasonArray, row, col)
            Chunks that the table has.
        scenes : int
            Scenes of the season.

        Raises
        ------
        InputUnusableError
            ``cube_invalid`` where bytes are missing or are not those that were written.
        """
        by_file: dict[str, list[tuple[SeasonArray, int, int]]] = {}
        for array, row, col in wanted:
            by_file.setdefault(array.shard_key(row, col), []).append((array, row, col))
        places = {
            key: [self.chunks[array.path, row, col][:2] for array, row, col in those] for key, those in by_file.items()
        }
        pieces = read_ranges(self.store, places)
        return {
            (array.path, row, col): self._decoded(piece, array, row, col, scenes=scenes)
            for key, those in by_file.items()
            for piece, (array, row, col) in zip(pieces[key], those, strict=True)
        }

    def _decoded(self, piece: bytes, array: SeasonArray, row: int, col: int, *, scenes: int) -> NDArray[Any]:
        from numcodecs import blosc

        if hashlib.sha256(piece).digest() != self.chunks[array.path, row, col][2]:
            raise InputUnusableError(
                "cube_invalid", f"cube: chunk {row}, {col} of {array.path} is not what was written: its SHA-256 differs"
            )
        shape = (scenes, len(array.layers), array.chunk, array.chunk)
        numbers = np.frombuffer(blosc.decompress(piece), np.dtype(array.dtype).newbyteorder("<"))
        return numbers.reshape(shape)


def open_cube(source: Path | ObjectStore) -> SeasonCube:
    """Return a cube, ready to be read; what was parsed before is reused while the manifest's bytes stay the same.

    Parameters
    ----------
    source : Path or obstore store
        The cube's folder, or a store whose prefix is the cube.

    Raises
    ------
    InputUnusableError
        ``file_missing`` without a folder; ``cube_invalid`` where manifest or table of chunks are absent, broken or do
        not belong together; ``cube_stale`` for a cube of another format.
    """
    store = store_of(source)
    text = read_whole(store, MANIFEST)
    manifest, seasons, table_sha256 = _parsed(text)
    return SeasonCube(store=store, manifest=manifest, seasons=seasons, chunks=_table(store, table_sha256))


@lru_cache(maxsize=4)
def _parsed(text: bytes) -> tuple[Mapping[str, Any], tuple[CubeSeason, ...], str]:
    try:
        manifest = json.loads(text)
        if manifest["format"] != FORMAT:
            raise InputUnusableError("cube_stale", f"cube of format {manifest['format']!r}, expected {FORMAT}")
        seasons = tuple(
            season_of(Grid(**season["grid"]), tuple(season["scenes"]))
            for _, season in sorted(manifest["seasons"].items())
        )
        return manifest, seasons, str(manifest["chunks"]["sha256"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputUnusableError("cube_invalid", f"cube: {MANIFEST} is not a cube's manifest ({error})") from error


def _table(store: ObjectStore, sha256: str) -> dict[ChunkPlace, tuple[int, int, bytes]]:
    if sha256 not in _tables:
        data = read_whole(store, CHUNKS)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise InputUnusableError("cube_invalid", f"cube: {CHUNKS} is not the file that the manifest lists")
        try:
            columns = pq.read_table(io.BytesIO(data)).to_pydict()
            places = zip(columns["array"], columns["row"], columns["col"], strict=True)
            values = zip(columns["offset"], columns["nbytes"], columns["sha256"], strict=True)
        except (pa.ArrowException, KeyError) as error:
            raise InputUnusableError("cube_invalid", f"cube: {CHUNKS} is no table of chunks ({error})") from error
        while len(_tables) >= _TABLES_KEPT:
            _tables.pop(next(iter(_tables)))
        _tables[sha256] = dict(zip(places, values, strict=True))
    return _tables[sha256]
