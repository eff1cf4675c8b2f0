"""``agrocredit serve``: the lending service. Here, and only here, it is put together."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import iso_date
from agrocredit.cli.service_options import EMBEDDED, SNAPSHOTS, ServiceDatabase, Snapshots

if TYPE_CHECKING:
    from agrocredit.cli.serve_estimator import CubeEstimator
    from agrocredit.credit import CreditPolicy
    from agrocredit.domain.summary import Summary
    from agrocredit.service.platform import Platform
    from pipelines.progress import Progress

FIRST_POLICY = "smallholder-grain-cn"


def serve(
    database: ServiceDatabase = EMBEDDED,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on.")] = 8000,
    policy: Annotated[
        list[str] | None, typer.Option(help="Policies that may be asked for, the first by default; all that ship.")
    ] = None,
    business_date: Annotated[
        date | None,
        typer.Option(parser=iso_date, metavar="DATE", help="The lenders' calendar day, for a season that is past."),
    ] = None,
    snapshots: Snapshots = SNAPSHOTS,
    demo: Annotated[
        Path, typer.Option(help="What demo made: published for the tenant demo where no database is named.")
    ] = Path("build/demo"),
    cube: Annotated[
        Path | None, typer.Option(help="Season cube of observe, to decide on plots drawn a moment ago.")
    ] = None,
    weather: Annotated[Path | None, typer.Option(help="Daily weather, as for estimate; with a cube.")] = None,
    history: Annotated[Path | None, typer.Option(help="Earlier yields, as for estimate; with a cube.")] = None,
    region: Annotated[str | None, typer.Option(help="Region of that history; with a cube.")] = None,
) -> None:
    """Serve the API; without a database of your own, the sample region from a file."""

    def work(progress: Progress) -> Summary:
        from dataclasses import replace

        from agrocredit.cli.serve_demo import publish_demo
        from agrocredit.domain.summary import Summary

        day = business_date
        if database == EMBEDDED and day is None:
            day = publish_demo(database, demo=demo, snapshots=snapshots, progress=progress)
        platform = _platform(database, policies=policy, business_date=day, snapshots=snapshots)
        estimator = None if cube is None else _estimator(cube, weather=weather, history=history, region=region)
        _run(replace(platform, estimator=estimator), host=host, port=port)
        if estimator is not None:
            estimator.close()
        return Summary(counts={})

    answer(work, as_json=False)


def _platform(url: str, *, policies: list[str] | None, business_date: date | None, snapshots: Path) -> Platform:
    """Return all that the service stands on."""
    import time
    from dataclasses import replace

    from agrocredit.cli.service_options import ready_database, service_secrets
    from agrocredit.service.platform import Platform, utc_now
    from agrocredit.service.published import PublishedLimits
    from agrocredit.service.settings import settings_of
    from agrocredit.service.workers import Workers
    from pipelines.known_crops import known_crops

    settings = replace(settings_of(), snapshots=snapshots)
    return Platform(
        database=ready_database(url),
        settings=settings,
        secrets=service_secrets(url),
        workers=Workers(threads=settings.threads, waiting_max=settings.waiting_max),
        published=PublishedLimits(snapshots, clock=time.monotonic),
        policies=_policies(policies),
        crops=known_crops(),
        now=utc_now,
        business_date=business_date,
    )


def _estimator(cube: Path, *, weather: Path | None, history: Path | None, region: str | None) -> CubeEstimator:
    from agrocredit.cli.serve_estimator import CubeEstimator
    from pipelines.estimate_drawn import SeasonSources

    return CubeEstimator(SeasonSources(cube=cube, weather=weather, history=history, region=region))


def _policies(names: list[str] | None) -> dict[str, CreditPolicy]:
    """Return the packs by name, the default first."""
    from agrocredit.credit import load_policy
    from agrocredit.credit.policy import PACKS

    found = names or sorted((path.stem for path in PACKS.glob("*.toml")), key=lambda name: name != FIRST_POLICY)
    packs = [load_policy(name) for name in found]
    return {pack.name: pack for pack in packs}


def _run(platform: Platform, *, host: str, port: int) -> None:
    from agrocredit.service.app import create_app
    from agrocredit.service.server import run_server

    typer.echo(f"serving on http://{host}:{port}", err=True)
    run_server(create_app(platform), platform=platform, host=host, port=port)
