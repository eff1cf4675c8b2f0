"""``agrocredit publish``: a run's estimates and decisions into the service's store."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import Json
from agrocredit.cli.service_options import EMBEDDED, SNAPSHOTS, ServiceDatabase, Snapshots, Tenant

if TYPE_CHECKING:
    from agrocredit.domain.summary import Summary
    from pipelines.progress import Progress


def publish(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder, as region leaves it.")],
    tenant: Tenant,
    database: ServiceDatabase = EMBEDDED,
    holdings: Annotated[Path | None, typer.Option(help="Holdings the run was decided with: CSV or Parquet.")] = None,
    policy: Annotated[str | None, typer.Option(help="Policy file, where it is not one that ships.")] = None,
    snapshots: Snapshots = SNAPSHOTS,
    looks: Annotated[bool, typer.Option(help="Publish what was seen of each plot as well.")] = True,
    as_json: Json = False,
) -> None:
    """Bring a run's plots, estimates and decisions to the service, and its limits to the look-up; may be repeated."""
    from pipelines.publish import PublishRequest

    request = PublishRequest(
        run=run, tenant_id=tenant, snapshots=snapshots, holdings=holdings, policy=policy, looks=looks
    )

    def work(progress: Progress) -> Summary:
        from agrocredit.cli.service_options import ready_database
        from pipelines.publish import publish as published

        return published(request, database=ready_database(database), now=datetime.now(tz=UTC), progress=progress)

    answer(work, as_json=as_json)
