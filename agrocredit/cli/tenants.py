"""``agrocredit tenants``: the lenders on the platform."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import Json
from agrocredit.cli.service_options import EMBEDDED, ServiceDatabase

if TYPE_CHECKING:
    from agrocredit.domain.summary import Summary

tenants_app = typer.Typer(help="The lenders on the platform.", no_args_is_help=True)
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@tenants_app.command()
def add(
    tenant: Annotated[str, typer.Argument(metavar="ID", help="Lower-case letters, digits, hyphen, underscore.")],
    name: Annotated[str, typer.Option(help="What people call the lender.")] = "",
    time_zone: Annotated[str, typer.Option(help="Whose calendar day is the lender's, as Asia/Shanghai.")] = "UTC",
    database: ServiceDatabase = EMBEDDED,
    as_json: Json = False,
) -> None:
    """Add a lender."""
    answer(lambda _: _added(tenant, name=name or tenant, time_zone=time_zone, url=database), as_json=as_json)


@tenants_app.command(name="list")
def list_all(database: ServiceDatabase = EMBEDDED, as_json: Json = False) -> None:
    """List the lenders."""
    answer(lambda _: _listed(database), as_json=as_json)


def _added(tenant_id: str, *, name: str, time_zone: str, url: str) -> Summary:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from agrocredit.cli.service_options import ready_database
    from agrocredit.domain.errors import WrongUsageError
    from agrocredit.domain.summary import Summary
    from agrocredit.store.sql.credentials import add_tenant

    if not _ID.fullmatch(tenant_id):
        raise WrongUsageError("tenant_invalid", f"id {tenant_id!r}, expected up to 63 lower-case letters, digits, - _")
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise WrongUsageError("time_zone_unknown", f"{time_zone!r}, expected a name as Asia/Shanghai") from None
    with ready_database(url).oversee() as connection:
        add_tenant(connection, tenant_id, name=name, time_zone=time_zone, now=datetime.now(tz=UTC))
    return Summary(counts={"tenants": 1}, facts={"tenant": tenant_id, "time_zone": time_zone})


def _listed(url: str) -> Summary:
    from agrocredit.cli.service_options import ready_database
    from agrocredit.domain.summary import Summary
    from agrocredit.store.sql.credentials import list_tenants

    with ready_database(url).oversee(read_only=True) as connection:
        rows = list_tenants(connection)
    facts = {row["id"]: f"{row['name']}, {row['time_zone']}" for row in rows}
    return Summary(counts={"tenants": len(rows)}, facts={"tenants": facts})
