"""What ``serve`` does for a stranger: the sample region under a tenant called demo, on the day it was decided."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.progress import Progress

TENANT = "demo"
TIME_ZONE = "Asia/Shanghai"


def publish_demo(url: str, *, demo: Path, snapshots: Path, progress: Progress) -> date | None:
    """Publish the sample region and return its business date; None, and a word on stderr, where there is none.

    Raises
    ------
    AgrocreditError
        What `pipelines.publish.publish` raises about the run.
    """
    from agrocredit.cli.service_options import ready_database
    from agrocredit.domain.errors import RefusedError
    from agrocredit.store.sql.credentials import add_tenant, tenant_of
    from pipelines.publish import PublishRequest, publish

    if not (demo / "run" / "decisions.parquet").is_file():
        typer.echo(f"nothing to serve under {demo}: run `make demo` first, or name a --database", err=True)
        return None
    database, now = ready_database(url), datetime.now(tz=UTC)
    with database.oversee() as connection:
        try:
            tenant_of(connection, TENANT)
        except RefusedError:
            add_tenant(connection, TENANT, name="Sample region", time_zone=TIME_ZONE, now=now)
    request = PublishRequest(
        run=demo / "run", tenant_id=TENANT, snapshots=snapshots, holdings=demo / "sample" / "holdings.csv"
    )
    summary = publish(request, database=database, now=now, progress=progress)
    database.close()
    day = date.fromisoformat(str(summary.facts["as_of"]))
    typer.echo(
        f"the simulated sample region: {summary.counts['limits']} limits of tenant {TENANT}, business date {day}; "
        f"`agrocredit keys add --tenant {TENANT} --role lender` makes a key",
        err=True,
    )
    return day
