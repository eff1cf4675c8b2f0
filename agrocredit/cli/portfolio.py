"""``agrocredit portfolio``: what all approved loans may lose together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import DecidedOn, Estimates, Finances, Holdings, IdField, Json, Plots, Policy


def portfolio(
    estimates: Estimates,
    plots: Plots,
    policy: Policy,
    as_of: DecidedOn,
    holdings: Holdings = None,
    finances: Finances = None,
    flood: Annotated[Path | None, typer.Option(help="GeoJSON polygons: plots they touch bring nothing.")] = None,
    id_field: IdField = None,
    as_json: Json = False,
) -> None:
    """Say what the loans that assess approves may lose together, by chance and under stress; nothing is written."""
    from pipelines.assess import AssessRequest
    from pipelines.loan_portfolio import loan_portfolio

    request = AssessRequest(
        estimates=estimates,
        plots=plots,
        policy=policy,
        as_of=as_of,
        out=Path(),  # nothing is written
        holdings=holdings,
        finances=finances,
        id_field=id_field,
    )
    answer(lambda _: loan_portfolio(request, flood=flood), as_json=as_json)
