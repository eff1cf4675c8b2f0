"""``agrocredit policy``: whether rules are well formed, and whom a change of rules moves."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import Estimates, Finances, Holdings, IdField, Json, iso_date

if TYPE_CHECKING:
    from agrocredit.domain.summary import Summary

policy_app = typer.Typer(help="Credit policies: dated numbers with units and references.", no_args_is_help=True)
SHOWN_MAX = 10


@policy_app.command()
def check(
    policy: Annotated[str, typer.Argument(metavar="FILE", help="TOML file, or the name of a policy that ships.")],
    as_json: Json = False,
) -> None:
    """Validate a policy pack; a fault is named with its line."""
    from pipelines.check_policy import check_policy

    answer(lambda _: check_policy(policy), as_json=as_json)


@policy_app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="Policy as it is: a TOML file, or a name that ships.")],
    after: Annotated[str, typer.Argument(metavar="B", help="Policy as it would be.")],
    estimates: Estimates,
    plots: Annotated[
        Path | None, typer.Option(help="Plots the estimates are of. [plots.parquet beside the estimates]")
    ] = None,
    as_of: Annotated[
        date | None,
        typer.Option(parser=iso_date, metavar="DATE", help="Day of both decisions. [that of the newest estimate]"),
    ] = None,
    holdings: Holdings = None,
    finances: Finances = None,
    id_field: IdField = None,
    as_json: Json = False,
) -> None:
    """Say who gains and who loses between two policies, and by how much; nothing is written."""
    from pipelines.policy_diff import DiffRequest, policy_diff

    request = DiffRequest(
        before=before,
        after=after,
        estimates=estimates,
        plots=plots,
        as_of=as_of,
        holdings=holdings,
        finances=finances,
        id_field=id_field,
    )
    answer(lambda _: policy_diff(request), as_json=as_json, show=_show_diff)


def _show_diff(summary: Summary) -> None:
    """Print the counts and amounts, then the largest changes a line each."""
    from agrocredit.domain.money import Money

    facts = dict(summary.facts)
    changes = cast("list[dict[str, Any]]", facts.pop("changes"))
    currency = str(facts.pop("currency"))
    typer.echo(f"{facts.pop('before')} -> {facts.pop('after')}")
    for name, count in summary.counts.items():
        typer.echo(f"{name.replace('_', ' '):<20}{count:>20}")
    for name, amount in facts.items():
        shown = str(Money(cast("int", amount), currency))
        typer.echo(f"{name.removesuffix('_minor').replace('_', ' '):<20}{shown:>20}")
    for change in changes[:SHOWN_MAX]:
        limits = [str(Money(change[key], currency)) for key in ("limit_before_minor", "limit_after_minor")]
        outcomes = f"{change['outcome_before']} -> {change['outcome_after']}"
        typer.echo(f"{change['farmer_id']}  {' -> '.join(limits)}  {outcomes}")
