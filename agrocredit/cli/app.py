"""The table of commands."""

from __future__ import annotations

import typer

from agrocredit.cli.assess import assess
from agrocredit.cli.backtest import backtest
from agrocredit.cli.books import close_day, db_app, verify
from agrocredit.cli.data import data_app
from agrocredit.cli.decision import decision_app
from agrocredit.cli.demo import demo
from agrocredit.cli.estimate import estimate
from agrocredit.cli.keys import keys_app
from agrocredit.cli.loans import limit_app, loan_app
from agrocredit.cli.observe import observe
from agrocredit.cli.plots import plots_app
from agrocredit.cli.policy import policy_app
from agrocredit.cli.portfolio import portfolio
from agrocredit.cli.price import price
from agrocredit.cli.publish import publish
from agrocredit.cli.region import region
from agrocredit.cli.release import evaluate, train
from agrocredit.cli.relief import relief
from agrocredit.cli.report import report
from agrocredit.cli.serve import serve
from agrocredit.cli.tenants import tenants_app
from agrocredit.cli.tranches import tranches

app = typer.Typer(
    name="agrocredit",
    help="From satellite scenes to a loan limit that can be defended.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (demo, observe, estimate, assess, region, report, train, evaluate, backtest):
    app.command()(command)
for lending in (price, portfolio, tranches, relief):
    app.command()(lending)
for books in (close_day, verify):
    app.command()(books)
for served in (serve, publish):
    app.command()(served)
app.add_typer(plots_app, name="plots")
app.add_typer(data_app, name="data")
app.add_typer(policy_app, name="policy")
app.add_typer(decision_app, name="decision")
app.add_typer(db_app, name="db")
app.add_typer(limit_app, name="limit")
app.add_typer(loan_app, name="loan")
app.add_typer(tenants_app, name="tenants")
app.add_typer(keys_app, name="keys")


def main() -> None:
    """Run the command line."""
    app()
