"""The season cube of a run: put together from what the scenes left, block by block, and published whole.

Strategy: blocks are independent and touch different files of the cube, so each is a task. A task maps the kept blocks
of all scenes and holds one file of chunks at a time. The table of chunks and the manifest come last; then the folder
appears under its name in one step.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from agrocredit.domain.errors import InputUnusableError
from pipelines.cube_blocks import SCENE_RECORD, block_of
from pipelines.engine import run_tasks
from pipelines.recipe import recipe_sha256

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa
    from distributed import Client
    from numpy.typing import NDArray

    from agrocredit.indices import IndexDefinition
    from agrocredit.zonal.cube_layout import CubeSeason
    from pipelines.cube_blocks import CubeWork
    from pipelines.observe_scene import SceneOutcome
    from pipelines.progress import Progress

KIND = "cube"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockTask:
    """One block of one grid, over all its scenes."""

    season: CubeSeason
    block: int
    files: tuple[Path, ...]
    """Kept pixels of the block, in the order of the season's scenes."""


def publish_cube(
    path: Path,
    outcomes: Sequence[SceneOutcome],
    *,
    cube: CubeWork,
    definitions: Sequence[IndexDefinition],
    client: Client | None,
    workers: int | None,
    progress: Progress,
) -> int:
    """Write the cube of a season in one step; return its number of chunks. Equal inputs give equal bytes.

    Parameters
    ----------
    path : Path
        Folder of the cube; an earlier cube there is replaced.
    outcomes : sequence of SceneOutcome
        Scenes that were used, by time and id.
    cube : CubeWork
        Where their tasks left the blocks.
    definitions : sequence of IndexDefinition
        Indices of the run: the cube holds their bands.
    client, workers, progress
        As in `pipelines.engine.run_tasks`.

    Raises
    ------
    InputUnusableError
        ``cube_empty`` if no block was kept; ``cube_block_incomplete`` if a scene of a grid lacks a block that others
        have; what `atomic_folder` raises.
    """
    from agrocredit.store.folders import atomic_folder
    from agrocredit.zonal.cube_write import create_arrays

    seasons, tasks = _laid_out(outcomes, cube)
    if not tasks:
        wanted = "hold a plot" if cube.blocks is None else "were named"
        raise InputUnusableError("cube_empty", f"no scene of the run shows one of the blocks that {wanted}")
    with atomic_folder(path, kind=KIND) as temporary:
        for season in seasons:
            if season.arrays:
                create_arrays(temporary, season)
        task = partial(write_task, folder=temporary)
        tables = run_tasks(task, tasks, client=client, workers=workers, stage=KIND, progress=progress)
        return _seal(temporary, seasons, tables, definitions)


def write_task(task: BlockTask, *, folder: Path) -> pa.Table:
    """Write one block of a cube; return its rows of the table of chunks."""
    from safetensors import safe_open

    from agrocredit.zonal.cube_write import write_block

    place = block_of(task.season.grid, task.block)

    def read_layer(scene: int, layer: str, window: tuple[int, int, int, int]) -> NDArray[Any]:
        down, _, right, _ = place.window(task.season.scenes[scene].factors[layer])
        with safe_open(task.files[scene], framework="numpy") as kept:  # maps the file: only the window is read
            pixels: NDArray[Any] = kept.get_slice(layer)[
                window[0] - down : window[1] - down, window[2] - right : window[3] - right
            ]
            return pixels

    return write_block(folder, task.season, block=task.block, read_layer=read_layer)


def _laid_out(outcomes: Sequence[SceneOutcome], cube: CubeWork) -> tuple[list[CubeSeason], list[BlockTask]]:
    """Return the seasons, one a grid of the run, and the blocks to write."""
    from agrocredit.domain.grid import Grid
    from agrocredit.zonal.cube_layout import season_of

    by_grid: dict[str, list[SceneOutcome]] = {}
    for outcome in outcomes:
        by_grid.setdefault(outcome.manifest["grid"], []).append(outcome)
    seasons, tasks = [], []
    for _, those in sorted(by_grid.items()):
        folders = [cube.scene_folder(outcome.scene_id) for outcome in those]
        blocks = sorted({int(file.stem) for folder in folders for file in folder.glob("*.block")})
        entries = [_entry(folder) for folder in folders] if blocks else []
        season = season_of(Grid(**those[0].grid), tuple(entries))
        seasons.append(season)
        for block in blocks:
            files = tuple(folder / f"{block}.block" for folder in folders)
            tasks.append(BlockTask(season=season, block=block, files=files))
    return seasons, tasks


def _entry(folder: Path) -> dict[str, Any]:
    import json

    path = folder / SCENE_RECORD
    if not path.is_file():
        raise InputUnusableError(
            "cube_block_incomplete", "a scene has none of the blocks that others of its grid have; name its tile too"
        )
    entry: dict[str, Any] = json.loads(path.read_bytes())
    return entry


def _seal(
    folder: Path, seasons: Sequence[CubeSeason], tables: Sequence[pa.Table], definitions: Sequence[IndexDefinition]
) -> int:
    """Write the table of chunks and the manifest that lists it."""
    import pyarrow as pa

    from agrocredit.store.canonical_json import write_json
    from agrocredit.store.tables import write_parquet
    from agrocredit.zonal.cube_layout import CHUNKS, FORMAT, MANIFEST

    chunks = pa.concat_tables(tables).sort_by([("array", "ascending"), ("row", "ascending"), ("col", "ascending")])
    write_parquet(chunks, folder / CHUNKS)
    manifest = {
        "format": FORMAT,
        "recipe": recipe_sha256(definitions),
        "indices": [asdict(definition) for definition in definitions],
        "seasons": {
            season.grid.key: {"grid": asdict(season.grid), "scenes": list(season.entries)} for season in seasons
        },
        "chunks": {
            "file": CHUNKS,
            "rows": chunks.num_rows,
            "sha256": hashlib.sha256((folder / CHUNKS).read_bytes()).hexdigest(),
        },
    }
    write_json(manifest, folder / MANIFEST)
    return int(chunks.num_rows)
