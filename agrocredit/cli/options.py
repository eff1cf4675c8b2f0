"""Options that several commands share, spelled once."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer


def iso_date(text: str) -> date:
    """Return a date written as YYYY-MM-DD; anything else is wrong usage."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a date, expected YYYY-MM-DD") from error


Plots = Annotated[
    Path, typer.Option(help="Plots with a unique id: GeoJSON, GeoPackage, GeoParquet or zipped Shapefile.")
]
IdField = Annotated[str | None, typer.Option(help="Column that holds the plots' id, where it is not called id.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Scheduler = Annotated[str | None, typer.Option(help="Address of a dask.distributed scheduler; threads without one.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Threads of this process; a cluster has its own.")]
AsOf = Annotated[
    date | None, typer.Option(parser=iso_date, metavar="DATE", help="Use nothing that was known only later.")
]
