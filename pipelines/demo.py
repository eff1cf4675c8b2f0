"""The main job on the simulated sample region: build it, run it, and score the estimates, whose truth is known."""

from __future__ import annotations

from pathlib import Path

from agrocredit.domain.summary import Summary
from pipelines.labelled_series import write_labelled_series
from pipelines.progress import Progress, silent
from pipelines.region import run_region
from pipelines.run_folder import RunFolder

REGION = Path(__file__).parent / "regions" / "sample.toml"
CROSSING_RINGS = "geometry_invalid"
"""The code of the plots that the sample draws wrong on purpose."""


def run_demo(out: Path, *, workers: int | None = None, progress: Progress = silent) -> Summary:
    """Build the region and run it into `out`; return the closing figures with the scores.

    Refusals that the region was made to cause are not held against the run; any other is.

    Parameters
    ----------
    out : Path
        Folder for ``sample``, ``run`` and ``labelled``.
    workers : int, optional
        Threads; as many as cores without it.
    progress : Progress
        Told how far each step is.

    Raises
    ------
    AgrocreditError
        From the step that cannot go on.
    """
    from agrocredit.store.atomic import write_text
    from agrocredit.store.lock import hold
    from pipelines.evaluate import evaluate
    from pipelines.sample import build_sample

    with hold(out):
        progress("sample", 0, 1)
        sample = build_sample(out / "sample")
        progress("sample", 1, 1)
        region_file = out / "region.toml"
        write_text(REGION.read_text(encoding="utf-8"), region_file)
        summary = run_region(region_file, out=out / "run", workers=workers, progress=progress)
        run = RunFolder(out / "run")
        write_labelled_series(run, sample, out=out / "labelled")
        scores = evaluate(_release(run), data=out / "labelled", progress=progress)
    planted = {refusal.plot_id for refusal in summary.refused if refusal.code == CROSSING_RINGS}
    others = tuple(refusal for refusal in summary.refused if refusal.plot_id not in planted)
    facts = {**summary.facts, "scores": scores.facts, "plots_refused_on_purpose": sorted(map(str, planted))}
    return Summary(counts=summary.counts, refused=others, facts=facts)


def _release(run: RunFolder) -> str:
    """Return the release that answered in a run; plots of crops without one do not count."""
    from agrocredit.yields.prediction import NO_RELEASE

    releases: set[str] = set(run.read_estimates()["release"].to_pylist())
    return max(releases - {NO_RELEASE})
