"""``agrocredit demo``: the main job on the simulated sample region."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import Json, Workers
from agrocredit.cli.outcome_table import show_outcome


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the region, the run and the report.")] = Path("build/demo"),
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Build the simulated sample region and run the main job on it, end to end."""
    from pipelines.demo import run_demo

    answer(lambda progress: run_demo(out, workers=workers, progress=progress), as_json=as_json, show=show_outcome)
