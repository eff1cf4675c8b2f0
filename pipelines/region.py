"""All steps for a region, and the report: plots -> observations -> estimates -> decisions -> notices, tranches -> page.

Every step writes one file or folder into the run folder and notes in ``run.json`` what it rests on. ``resume`` skips a
step whose note and output still stand; because each step gives the same bytes for the same inputs, a resumed run ends
in the same folder as an undisturbed one.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from agrocredit.domain.summary import Summary
from pipelines.assess import AssessRequest, assess
from pipelines.carry_over import standing_scenes
from pipelines.check_plots import check_plots
from pipelines.cut_notices import write_cut_notices
from pipelines.estimate import EstimateRequest, estimate
from pipelines.observe import ObserveRequest, observe
from pipelines.outcome import abstained_because, decision_counts, decision_facts, estimate_counts, seen_counts
from pipelines.pay_out import pay_out
from pipelines.progress import Progress, silent
from pipelines.region_config import RegionConfig, load_region
from pipelines.report import write_report
from pipelines.run_folder import RunFolder
from pipelines.run_record import FILE, RunRecord, Step, read_run_record, step_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from distributed import Client


def run_region(
    config_path: Path,
    *,
    out: Path | None = None,
    resume: bool = False,
    client: Client | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> Summary:
    """Run a region from plots to report; return its closing figures.

    Parameters
    ----------
    config_path : Path
        The region's TOML file, see `RegionConfig`.
    out : Path, optional
        Run folder; else the one the file names.
    resume : bool
        Keep finished steps whose inputs did not change.
    client, workers
        As in `pipelines.engine.run_tasks`.
    progress : Progress
        Told how far each step is.

    Raises
    ------
    AgrocreditError
        From the first step that cannot go on; finished steps stay.
    """
    from agrocredit.store.folders import claim_folder
    from agrocredit.store.lock import hold

    config = load_region(config_path)
    run = RunFolder(out or config.out)
    with hold(run.path):
        claim_folder(run.path, kind="run")
        steps = _Steps(run, config, resume=resume)
        steps.do("plots", run.plots, _plots_key(config), lambda: _check(config, run))
        steps.do(
            "observe",
            run.observations,
            _observe_key(config, run),
            lambda: _observe(config, run, client, workers, progress),
            stands=lambda: _pixels_stand(config, run),
        )
        steps.do("estimate", run.estimates, _estimate_key(config, run), lambda: _estimate(config, run, progress))
        steps.do("assess", run.decisions, _assess_key(config, run), lambda: assess(_assess_request(config, run)))
        steps.do("notices", run.notices, _notices_key(config, run), lambda: _notices(config, run))
        steps.do("tranches", run.tranches, _tranches_key(config, run), lambda: _tranches(config, run))
        return _close(steps, run)


class _Steps:
    """Does steps in order and keeps their record on disk."""

    def __init__(self, run: RunFolder, config: RegionConfig, *, resume: bool) -> None:
        self.run = run
        self.earlier = read_run_record(run.path) if resume else None
        self.record = RunRecord(title=config.title, simulated=config.simulated)

    def do(
        self,
        name: str,
        output: Path,
        key: str,
        step: Callable[[], Summary],
        *,
        stands: Callable[[], bool] = lambda: True,
    ) -> None:
        """Do one step, or take over what an earlier run did of it; `stands` looks at inputs that no key covers."""
        done = self.earlier.steps.get(name) if self.earlier else None
        if done is None or done.key != key or not output.exists() or not stands():
            done = Step(key=key, summary=_without_place(step()))
        self.record = self.record.with_step(name, done)
        self.write()

    def write(self) -> None:
        """Put the record on disk, whole."""
        from agrocredit.store.canonical_json import write_json

        write_json(self.record.as_dict(), self.run.path / FILE)


def _without_place(summary: Summary) -> Summary:
    """Return a summary that does not say where its output lies, so that equal runs leave equal records."""
    return replace(summary, facts={name: value for name, value in summary.facts.items() if name != "out"})


def _close(steps: _Steps, run: RunFolder) -> Summary:
    estimates, decisions = run.read_estimates(), run.read_decisions()
    refused_plots = steps.record.steps["plots"].summary.counts["refused"]
    counts = {
        "plots_refused": refused_plots,
        **seen_counts(run.read_observations()),
        **estimate_counts(estimates),
        **decision_counts(decisions),
    }
    facts = {"abstained_because": abstained_because(estimates), **decision_facts(decisions)}
    steps.record = replace(steps.record, outcome={"counts": counts, **facts})
    steps.write()
    write_report(run.path, out=run.report)
    places = {"run": str(run.path), "report": str(run.report), "simulated": steps.record.simulated}
    return Summary(counts=counts, refused=steps.record.refused, facts={**facts, **places})


def _plots_key(config: RegionConfig) -> str:
    return step_key(config.plots.file, config.plots.id_field)


def _check(config: RegionConfig, run: RunFolder) -> Summary:
    return check_plots(config.plots.file, out=run.plots, report=None, id_field=config.plots.id_field)


def _observe_key(config: RegionConfig, run: RunFolder) -> str:
    scenes = config.scenes
    extra = (scenes.index_file,) if scenes.index_file else ()
    source = (Path(scenes.source),) if "://" not in scenes.source else (scenes.source,)
    return step_key(run.plots, scenes.start, scenes.end, scenes.collection, scenes.indices, *source, *extra)


def _pixels_stand(config: RegionConfig, run: RunFolder) -> bool:
    """Return whether no scene was refused and the source still has those that were observed, in every byte.

    What was refused may be whole by now; `observe` takes over the scenes that stand, so looking again costs the others.
    An API is not asked again: a run that goes on ends with the season it began with.
    """
    from agrocredit.indices import DEFAULT_INDICES, compile_indices, load_indices
    from agrocredit.scenes import find_scenes
    from agrocredit.store.observations import read_manifest
    from agrocredit.store.plot_files import read_plots

    settings = config.scenes
    manifest = read_manifest(run.observations)
    if any("plot_id" not in refusal for refusal in manifest["refused"]):
        return False
    if "://" in settings.source:
        return True
    definitions = load_indices(settings.indices or DEFAULT_INDICES, extra=settings.index_file)
    found = find_scenes(
        settings.source,
        start=settings.start,
        end=settings.end,
        bands=compile_indices(definitions).bands,
        collection=settings.collection,
        bounds_deg=read_plots(run.plots).bounds_deg,
        allow_roots=settings.allow_roots,
    )
    observed = {record["scene_id"] for record in manifest["scenes"]}
    known = {scene.scene_id for scene in found.scenes}
    return known == observed == standing_scenes(found.scenes, manifest, cache=settings.cache)


def _observe(
    config: RegionConfig, run: RunFolder, client: Client | None, workers: int | None, progress: Progress
) -> Summary:
    request = ObserveRequest(
        scenes=config.scenes.source,
        plots=run.plots,
        start=config.scenes.start,
        end=config.scenes.end,
        out=run.observations,
        indices=config.scenes.indices,
        index_file=config.scenes.index_file,
        collection=config.scenes.collection,
        allow_roots=config.scenes.allow_roots,
        cache=config.scenes.cache,
    )
    return observe(request, client=client, workers=workers, progress=progress)


def _estimate_key(config: RegionConfig, run: RunFolder) -> str:
    settings = config.estimate
    files = [path for path in (settings.weather, settings.history) if path is not None]
    plain = (settings.crop, settings.harvest_year, settings.as_of, settings.region, settings.release)
    return step_key(run.plots, run.observations / "manifest.json", *plain, *files)


def _estimate(config: RegionConfig, run: RunFolder, progress: Progress) -> Summary:
    settings = config.estimate
    request = EstimateRequest(
        observations=run.observations,
        plots=run.plots,
        crop=settings.crop,
        harvest_year=settings.harvest_year,
        out=run.estimates,
        as_of=settings.as_of,
        weather=settings.weather,
        history=settings.history,
        region=settings.region,
        release=settings.release,
    )
    return estimate(request, progress=progress)


def _rules(config: RegionConfig) -> str | Path:
    """Return the policy as a key reads it: a file by its bytes, a pack that ships by its name."""
    policy = Path(config.assess.policy)
    return policy if policy.is_file() else config.assess.policy


def _assess_key(config: RegionConfig, run: RunFolder) -> str:
    known = {"holdings": config.plots.holdings, "finances": config.assess.finances, "previous": config.assess.previous}
    files = [part for name, path in known.items() if path is not None for part in (name, path)]
    return step_key(run.plots, run.estimates, _rules(config), config.assess.as_of, *files)


def _assess_request(config: RegionConfig, run: RunFolder) -> AssessRequest:
    return AssessRequest(
        estimates=run.estimates,
        plots=run.plots,
        policy=config.assess.policy,
        as_of=config.assess.as_of,
        out=run.decisions,
        holdings=config.plots.holdings,
        finances=config.assess.finances,
        previous=config.assess.previous,
    )


def _notices_key(config: RegionConfig, run: RunFolder) -> str:
    return step_key(run.decisions, _rules(config))


def _notices(config: RegionConfig, run: RunFolder) -> Summary:
    return write_cut_notices(_assess_request(config, run), out=run.notices)


def _tranches_key(config: RegionConfig, run: RunFolder) -> str:
    seen = (config.assess.seen,) if config.assess.seen else ()
    return step_key(run.decisions, _rules(config), config.assess.as_of, *seen)


def _tranches(config: RegionConfig, run: RunFolder) -> Summary:
    settings = config.assess
    return pay_out(run.decisions, policy=settings.policy, as_of=settings.as_of, out=run.tranches, seen=settings.seen)
