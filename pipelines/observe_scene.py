"""One task of `observe`: a scene to committed sums of its plots.

A task looks for its own commit first, so that a run that was stopped does no work twice. Its record is written last:
rows without a record do not count. The commit bears the hash of all the catalogue says of the scene, so that a
corrected item is not taken for the one that was observed. A refused scene commits nothing: the next run may find it
whole.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from agrocredit.domain.errors import Refusal
from pipelines.cube_blocks import forget_scene, keep_block, keep_blocks_without_plots
from pipelines.scene_rows import write_rows
from pipelines.scene_weights import weights_on

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from agrocredit.indices import CompiledIndices
    from agrocredit.scenes import OpenedScene, Scene
    from agrocredit.zonal import Block, BlockPixels
    from pipelines.cube_blocks import CubeWork


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneWork:
    """What all scenes of a run share; small, because it travels with every task."""

    folder: Path
    """Work folder of the run, seen by all workers: ``plots.parquet`` in, commits out."""
    indices: CompiledIndices
    cache: Path | None
    """Folder for copies of remote assets, and for coverage weights that serve the next run too."""
    is_shared: bool = False
    """Whether processes other than this one take part."""
    cube: CubeWork | None = None
    """Which blocks to keep for a season cube, if there is to be one."""

    @property
    def weights_folder(self) -> Path | None:
        """Where coverage weights are kept: in the cache, or with the work of this run if others need them there."""
        kept = self.cache or (self.folder if self.is_shared else None)
        return kept and kept / "weights"

    @property
    def carried_folder(self) -> Path:
        """Commits taken over from an earlier dataset; a run that begins makes them anew, because files may change."""
        return self.folder / "carried"


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneOutcome:
    """What became of a scene."""

    scene_id: str
    acquisition: str
    acquired_at: datetime
    rows_file: Path | None
    """Records of `agrocredit.domain.tables.scene_row`, by plot; None if the scene was refused."""
    manifest: dict[str, Any]
    """What the run's manifest says of the scene; empty if it was refused."""
    grid: dict[str, Any]
    """The scene's grid, as plain values; empty if it was refused."""
    refused: tuple[Refusal, ...]


def observe_scene(scene: Scene, work: SceneWork) -> SceneOutcome:
    """Return what became of a scene, from its commit if there is one, else by doing the work and committing it.

    Parameters
    ----------
    scene : Scene
    work : SceneWork
    """
    from agrocredit.scenes import SceneRefusedError

    own, carried = commit_files(scene, work.folder), commit_files(scene, work.carried_folder)
    record_file, rows_file = carried if carried[0].is_file() else own
    if not (record_file.is_file() and rows_file.is_file()):  # an earlier build wrote rows of another kind
        try:
            _do(scene, work, record_file=record_file, rows_file=rows_file)
        except SceneRefusedError as error:
            return refused_scene(scene, error.refusals or (error.refusal(scene_id=scene.scene_id),))
    record = json.loads(record_file.read_bytes())
    return SceneOutcome(
        scene_id=scene.scene_id,
        acquisition=scene.acquisition,
        acquired_at=scene.acquired_at,
        rows_file=rows_file,
        manifest=record["manifest"],
        grid=record["grid"],
        refused=tuple(Refusal(**refusal) for refusal in record["refused"]),
    )


def commit_files(scene: Scene, folder: Path) -> tuple[Path, Path]:
    """Return where the record and the rows of a scene are or will be committed.

    Parameters
    ----------
    scene : Scene
    folder : Path
        `SceneWork.folder` or `SceneWork.carried_folder`.
    """
    name = hashlib.sha256(repr(scene).encode()).hexdigest()[:24]
    return folder / f"{name}.json", folder / f"{name}.rows"


