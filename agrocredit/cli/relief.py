"""``agrocredit relief``: what a crop loss allows to be restructured, as a proposal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import DecidedOn, Estimates, Json


def relief(
    estimates: Estimates,
    history: Annotated[Path, typer.Option(help="Yields of earlier years, CSV or Parquet: their mean is normal.")],
    as_of: DecidedOn,
    out: Annotated[Path, typer.Option(help="Parquet file of the proposals.")],
    rules: Annotated[
        str, typer.Option(help="Name of a relief pack that ships, or a TOML file.")
    ] = "disaster-relief-in",
    as_json: Json = False,
) -> None:
    """Propose what relief each plot's loss allows; a person confirms it, and nothing acts on it."""
    from pipelines.relief import propose_relief

    answer(lambda _: propose_relief(estimates, normal=history, rules=rules, as_of=as_of, out=out), as_json=as_json)
