"""The table that ends a run: plots seen, farmers answered, money promised, and what set the limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agrocredit.domain.summary import Summary

ROWS = (
    ("plots", "plots"),
    ("seen", "plots_seen"),
    ("refused", "plots_refused"),
    ("abstained", "plots_abstained"),
    ("farmers", "farmers"),
    ("approved", "approved"),
    ("referred", "referred"),
    ("declined", "declined"),
)


def show_outcome(summary: Summary) -> None:
    """Print the outcome of a run as an aligned table, then where its files lie."""
    if summary.facts.get("simulated"):
        typer.echo("Simulated region: nothing here is a result about any real place.\n")
    for label, key in ROWS:
        _row(label, summary.counts.get(key, 0))
    _row("total limit", summary.facts.get("total_limit", "-"))
    for title, key in (("binding caps", "binding_caps"), ("abstained because", "abstained_because")):
        _tally(title, cast("Mapping[str, int]", summary.facts.get(key, {})))
    scores = cast("Mapping[str, object]", summary.facts.get("scores", {}))
    if scores:
        from agrocredit.cli.score_table import show_score_lines

        typer.echo("")
        show_score_lines(scores)
    typer.echo(f"\nrun     {summary.facts.get('run')}\nreport  {summary.facts.get('report')}")


def _row(label: str, value: object) -> None:
    typer.echo(f"{label:<24}{value!s:>16}")


def _tally(title: str, counts: Mapping[str, int]) -> None:
    if counts:
        typer.echo(title)
        for name, count in counts.items():
            _row(f"  {name}", count)
