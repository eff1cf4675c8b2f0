"""``agrocredit assess``: estimates in, decisions out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import DecidedOn, Estimates, Finances, Holdings, IdField, Json, Plots, Policy, Previous


def assess(
    estimates: Estimates,
    plots: Plots,
    policy: Policy,
    as_of: DecidedOn,
    out: Annotated[Path, typer.Option(help="Parquet file of the decisions.")],
    holdings: Holdings = None,
    finances: Finances = None,
    previous: Previous = None,
    id_field: IdField = None,
    as_json: Json = False,
) -> None:
    """Decide a limit for every farmer, with the cap that sets it and the reasons."""
    from pipelines.assess import AssessRequest
    from pipelines.assess import assess as run

    request = AssessRequest(
        estimates=estimates,
        plots=plots,
        policy=policy,
        as_of=as_of,
        out=out,
        holdings=holdings,
        finances=finances,
        previous=previous,
        id_field=id_field,
    )
    answer(lambda _: run(request), as_json=as_json)
