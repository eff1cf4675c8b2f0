"""``agrocredit observe``: scenes and plots in, observations out."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import IdField, Json, Plots, Scheduler, Workers, iso_date

if TYPE_CHECKING:
    from agrocredit.domain.summary import Summary
    from pipelines.progress import Progress


def observe(
    scenes: Annotated[str, typer.Option(help="STAC ItemCollection file, catalogue, collection or API URL.")],
    plots: Plots,
    start: Annotated[date, typer.Option(parser=iso_date, metavar="DATE", help="First day.")],
    end: Annotated[date, typer.Option(parser=iso_date, metavar="DATE", help="The day after the last.")],
    out: Annotated[Path, typer.Option(help="Folder of the observations.")],
    indices: Annotated[str | None, typer.Option(help="Index names, comma separated; six by default.")] = None,
    index_file: Annotated[Path | None, typer.Option(help="TOML file with indices of your own.")] = None,
    collection: Annotated[str | None, typer.Option(help="Collection to search, with an API URL.")] = None,
    allow_root: Annotated[
        list[str] | None,
        typer.Option(help="Folder, https://host or s3://bucket the catalogue may lead to besides its own; repeatable."),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Folder for fetched assets and coverage weights, reused by later runs.")
    ] = None,
    cube: Annotated[
        Path | None, typer.Option(help="Folder of a season cube to write too: raw pixels, quick to read for one plot.")
    ] = None,
    cube_block: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TILE/ROW/COLUMN",
            help="Block to keep in the cube, such as 32TMT/3/0; repeatable; else all with plots.",
        ),
    ] = None,
    id_field: IdField = None,
    scheduler: Scheduler = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Turn scenes into one row a plot and acquisition: what was seen, how much of it, on which evidence."""
    from pipelines.engine import cluster
    from pipelines.observe import ObserveRequest
    from pipelines.observe import observe as run

    def on_engine(progress: Progress) -> Summary:
        request = ObserveRequest(
            scenes=scenes,
            plots=plots,
            start=start,
            end=end,
            out=out,
            indices=tuple(name.strip() for name in indices.split(",")) if indices else None,
            index_file=index_file,
            collection=collection,
            allow_roots=tuple(allow_root or ()),
            cache=cache,
            id_field=id_field,
            cube=cube,
            cube_blocks=tuple(cube_block) if cube_block else None,
        )
        with cluster(scheduler) as client:
            return run(request, client=client, workers=workers, progress=progress)

    answer(on_engine, as_json=as_json)
