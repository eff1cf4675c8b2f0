"""``agrocredit region``: observe, estimate, assess and report a whole region."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import Json, Scheduler, Workers
from agrocredit.cli.outcome_table import show_outcome

if TYPE_CHECKING:
    from agrocredit.domain.summary import Summary
    from pipelines.progress import Progress


def region(
    config: Annotated[Path, typer.Argument(metavar="REGION.toml", help="What the region is made of.")],
    out: Annotated[Path | None, typer.Option(help="Run folder; else the one the file names.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Keep the steps that are already finished.")] = False,
    scheduler: Scheduler = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Run all three steps for a region and draw the report."""
    from pipelines.engine import cluster
    from pipelines.region import run_region

    def on_engine(progress: Progress) -> Summary:
        with cluster(scheduler) as client:
            return run_region(config, out=out, resume=resume, client=client, workers=workers, progress=progress)

    answer(on_engine, as_json=as_json, show=show_outcome)
