"""``agrocredit decision``: the same answer again, from its record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import Json

decision_app = typer.Typer(help="Decisions: replayable records.", no_args_is_help=True)


@decision_app.callback()
def _group() -> None:
    """Keep `replay` a subcommand although it is the only one."""


@decision_app.command()
def replay(
    record: Annotated[Path, typer.Argument(metavar="FILE", help="Decision record (JSON), as assess wrote it.")],
    as_json: Json = False,
) -> None:
    """Recompute a decision from its record; the same bytes, or the input that is missing."""
    from pipelines.replay import replay_decision

    answer(lambda _: replay_decision(record), as_json=as_json)
