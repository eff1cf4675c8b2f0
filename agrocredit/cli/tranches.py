"""``agrocredit tranches``: which parts of the limits are released."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import DecidedOn, Json, Policy


def tranches(
    decisions: Annotated[Path, typer.Argument(metavar="DEC", help="Parquet file written by assess.")],
    policy: Policy,
    as_of: DecidedOn,
    out: Annotated[Path, typer.Option(help="Parquet file of the tranches.")],
    seen: Annotated[
        Path | None,
        typer.Option(help="What was seen on the fields: farmer_id, season, event, seen_on; CSV or Parquet."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Part every approved limit and say what is released: at once, when the field shows it, or by time."""
    from pipelines.pay_out import pay_out

    answer(lambda _: pay_out(decisions, policy=policy, as_of=as_of, out=out, seen=seen), as_json=as_json)
