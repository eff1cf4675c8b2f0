"""``agrocredit data``: public data sets into the canonical labelled form."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import Json

data_app = typer.Typer(help="Labelled data: yields that were measured.", no_args_is_help=True)


@data_app.callback()
def _group() -> None:
    """Keep `adapt` a subcommand although it is the only one."""


@data_app.command()
def adapt(
    name: Annotated[str, typer.Argument(help="Which data set: us_winter_wheat, national_fao, ... (see the guide).")],
    sources: Annotated[list[Path], typer.Argument(metavar="SRC...", help="Folders of that data set.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    as_json: Json = False,
) -> None:
    """Turn a public yield data set into labels.parquet, series.parquet and static.parquet."""
    from pipelines.adapt import adapt as run

    answer(lambda _: run(name, sources, out=out), as_json=as_json)
