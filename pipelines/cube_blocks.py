"""What a scene's task of `observe` leaves for the season cube: the raw pixels of the blocks to keep, as they were read.

A scene cannot write into the cube: a chunk holds all scenes. So its task puts the blocks into the run's work folder, a
file each, beside a record of what the numbers mean, and the cube is put together when all scenes are there.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agrocredit.domain.errors import WrongUsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from agrocredit.domain.grid import Grid
    from agrocredit.scenes import OpenedScene
    from agrocredit.zonal import Block, BlockPixels

SCENE_RECORD = "scene.json"
_NAME = re.compile(r"(?P<tile>[^/]+)/(?P<row>\d{1,4})/(?P<col>\d{1,4})")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockName:
    """A block as a user names it: ``32TMT/3/0``, the fourth row of blocks and the first column on that tile."""

    tile: str
    row: int
    col: int

    @classmethod
    def parse(cls, text: str) -> BlockName:
        """Return the block of a name.

        Raises
        ------
        WrongUsageError
            ``cube_block_invalid``.
        """
        found = _NAME.fullmatch(text)
        if found is None:
            raise WrongUsageError("cube_block_invalid", f"block {text!r}, expected TILE/ROW/COLUMN such as 32TMT/3/0")
        return cls(tile=found["tile"], row=int(found["row"]), col=int(found["col"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class CubeWork:
    """Where blocks for the cube go and which; small, because it travels with every task."""

    folder: Path
    blocks: tuple[BlockName, ...] | None
    """None keeps every block that holds a plot of the run."""

    def scene_folder(self, scene_id: str) -> Path:
        """Return where a scene's blocks are kept."""
        return self.folder / hashlib.sha256(scene_id.encode()).hexdigest()[:24]

    def named_on(self, opened: OpenedScene) -> set[int] | None:
        """Return the indices of the named blocks on a scene's grid, or None if blocks with plots are wanted."""
        from agrocredit.zonal.layout import BLOCK

        if self.blocks is None:
            return None
        down, across = -(-opened.grid.height // BLOCK), -(-opened.grid.width // BLOCK)
        return {
            name.row * across + name.col
            for name in self.blocks
            if name.tile == opened.scene.tile and name.row < down and name.col < across
        }


def keep_block(
    pixels: BlockPixels | None, *, opened: OpenedScene, block: Block, cube: CubeWork | None
) -> BlockPixels | None:
    """Return the pixels as they are, after keeping them for the cube if there is to be one and the block is wanted.

    Parameters
    ----------
    pixels : BlockPixels or None
        What was read for the kernel, None where it needed nothing; what it left out is read here.
    opened : OpenedScene
    block : Block
    cube : CubeWork or None
    """
    if cube is not None:
        named = cube.named_on(opened)
        if named is None or block.index in named:
            _write(_layers(opened, block, pixels), opened=opened, block=block, cube=cube)
    return pixels


def keep_blocks_without_plots(opened: OpenedScene, *, done: Sequence[Block], cube: CubeWork | None) -> None:
    """Read and keep the blocks that the user named and that hold no plot of the run.

    Parameters
    ----------
    opened : OpenedScene
    done : sequence of Block
        Blocks that were read for their plots.
    cube : CubeWork or None
    """
    if cube is None or cube.blocks is None:
        return
    for index in sorted((cube.named_on(opened) or set()) - {block.index for block in done}):
        block = block_of(opened.grid, index)
        _write(_layers(opened, block, None), opened=opened, block=block, cube=cube)


def forget_scene(opened: OpenedScene, *, cube: CubeWork | None) -> None:
    """Drop what was kept of a scene, so that it is kept anew with the bands that are left."""
    if cube is not None:
        shutil.rmtree(cube.scene_folder(opened.scene.scene_id), ignore_errors=True)


def block_of(grid: Grid, index: int) -> Block:
    """Return a block of the engine by its index on a grid, row by row, with no plots in it."""
    from agrocredit.zonal import Block
    from agrocredit.zonal.layout import BLOCK

    row0, col0 = (BLOCK * number for number in divmod(index, -(-grid.width // BLOCK)))
    row1, col1 = min(row0 + BLOCK, grid.height), min(col0 + BLOCK, grid.width)
    return Block(index=index, row0=row0, row1=row1, col0=col0, col1=col1, part_from=0, part_to=0)


def _layers(opened: OpenedScene, block: Block, pixels: BlockPixels | None) -> dict[str, NDArray[Any]]:
    """Return the raw rasters of a block; a band holds its missing value where stored tiles are cloud in whole."""
    from agrocredit.zonal.cube_layout import MASK

    if pixels is not None:
        layers = {name: band.dn for name, band in pixels.bands.items()}
        return layers if pixels.mask is None else {**layers, MASK: pixels.mask.classes}
    window = (block.row0, block.row1, block.col0, block.col1)
    if opened.clear is None:
        return {name: opened.read_window(name, *window) for name in opened.bands}
    classes = opened.read_window(MASK, *window)
    clear = opened.clear_window(block.row0, block.col0, classes)
    return {name: opened.read_window(name, *window, clear=clear) for name in opened.bands} | {MASK: classes}


def _write(layers: dict[str, NDArray[Any]], *, opened: OpenedScene, block: Block, cube: CubeWork) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    from agrocredit.store.atomic import atomic_file
    from agrocredit.store.canonical_json import write_json

    folder = cube.scene_folder(opened.scene.scene_id)
    with atomic_file(folder / f"{block.index}.block") as temporary:
        save_file({name: np.ascontiguousarray(raster) for name, raster in layers.items()}, temporary)
    if not (folder / SCENE_RECORD).is_file():
        write_json(_record(opened, layers), folder / SCENE_RECORD)


def _record(opened: OpenedScene, layers: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """Return all that is needed to read the scene's numbers later, and where they came from."""
    return {
        **opened.manifest_entry(),
        "factors": {name: opened.factors[name] for name in layers},
        "nodata": {name: opened.nodata[name] for name in layers},
        "dtypes": {name: raster.dtype.name for name, raster in layers.items()},
        "clear": None if opened.clear is None else [int(value) for value in opened.clear.nonzero()[0]],
    }