def refused_scene(scene: Scene, refused: tuple[Refusal, ...]) -> SceneOutcome:
    """Return what stands for a scene of which nothing can be used.

    Parameters
    ----------
    scene : Scene
    refused : tuple of Refusal
        Why.
    """
    return SceneOutcome(
        scene_id=scene.scene_id,
        acquisition=scene.acquisition,
        acquired_at=scene.acquired_at,
        rows_file=None,
        manifest={},
        grid={},
        refused=refused,
    )


def _do(scene: Scene, work: SceneWork, *, record_file: Path, rows_file: Path) -> None:
    from agrocredit.scenes import open_scene

    with open_scene(scene, cache=work.cache, bands=work.indices.bands, scratch=work.folder) as opened:
        rows = _rows_that_can_be_read(opened, work)
        write_rows(rows, rows_file)
        grid = asdict(opened.grid)
        commit(record_file, manifest=opened.manifest_entry(), grid=grid, refused=opened.refused)


def _rows_that_can_be_read(opened: OpenedScene, work: SceneWork) -> NDArray[np.void]:
    """Return the rows of a scene; a band that breaks off midway costs its indices, everywhere, and not the scene.

    Everywhere, because a season in which an index has a value in one half of a scene and none in the other would say
    more of our files than of the fields.
    """
    from agrocredit.scenes import SceneRefusedError

    while True:
        try:
            return _rows(opened, work)
        except SceneRefusedError as error:
            opened.give_up(error)
            forget_scene(opened, cube=work.cube)


def _rows(opened: OpenedScene, work: SceneWork) -> NDArray[np.void]:
    """Return one row a plot that lies on the scene's grid, by plot number."""
    from agrocredit.zonal import PlotSums, finish, make_kernel

    on_grid = weights_on(opened.grid, plots_file=work.folder / "plots.parquet", folder=work.weights_folder)
    weights = on_grid.weights
    kernel = make_kernel(work.indices)
    sums = PlotSums.nothing_seen(weights, n_indices=len(work.indices.names))
    for block in weights.blocks:
        pixels = keep_block(_pixels(opened, block), opened=opened, block=block, cube=work.cube)
        if pixels is not None:
            kernel.accumulate(weights, block, pixels, sums)
    keep_blocks_without_plots(opened, done=weights.blocks, cube=work.cube)
    rows = finish(sums, weights=weights, names=work.indices.names)
    rows["plot"] = on_grid.numbers[rows["plot"]]
    return rows


def _pixels(opened: OpenedScene, block: Block) -> BlockPixels | None:
    """Return what the scene shows of a block, or None where all of it is cloud: then no band need be decoded.

    The pixels are good until the next block is read.
    """
    from agrocredit.zonal import BandPixels, BlockPixels, MaskPixels

    window = (block.row0, block.row1, block.col0, block.col1)
    mask, clear = None, None
    if opened.clear is not None:
        classes = opened.read_window("mask", *window, reuse=True)
        clear = opened.clear_window(block.row0, block.col0, classes)
        if clear is not None and not clear.is_clear.any():
            return None
        mask = MaskPixels(classes=classes, factor=opened.factors["mask"], is_clear=opened.clear)
    scale = opened.reflectance
    bands = {
        band: BandPixels(
            dn=opened.read_window(band, *window, clear=clear, reuse=True),
            factor=opened.factors[band],
            scale=scale.scale,
            offset=scale.offset,
            nodata=opened.nodata[band],
        )
        for band in opened.bands
    }
    return BlockPixels(bands=bands, mask=mask)


def commit(path: Path, *, manifest: Mapping[str, Any], grid: Mapping[str, Any], refused: tuple[Refusal, ...]) -> None:
    """Write the record that makes the rows of a scene count.

    Parameters
    ----------
    path : Path
    manifest : mapping
        What the run's manifest says of the scene.
    grid : mapping
        The scene's grid, as plain values.
    refused : tuple of Refusal
    """
    from agrocredit.store.canonical_json import write_json

    write_json({"manifest": manifest, "grid": grid, "refused": [refusal.as_dict() for refusal in refused]}, path)
