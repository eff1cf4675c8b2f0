"""Scenes and plots to observations: one row a plot and acquisition.

Strategy: one task a scene. A task opens the scene, takes the coverage weights of its grid (built once, kept in the
run's work folder), reads only blocks that hold plots, and commits its sums there; what travels back is a path. Then the
rows are put together plot by plot: of several tiles of an acquisition the one that shows most of the plot speaks. The
dataset appears under its name in one step; a run that was stopped finds the committed scenes and goes on.
"""

from __future__ import annotations

import hashlib
import shutil
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from agrocredit.domain.errors import InputUnusableError, Refusal, WrongUsageError
from agrocredit.domain.summary import Summary
from pipelines.carry_over import carry_over
from pipelines.cube import publish_cube
from pipelines.cube_blocks import BlockName, CubeWork
from pipelines.engine import run_tasks
from pipelines.free_memory import give_back_free_memory
from pipelines.merge_acquisitions import Merged, merge_acquisitions
from pipelines.observe_scene import SceneOutcome, SceneWork, observe_scene, refused_scene
from pipelines.progress import Progress, silent
from pipelines.recipe import recipe_sha256
from pipelines.scene_weights import forget_weights, write_shapes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    import pyarrow as pa
    from distributed import Client

    from agrocredit.indices import IndexDefinition
    from agrocredit.scenes import Scene, SceneSet
    from agrocredit.store import PlotSet


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserveRequest:
    """What to observe, where, when."""

    scenes: str
    """STAC item collection, catalogue, collection or API."""
    plots: Path
    start: date
    end: date
    """Not included."""
    out: Path
    indices: tuple[str, ...] | None = None
    """Names, None for the default six."""
    index_file: Path | None = None
    """TOML with indices of the user's own."""
    collection: str | None = None
    allow_roots: tuple[str, ...] = ()
    """Folders, hosts and buckets the catalogue may lead to besides its own."""
    cache: Path | None = None
    """Folder for copies of remote assets and for coverage weights, which serve the next run too."""
    id_field: str | None = None
    cube: Path | None = None
    """Folder of a season cube to write from the same pass."""
    cube_blocks: tuple[str, ...] | None = None
    """Blocks of the cube as ``TILE/ROW/COLUMN``; None for all that hold a plot."""

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise WrongUsageError("date_range_invalid", f"start {self.start}, expected before the end {self.end}")
        if self.cube_blocks is not None and self.cube is None:
            raise WrongUsageError("cube_block_invalid", "blocks of a cube, but no cube to write")
        if self.cube == self.out:
            raise WrongUsageError("cube_invalid", f"cube and observations in one folder {self.out}, expected two")
        for name in self.cube_blocks or ():
            BlockName.parse(name)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunPlots:
    """What a run keeps of its plots: shapes are the largest thing it reads, and only weights are made of them."""

    ids: pa.StringArray
    """By number: sorted."""
    sha256: str
    """Hash of ids and shapes."""
    refused: tuple[Refusal, ...]


def observe(
    request: ObserveRequest, *, client: Client | None = None, workers: int | None = None, progress: Progress = silent
) -> Summary:
    """Write the observations dataset of a season; return what was counted and refused.

    Parameters
    ----------
    request : ObserveRequest
    client : distributed.Client, optional
        A cluster that sees the same files; threads without one.
    workers : int, optional
        Threads; as many as cores without it.
    progress : Progress
        Told after every scene.

    Raises
    ------
    InputUnusableError
        What readers raise; ``no_usable_scene`` if all were refused, ``no_plot_in_scenes`` if none touches a plot,
        ``scheduler_lost`` if the cluster goes away.
    RunInProgressError
        If another run holds the output.
    """
    from agrocredit.indices import DEFAULT_INDICES, load_indices
    from agrocredit.store.atomic import clean_temporaries
    from agrocredit.store.lock import hold

    with hold(request.out), hold(request.cube) if request.cube else nullcontext():
        clean_temporaries(request.out)
        if request.cube is not None:
            clean_temporaries(request.cube)
        definitions = load_indices(request.indices or DEFAULT_INDICES, extra=request.index_file)
        scene_set, work, plots = _prepare(request, definitions, is_shared=client is not None)
        give_back_free_memory()
        if work.cube is None:  # a cube needs pixels, which no dataset holds
            carry_over(
                scene_set.scenes,
                work,
                earlier=request.out,
                expected=_origin(plots, definitions),
                plot_ids=plots.ids,
                client=client,
                workers=workers,
            )
        task = partial(observe_scene, work=work)
        outcomes = run_tasks(
            task,
            scene_set.scenes,
            client=client,
            workers=workers,
            stage="observe",
            progress=progress,
            given_up=quarantined,
        )
        try:
            if work.cube is not None and request.cube is not None:
                publish_cube(
                    request.cube,
                    [outcome for outcome in outcomes if outcome.rows_file is not None],
                    cube=work.cube,
                    definitions=definitions,
                    client=client,
                    workers=workers,
                    progress=progress,
                )
            forget_weights(work.folder / "plots.parquet")
            return _publish(request, plots, definitions, scene_set, outcomes)
        finally:  # a run that was killed keeps its commits for the next; one that has its answer needs them no more
            shutil.rmtree(work.folder.parent)


def quarantined(scene: Scene) -> SceneOutcome:
    """Return what stands for a scene that takes down every worker that takes it up: nothing but a refusal."""
    detail = "each worker that took it up died, also with nothing else to do; the other scenes were used"
    return refused_scene(scene, (Refusal(code="scene_quarantined", detail=detail, scene_id=scene.scene_id),))


