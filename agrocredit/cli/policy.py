"""``agrocredit policy``: whether rules are well formed."""

from __future__ import annotations

from typing import Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import Json

policy_app = typer.Typer(help="Credit policies: dated numbers with units and references.", no_args_is_help=True)


@policy_app.callback()
def _group() -> None:
    """Keep `check` a subcommand although it is the only one."""


@policy_app.command()
def check(
    policy: Annotated[str, typer.Argument(metavar="FILE", help="TOML file, or the name of a policy that ships.")],
    as_json: Json = False,
) -> None:
    """Validate a policy pack; a fault is named with its line."""
    from pipelines.check_policy import check_policy

    answer(lambda _: check_policy(policy), as_json=as_json)
