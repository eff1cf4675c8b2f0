"""``agrocredit train`` and ``agrocredit evaluate``: make a release, score it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import Json
from agrocredit.cli.score_table import show_scores, show_training


def train(
    config: Annotated[Path, typer.Argument(help="Training file, see pipelines/training.")],
    out: Annotated[Path, typer.Option(help="Release folder to write, models/NAME.")],
    weather_folder: Annotated[Path | None, typer.Option(help="Folder of daily weather, to simulate seasons.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of labelled data, where the file learns from it.")] = None,
    as_json: Json = False,
) -> None:
    """Train a release, on simulated seasons under real weather or on labelled data, as its file says."""
    from pipelines.train import train as run

    answer(
        lambda progress: run(config, out=out, weather_folder=weather_folder, data=data, progress=progress),
        as_json=as_json,
        show=show_training,
    )


def evaluate(
    release: Annotated[str, typer.Option(help="Released model, by name or folder.")],
    data: Annotated[Path, typer.Option(help="Folder in the canonical labelled form.")],
    years: Annotated[str | None, typer.Option(metavar="A-B", help="Harvest years, first and last.")] = None,
    plot: Annotated[Path | None, typer.Option(help="PNG file to draw the scores into.")] = None,
    explain: Annotated[Path | None, typer.Option(help="JSON file to say in what moved each area's estimate.")] = None,
    as_json: Json = False,
) -> None:
    """Score a release on labelled data, beside its baselines."""
    from pipelines.evaluate import evaluate as run

    span = _years(years)
    answer(
        lambda progress: run(release, data=data, years=span, plot=plot, explain=explain, progress=progress),
        as_json=as_json,
        show=show_scores,
    )


def _years(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    first, dash, last = text.partition("-")
    last = last if dash else first
    if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        raise typer.BadParameter(f"{text!r} is not a range of years, expected 2016-2020", param_hint="--years")
    return int(first), int(last)
