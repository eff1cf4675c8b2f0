"""Score a release on labelled data: the canonical folder in, one table of figures out, baselines beside the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agrocredit.domain.summary import Summary
from pipelines.progress import Progress, silent

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.scored_rows import ScoredRows


def evaluate(
    release: str,
    *,
    data: Path,
    years: tuple[int, int] | None = None,
    plot: Path | None = None,
    explain: Path | None = None,
    progress: Progress = silent,
) -> Summary:
    """Return the scores of a release on labelled data.

    Parameters
    ----------
    release : str
        Name under the models that ship, or a folder.
    data : Path
        Folder in the canonical form.
    years : (int, int), optional
        Harvest years to score, first and last; all by default. Earlier ones serve as history.
    plot : Path, optional
        PNG file to draw estimates, coverage and the narrowing interval into.
    explain : Path, optional
        JSON file to say in what moved the estimate of each area; a release of plots is refused.
    progress : Progress
        Told of every year.

    Returns
    -------
    Summary
        Its facts are the scores: ``n``, ``rmse_t_ha``, ``nrmse``, ``r2``, ``pinball``, ``pinball10``, ``coverage90``,
        ``width90_t_ha``, ``coverage80``, ``abstained``, the same under ``by_year``, ``by_region``, ``by_crop``,
        ``by_size`` (of plots whose area is known), ``by_month`` (as known at the end of each month before the last
        estimate, on the rows that one answered), and a line each under ``baselines``, on the rows the release answered.
        ``trained_to`` is the last harvest year that an area release learnt from: figures up to it are no test of it.

    Raises
    ------
    InputUnusableError
        ``labels_missing`` if the folder has no label of the release's crop in these years; what the readers raise.
    """
    from agrocredit.yields import rounded
    from pipelines.releases import named_area_release

    area = None if explain is None else named_area_release(release)  # refuses a release of plots before the long work
    stated, scored = _scored(release, data, years, progress)
    if explain is not None and area is not None:
        from pipelines.area_data import read_area_data
        from pipelines.explain_areas import write_area_explanations

        asked = sorted({int(year) for year in scored.rows["harvest_year"]})
        write_area_explanations(area, read_area_data(data, crop=area.facts.crop), years=asked, out=explain)
    if plot is not None:
        from pipelines.score_figure import draw_scores

        draw_scores(scored, plot, title=str(stated["release"]))
    return Summary(counts={"labels": len(scored.rows)}, facts=rounded({**stated, **scored.figures()}))


def _scored(
    release: str, data: Path, years: tuple[int, int] | None, progress: Progress
) -> tuple[dict[str, object], ScoredRows]:
    """Return what the release states of itself and the scored rows, by the release's kind."""
    from agrocredit.yields.area.release import KIND
    from agrocredit.yields.release_folder import release_kind
    from pipelines.releases import named_area_release, named_release, release_folder

    if release_kind(release_folder(release)) == KIND:
        from pipelines.area_data import read_area_data
        from pipelines.evaluate_areas import evaluate_areas

        area = named_area_release(release)
        read = read_area_data(data, crop=area.facts.crop)
        stated = {"release": area.facts.name, "trained_to": area.facts.trained_to}
        return stated, evaluate_areas(area, read, years=years, progress=progress)
    from pipelines.evaluate_plots import evaluate_plots
    from pipelines.labelled_data import read_labelled

    plots = named_release(release)
    labelled = read_labelled(data, crop=plots.facts.crop, years=years)
    return {"release": plots.facts.name}, evaluate_plots(plots, labelled, progress=progress)