def _prepare(
    request: ObserveRequest, definitions: Sequence[IndexDefinition], *, is_shared: bool
) -> tuple[SceneSet, SceneWork, RunPlots]:
    """Return scenes, work and plots; the shapes lie in the work folder then, and are let go here."""
    from agrocredit.store.plot_files import read_plots

    plot_set = read_plots(request.plots, id_field=request.id_field)
    plots = RunPlots(ids=plot_set.table["id"].combine_chunks(), sha256=plot_set.sha256, refused=plot_set.refused)
    scene_set = _find(request, plot_set, definitions)
    return scene_set, _work(request, plot_set, definitions, is_shared=is_shared), plots


def _find(request: ObserveRequest, plot_set: PlotSet, definitions: Sequence[IndexDefinition]) -> SceneSet:
    from agrocredit.indices import compile_indices
    from agrocredit.scenes import find_scenes

    found = find_scenes(
        request.scenes,
        start=request.start,
        end=request.end,
        bands=compile_indices(definitions).bands,
        collection=request.collection,
        bounds_deg=plot_set.bounds_deg,
        allow_roots=request.allow_roots,
    )
    if found.outside_bounds and not found.scenes and not found.refused:
        detail = f"none of {len(plot_set)} plots lies in one of the {found.outside_bounds} scenes of the season"
        raise InputUnusableError("no_plot_in_scenes", detail)
    return found


def _work(
    request: ObserveRequest, plot_set: PlotSet, definitions: Sequence[IndexDefinition], *, is_shared: bool
) -> SceneWork:
    """Lay out the work folder; its name is a hash of what the sums depend on, so that only equal work is taken over."""
    from agrocredit.indices import compile_indices
    from agrocredit.store.atomic import atomic_file, output_errors

    recipe = recipe_sha256(definitions)
    keeps = f" {request.cube_blocks}" if request.cube else ""
    key = hashlib.sha256(f"{recipe} {plot_set.shapes_sha256} {request.scenes}{keeps}".encode()).hexdigest()[:16]
    folder = request.out.with_name(f".{request.out.name}.work") / key
    with output_errors(request.out):
        folder.mkdir(parents=True, exist_ok=True)
    with atomic_file(folder / "plots.parquet") as temporary:
        write_shapes(plot_set.table["geometry"], temporary)
    named = None if request.cube_blocks is None else tuple(map(BlockName.parse, request.cube_blocks))
    cube = CubeWork(folder=folder / "cube", blocks=named) if request.cube else None
    indices = compile_indices(definitions)
    return SceneWork(folder=folder, indices=indices, cache=request.cache, is_shared=is_shared, cube=cube)


def _publish(
    request: ObserveRequest,
    plots: RunPlots,
    definitions: Sequence[IndexDefinition],
    scene_set: SceneSet,
    outcomes: Sequence[SceneOutcome],
) -> Summary:
    from agrocredit.store.observations import write_observations

    seen = [outcome for outcome in outcomes if outcome.rows_file is not None]
    refused = [*scene_set.refused, *(refusal for outcome in outcomes for refusal in outcome.refused)]
    if not seen:
        first = f"; first: {refused[0].code} {refused[0].detail}" if refused else ""
        raise InputUnusableError("no_usable_scene", f"none of {len(outcomes)} scenes of {request.scenes} serves{first}")
    merged = merge_acquisitions(seen, plot_ids=plots.ids, names=[definition.column for definition in definitions])
    if not merged.touched.any():
        raise InputUnusableError("no_plot_in_scenes", f"none of {len(plots.ids)} plots lies in a scene")
    refused += _outside(plots, merged)
    ordered = tuple(sorted({*refused, *plots.refused}, key=_refusal_order))
    counts = {
        "plots": len(plots.ids),
        "plots_outside": int((~merged.touched).sum()),
        "scenes": len(seen),
        "superseded": len(scene_set.superseded),
        "acquisitions": len({outcome.acquisition for outcome in seen}),
        "observations": merged.rows,
    }
    manifest = {
        "schema_version": 1,
        **_origin(plots, definitions),
        "indices": [definition.short_name for definition in definitions],
        "grids": {outcome.manifest["grid"]: outcome.grid for outcome in seen},
        "scenes": [outcome.manifest for outcome in seen],
        "superseded": sorted(scene_set.superseded),
        "refused": [refusal.as_dict() for refusal in ordered],
        "counts": counts,
    }
    write_observations(merged.parts(), request.out, manifest=manifest)
    return Summary(counts=counts, refused=ordered, facts={"out": str(request.out)})


def _origin(plots: RunPlots, definitions: Sequence[IndexDefinition]) -> dict[str, str]:
    """Return what the rows of a scene depend on besides the scene."""
    return {"recipe": recipe_sha256(definitions), "plots_sha256": plots.sha256}


def _outside(plots: RunPlots, merged: Merged) -> list[Refusal]:
    missed = plots.ids.filter(~merged.touched).to_pylist()
    detail = "no scene of the run touches the plot"
    return [Refusal(code="plot_outside_scenes", detail=detail, plot_id=plot_id) for plot_id in missed]


def _refusal_order(refusal: Refusal) -> tuple[str, ...]:
    return (refusal.scene_id or "", refusal.plot_id or "", refusal.asset or "", refusal.code, refusal.detail)
