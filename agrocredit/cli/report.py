"""``agrocredit report``: one self-contained page about a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import Json


def report(
    run: Annotated[Path, typer.Argument(help="Run folder, as written by region or demo.")],
    out: Annotated[Path, typer.Option(help="HTML file to write.")],
    as_json: Json = False,
) -> None:
    """Draw map, curves, limits, abstentions and provenance into one HTML file."""
    from pipelines.report import write_report

    answer(lambda _: write_report(run, out=out), as_json=as_json)
