"""``agrocredit plots``: whether a file holds fields."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import IdField, Json

plots_app = typer.Typer(help="Plots: what a lender hands over.", no_args_is_help=True)


@plots_app.command()
def check(
    plots: Annotated[Path, typer.Argument(help="GeoJSON, GeoPackage, GeoParquet or zipped Shapefile.")],
    out: Annotated[Path | None, typer.Option(help="Write the accepted plots here, as GeoParquet.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the refusals here, as JSON.")] = None,
    id_field: IdField = None,
    as_json: Json = False,
) -> None:
    """Validate plots; one line a refused plot, with a stable code."""
    from pipelines.check_plots import check_plots

    answer(
        lambda _: check_plots(plots, out=out, report=report, id_field=id_field), as_json=as_json, refused_lines_max=None
    )
