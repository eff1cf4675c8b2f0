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
Policy = Annotated[str, typer.Option(help="Name of a policy that ships, or a TOML file.")]
Estimates = Annotated[Path, typer.Option(help="Parquet file written by estimate.")]
DecidedOn = Annotated[date, typer.Option(parser=iso_date, metavar="DATE", help="Day of the decision.")]
Holdings = Annotated[Path | None, typer.Option(help="Who farms which plot, with what share: CSV or Parquet.")]
Finances = Annotated[
    Path | None, typer.Option(help="What farmers earn besides and owe, in minor units: CSV or Parquet.")
]
Previous = Annotated[Path | None, typer.Option(help="Decisions of an earlier day: the limits in force.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Scheduler = Annotated[str | None, typer.Option(help="Address of a dask.distributed scheduler; threads without one.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Threads of this process; a cluster has its own.")]
AsOf = Annotated[
    date | None, typer.Option(parser=iso_date, metavar="DATE", help="Use nothing that was known only later.")
]
