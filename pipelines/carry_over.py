"""What an earlier dataset already holds: a season that grew by a date is not observed again.

The published rows are turned back into the commits that the tasks of `observe` look for first, so nothing after this
knows of it and the bytes are those of a full run. A scene is taken over if recipe and plots are those of the dataset,
the catalogue says the same of it, every file it rests on still has the hash that the manifest records, and all tiles of
its acquisition are taken over with it: the dataset holds only rows of the tile that spoke.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from functools import partial
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from agrocredit.domain.errors import AgrocreditError
from agrocredit.domain.tables import index_columns, scene_row
from pipelines.engine import run_tasks
from pipelines.observe_scene import commit, commit_files
from pipelines.progress import silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from distributed import Client
    from numpy.typing import NDArray

    from agrocredit.scenes import Scene
    from pipelines.observe_scene import SceneWork


def carry_over(
    scenes: Sequence[Scene],
    work: SceneWork,
    *,
    earlier: Path,
    expected: Mapping[str, str],
    plot_ids: Sequence[str],
    client: Client | None = None,
    workers: int | None = None,
) -> list[str]:
    """Commit what an earlier dataset holds of these scenes; return their ids.

    Parameters
    ----------
    scenes : sequence of Scene
        All scenes of the run.
    work : SceneWork
        Where commits go.
    earlier : Path
        Folder of the dataset; nothing is taken over where it is none, or is not whole.
    expected : mapping of str to str
        What its manifest must say for its rows to be those of this run: ``recipe`` and ``plots_sha256``.
    plot_ids : sequence of str
        Ids by the plot numbers of the run.
    client, workers
        As in `pipelines.engine.run_tasks`: files are hashed in parallel.
    """
    from agrocredit.store.observations import read_manifest

    shutil.rmtree(work.carried_folder, ignore_errors=True)
    try:
        manifest = read_manifest(earlier)
        if any(manifest.get(name) != value for name, value in expected.items()):
            return []
        troubled = {refusal.get("scene_id") for refusal in manifest["refused"]}
        whole = [scene for scene in scenes if scene.scene_id not in troubled]  # the others may be whole by now
        standing = standing_scenes(whole, manifest, cache=work.cache, client=client, workers=workers)
        carried = whole_acquisitions(scenes, standing, manifest)
        _commit_all(carried, work, earlier, manifest, plot_ids)
    except (AgrocreditError, KeyError, TypeError, AttributeError):  # no dataset, or not whole, is no source
        return []
    return [scene.scene_id for scene in carried]


def standing_scenes(
    scenes: Sequence[Scene],
    manifest: Mapping[str, Any],
    *,
    cache: Path | None,
    client: Client | None = None,
    workers: int | None = None,
) -> set[str]:
    """Return ids of the scenes of which a manifest's record still holds, in the catalogue's words and in every byte.

    Parameters
    ----------
    scenes : sequence of Scene
    manifest : mapping
        Of an observations dataset.
    cache : Path or None
        Folder of remote copies.
    client, workers
        As in `pipelines.engine.run_tasks`.
    """
    recorded = {one["scene_id"]: one for one in manifest["scenes"]}
    known = [(scene, recorded[scene.scene_id]) for scene in scenes if scene.scene_id in recorded]
    answers = run_tasks(
        partial(_stands, cache=cache),
        known,
        client=client,
        workers=workers,
        stage="observe",
        progress=silent,
        given_up=lambda _: False,
    )
    return {scene.scene_id for (scene, _), stands in zip(known, answers, strict=True) if stands}


def _stands(known: tuple[Scene, Mapping[str, Any]], *, cache: Path | None) -> bool:
    from agrocredit.scenes.unchanged import description_sha256, is_unchanged

    scene, record = known
    digests = {key: asset["sha256"] for key, asset in record["assets"].items()}
    return record.get("item_sha256") == description_sha256(scene) and is_unchanged(scene, digests, cache=cache)


def whole_acquisitions(scenes: Sequence[Scene], standing: set[str], manifest: Mapping[str, Any]) -> list[Scene]:
    """Return the standing scenes whose acquisition consists of the same scenes as before, all of them standing.

    Parameters
    ----------
    scenes : sequence of Scene
        All scenes of the run.
    standing : set of str
    manifest : mapping
        Of the earlier dataset.
    """
    before: dict[str, set[str]] = {}
    now: dict[str, set[str]] = {}
    for record in manifest["scenes"]:
        before.setdefault(record["acquisition"], set()).add(record["scene_id"])
    for scene in scenes:
        now.setdefault(scene.acquisition, set()).add(scene.scene_id)
    same = {name for name, ids in now.items() if ids == before.get(name) and ids <= standing}
    return [scene for scene in scenes if scene.acquisition in same]


def _commit_all(
    scenes: Sequence[Scene], work: SceneWork, earlier: Path, manifest: Mapping[str, Any], plot_ids: Sequence[str]
) -> None:
    """Write rows and then the record of each scene; without a record the rows do not count."""
    from agrocredit.store.atomic import atomic_file

    if not scenes:
        return
    work.carried_folder.mkdir()
    recorded = {one["scene_id"]: one for one in manifest["scenes"]}
    with ExitStack() as open_files:
        writers: list[IO[bytes]] = []
        for scene in scenes:
            path = open_files.enter_context(atomic_file(commit_files(scene, work.carried_folder)[1]))
            writers.append(open_files.enter_context(path.open("wb")))
        for number, rows in _rows_by_scene(earlier, scenes, plot_ids):
            writers[number].write(rows.data)
    for scene in scenes:
        record = recorded[scene.scene_id]
        commit(
            commit_files(scene, work.carried_folder)[0],
            manifest=record,
            grid=manifest["grids"][record["grid"]],
            refused=(),
        )


def _rows_by_scene(
    folder: Path, scenes: Sequence[Scene], plot_ids: Sequence[str]
) -> Iterator[tuple[int, NDArray[np.void]]]:
    """Yield pieces of scenes, by their position, as committed rows: part by part, so a scene's are sorted by plot."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from agrocredit.store.observations import read_parts

    ids, known = pa.array(plot_ids, pa.string()), pa.array([scene.scene_id for scene in scenes], pa.string())
    for part in read_parts(folder):
        scene = pc.index_in(part["scene_id"], known).fill_null(-1).to_numpy()
        order = np.argsort(scene, kind="stable")
        edges = np.searchsorted(scene[order], np.arange(len(scenes) + 1))
        rows = np.empty(part.num_rows, scene_row(index_columns(part.column_names)))
        rows["plot"] = pc.index_in(part["plot_id"], ids).to_numpy()
        for name in rows.dtype.names[1:]:
            rows[name] = part[name].to_numpy()
        rows = rows[order]
        for number in range(len(scenes)):
            yield number, rows[edges[number] : edges[number + 1]]
