"""``agrocredit estimate``: observations in, yield estimates out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import AsOf, IdField, Json, Plots

if TYPE_CHECKING:
    from pipelines.area_outlooks import AreaSource


def estimate(
    observations: Annotated[Path, typer.Option(help="Folder written by observe.")],
    plots: Plots,
    crop: Annotated[str, typer.Option(help="Crop of the plots that do not state one themselves.")],
    harvest_year: Annotated[int, typer.Option(help="Year of the harvest.")],
    out: Annotated[Path, typer.Option(help="Parquet file of the estimates.")],
    as_of: AsOf = None,
    weather: Annotated[Path | None, typer.Option(help="Daily weather, CSV or Parquet.")] = None,
    history: Annotated[Path | None, typer.Option(help="Regional yields of earlier years, CSV or Parquet.")] = None,
    region: Annotated[str | None, typer.Option(help="Region of the plots that do not state one themselves.")] = None,
    release: Annotated[
        str | None, typer.Option(help="Released model, by name or folder; else the one in force.")
    ] = None,
    areas: Annotated[
        Path | None, typer.Option(help="Folder of labelled areas, whose units the plots' regions name.")
    ] = None,
    area_release: Annotated[str | None, typer.Option(help="Released model of areas, by name or folder.")] = None,
    id_field: IdField = None,
    explain: Annotated[Path | None, typer.Option(help="JSON file to say in what moved each estimate.")] = None,
    as_json: Json = False,
) -> None:
    """State what each plot will bring, with an interval, or why nobody can say."""
    from pipelines.estimate import EstimateRequest
    from pipelines.estimate import estimate as run

    request = EstimateRequest(
        observations=observations,
        plots=plots,
        crop=crop,
        harvest_year=harvest_year,
        out=out,
        as_of=as_of,
        weather=weather,
        history=history,
        region=region,
        release=release,
        id_field=id_field,
        explain=explain,
        areas=_area_source(areas, area_release),
    )
    answer(lambda progress: run(request, progress=progress), as_json=as_json)


def _area_source(data: Path | None, release: str | None) -> AreaSource | None:
    if data is None and release is None:
        return None
    if data is None or release is None:
        raise typer.BadParameter("--areas and --area-release go together: what is asked, and on what")
    from pipelines.area_outlooks import AreaSource

    return AreaSource(release=release, data=data)
