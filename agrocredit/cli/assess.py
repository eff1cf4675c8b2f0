"""``agrocredit assess``: estimates in, decisions out."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import IdField, Json, Plots, iso_date


def assess(
    estimates: Annotated[Path, typer.Option(help="Parquet file written by estimate.")],
    plots: Plots,
    policy: Annotated[str, typer.Option(help="Name of a policy that ships, or a TOML file.")],
    as_of: Annotated[date, typer.Option(parser=iso_date, metavar="DATE", help="Day of the decision.")],
    out: Annotated[Path, typer.Option(help="Parquet file of the decisions.")],
    holdings: Annotated[
        Path | None, typer.Option(help="Who farms which plot, with what share: CSV or Parquet.")
    ] = None,
    id_field: IdField = None,
    as_json: Json = False,
) -> None:
    """Decide a limit for every farmer, with the cap that sets it and the reasons."""
    from pipelines.assess import AssessRequest
    from pipelines.assess import assess as run

    request = AssessRequest(
        estimates=estimates, plots=plots, policy=policy, as_of=as_of, out=out, holdings=holdings, id_field=id_field
    )
    answer(lambda _: run(request), as_json=as_json)
