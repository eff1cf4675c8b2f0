"""``agrocredit price``: what the risk of each approved loan costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import DecidedOn, Estimates, Finances, Holdings, IdField, Json, Plots, Policy


def price(
    estimates: Estimates,
    plots: Plots,
    policy: Policy,
    as_of: DecidedOn,
    out: Annotated[Path, typer.Option(help="Parquet file of the prices.")],
    holdings: Holdings = None,
    finances: Finances = None,
    loan_history: Annotated[
        Path | None, typer.Option(help="Closed loans of farmers, repaid in time and late: CSV or Parquet.")
    ] = None,
    id_field: IdField = None,
    as_json: Json = False,
) -> None:
    """Price the risk of every loan that assess approves: default, expected loss, capital, rate and score."""
    from pipelines.assess import AssessRequest
    from pipelines.price_loans import price_loans

    request = AssessRequest(
        estimates=estimates,
        plots=plots,
        policy=policy,
        as_of=as_of,
        out=out,
        holdings=holdings,
        finances=finances,
        id_field=id_field,
    )
    answer(lambda _: price_loans(request, loan_history=loan_history), as_json=as_json)
