"""Scores of a release beside its baselines, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agrocredit.domain.summary import Summary

NAME_WIDTH = 30
COLUMNS = ("n", "rmse_t_ha", "nrmse", "r2", "pinball", "coverage90", "width90_t_ha", "coverage80")
BAR_WIDTH = 24
GROUPS = ("by_year", "by_region", "by_crop", "by_size", "by_month")
NOTES = {
    "region_alone": "region_alone knows the region's earlier years",
    "regional_mean": "regional_mean and ndvi_integral are fitted on other rows' true yields, also of the same season",
    "level_alone": "level_alone is a point without an interval: its coverage says nothing",
    "pooled_trend": "the other baselines know what was harvested in earlier years",
}


def show_scores(summary: Summary) -> None:
    """Print one line a model: the release, then its baselines, then the groups."""
    show_score_lines(summary.facts)
    trained_to = cast("int | None", summary.facts.get("trained_to"))
    learnt = [year for year in cast("Mapping[str, object]", summary.facts["by_year"]) if int(year) <= (trained_to or 0)]
    if learnt:
        typer.echo(f"the release learnt from harvests to {trained_to}: {', '.join(learnt)} are no test of it")
    for group in GROUPS:
        rows = cast("Mapping[str, Mapping[str, object]]", summary.facts.get(group, {}))
        if len(rows) > 1:
            typer.echo(f"\n{group.replace('_', ' ')}")
            for name, scores in rows.items():
                _line(name, scores)


def show_training(summary: Summary) -> None:
    """Print what a release was trained on and its scores on complete seasons of the test years."""
    scores = cast("Mapping[str, Mapping[str, Mapping[str, object]]]", summary.facts["scores"])
    if "a_year_ahead" in scores:
        typer.echo(f"{summary.facts['release']}: every year answered by what could be learnt the year before:\n")
        show_score_lines({"release": summary.facts["release"], **scores["a_year_ahead"]})
        return
    seasons = ", ".join(f"{count} to {name}" for name, count in summary.counts.items())
    typer.echo(f"{summary.facts['release']}: simulated seasons, {seasons}; complete seasons of the test years:\n")
    _header()
    for name, line in scores["complete"].items():
        _line(name, line)


def show_score_lines(scores: Mapping[str, object]) -> None:
    """Print the header, the release's line and a line for each baseline that has an answer, errors drawn as bars."""
    baselines = cast("Mapping[str, Mapping[str, object]]", scores.get("baselines", {}))
    known = {name: line for name, line in baselines.items() if line.get("n")}
    lines = {str(scores.get("release", "release")): scores, **known}
    errors = [cast("float", line["rmse_t_ha"]) for line in lines.values() if line.get("rmse_t_ha") is not None]
    _header()
    for name, line in lines.items():
        _line(name, line, error_max=max(errors, default=None))
    if silent := sorted(set(baselines) - set(known)):
        typer.echo(f"without enough earlier years to answer: {', '.join(silent)}")
    answered = cast("int", scores.get("n", 0))
    if fewer := [name for name, line in known.items() if cast("int", line["n"]) < answered]:
        typer.echo(f"on fewer rows than the release, so no fair comparison: {', '.join(fewer)}")
    notes = [note for name, note in NOTES.items() if name in known]
    typer.echo("; ".join([f"abstained on {scores.get('abstained', 0)}", *notes]))


def _header() -> None:
    typer.echo(f"{'':<{NAME_WIDTH}}" + "".join(f"{column:>14}" for column in COLUMNS))


def _line(name: str, scores: Mapping[str, object], *, error_max: float | None = None) -> None:
    """Print one line; with `error_max`, its error as a bar that is full at that error."""
    cells = []
    for column in COLUMNS:
        value = scores.get(column)
        cells.append(f"{value:>14.3f}" if isinstance(value, float) else f"{'-' if value is None else value!s:>14}")
    error = scores.get("rmse_t_ha")
    drawn = "  " + "▇" * round(BAR_WIDTH * error / error_max) if error_max and isinstance(error, float) else ""
    typer.echo(f"{name:<{NAME_WIDTH}}" + "".join(cells) + drawn)
