"""How a season cube lies on disk, and the records that say so.

A cube is a folder: ``manifest.json``, ``chunks.parquet`` and ``season.zarr``, a Zarr v3 hierarchy that any Zarr reader
opens. Each grid of the season has a group, named by the grid's key; in it stands one array a resolution, ``by_1`` for
bands on the grid itself, ``by_2`` for bands of twice the pixel size, with dimensions (scene, layer, row, column) and
raw numbers. A chunk covers 64 x 64 pixels of the grid with all scenes and layers; 8 x 8 chunks share a file. Nothing
is resampled, scaled or masked: what a pixel means stands in the manifest, scene by scene.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from numpy.typing import NDArray

    from agrocredit.domain.grid import Grid

CHUNK = 64
"""Pixels of the grid along the side of a chunk: a field of a hectare touches one or two."""
SHARD = 512
"""Pixels of the grid along the side of a file of chunks; divides the blocks of the engine."""
FORMAT = 1
"""Raise when the layout changes; cubes of another format are refused as stale."""
MANIFEST = "manifest.json"
CHUNKS = "chunks.parquet"
ZARR = "season.zarr"
MASK = "mask"
"""Name of the layer that holds classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonArray:
    """All layers of one resolution on one grid, over all its scenes."""

    group: str
    """The grid's key."""
    factor: int
    """Pixels of the grid along one pixel of these layers."""
    layers: tuple[str, ...]
    """Common band names, or ``mask``."""
    dtype: str
    """Type of the raw numbers, little-endian: ``uint16``."""

    def __post_init__(self) -> None:
        if self.factor < 1 or CHUNK % self.factor:
            raise InputUnusableError(
                "cube_grid_unsupported",
                f"{', '.join(self.layers)} with pixels {self.factor} times as large as the grid's, expected a divisor"
                f" of {CHUNK}",
            )

    @property
    def path(self) -> str:
        """Path within the Zarr hierarchy."""
        return f"{self.group}/by_{self.factor}"

    @property
    def chunk(self) -> int:
        """Side of a chunk in pixels of these layers."""
        return CHUNK // self.factor

    @property
    def shard(self) -> int:
        """Side of a shard in pixels of these layers."""
        return SHARD // self.factor

    def shard_key(self, row: int, col: int) -> str:
        """Return the file that holds a chunk, below the cube's folder.

        >>> SeasonArray(group="g", factor=2, layers=("mask",), dtype="uint8").shard_key(9, 0)
        'season.zarr/g/by_2/c/0/0/1/0'
        """
        return f"{ZARR}/{self.path}/c/0/0/{row // (SHARD // CHUNK)}/{col // (SHARD // CHUNK)}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CubeScene:
    """One scene of a cube: what its raw numbers mean. The position in the season is the first index of the arrays."""

    scene_id: str
    acquired_at: datetime
    acquisition: str
    scale: float
    """Reflectance is ``raw * scale + offset``."""
    offset: float
    factors: Mapping[str, int]
    """Layer to factor; a layer that is not named is absent, whatever stands in the array."""
    nodata: Mapping[str, float | None]
    clear: NDArray[np.bool_] | None
    """(256,): True where a pixel of the class may be used; None without a mask."""

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> CubeScene:
        """Return the scene of a manifest's entry."""
        from datetime import datetime

        clear = entry["clear"]
        return cls(
            scene_id=entry["scene_id"],
            acquired_at=datetime.fromisoformat(entry["acquired_at"]),
            acquisition=entry["acquisition"],
            scale=entry["scale"],
            offset=entry["offset"],
            factors=entry["factors"],
            nodata=entry["nodata"],
            clear=None if clear is None else np.isin(np.arange(256), clear),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CubeSeason:
    """The scenes of one grid."""

    grid: Grid
    scenes: tuple[CubeScene, ...]
    """By time, then id."""
    arrays: tuple[SeasonArray, ...]
    """By factor; empty where no block of the grid was kept."""
    entries: tuple[Mapping[str, Any], ...]
    """The scenes as the manifest has them: provenance, checksums, and all that `CubeScene` reads."""

    @property
    def step(self) -> int:
        """Pixels of the grid at whose multiples windows begin, so that no coarse pixel is cut."""
        return int(np.lcm.reduce([array.factor for array in self.arrays] or [1]))

    @property
    def bands(self) -> frozenset[str]:
        """Layers that at least one scene has, the mask left out."""
        return frozenset(name for array in self.arrays for name in array.layers) - {MASK}


def season_of(grid: Grid, entries: tuple[Mapping[str, Any], ...]) -> CubeSeason:
    """Return the season of one grid from its scenes' entries, sorted by time; the arrays follow from their layers.

    Parameters
    ----------
    grid : Grid
    entries : tuple of mapping
        As `CubeScene.from_entry` reads them, with ``dtypes`` (layer to type). None where no block was kept.
    """
    kinds: dict[int, dict[str, np.dtype[Any]]] = {}
    for entry in entries:
        for name, factor in entry["factors"].items():
            layers = kinds.setdefault(factor, {})
            dtype = np.dtype(entry["dtypes"][name])
            layers[name] = np.result_type(layers.get(name, dtype), dtype)
    arrays = tuple(
        SeasonArray(
            group=grid.key, factor=factor, layers=tuple(sorted(layers)), dtype=np.result_type(*layers.values()).name
        )
        for factor, layers in sorted(kinds.items())
    )
    return CubeSeason(grid=grid, scenes=tuple(map(CubeScene.from_entry, entries)), arrays=arrays, entries=entries)
