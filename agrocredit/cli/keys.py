"""``agrocredit keys``: API keys of a lender's systems."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import Json
from agrocredit.cli.service_options import EMBEDDED, ServiceDatabase, Tenant

if TYPE_CHECKING:
    from agrocredit.domain.summary import Summary

keys_app = typer.Typer(help="API keys of the lenders' systems; only their hashes are kept.", no_args_is_help=True)
Role = Literal["lender", "agent", "analyst", "regulator"]


@keys_app.command()
def add(
    tenant: Tenant,
    role: Annotated[Role, typer.Option(help="What the key may do.")],
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    database: ServiceDatabase = EMBEDDED,
    as_json: Json = False,
) -> None:
    """Make a key and print it, this once, on stdout."""
    answer(lambda _: _added(tenant, role=role, label=label, url=database), as_json=as_json, show=_show_key)


@keys_app.command(name="list")
def list_all(tenant: Tenant, database: ServiceDatabase = EMBEDDED, as_json: Json = False) -> None:
    """List a lender's keys by id."""
    answer(lambda _: _listed(tenant, database), as_json=as_json)


@keys_app.command()
def revoke(
    key: Annotated[str, typer.Argument(metavar="ID", help="Id of the key, as list shows it.")],
    tenant: Tenant,
    database: ServiceDatabase = EMBEDDED,
    as_json: Json = False,
) -> None:
    """Take a key out of force; running servers refuse it within a second."""
    answer(lambda _: _revoked(key, tenant, database), as_json=as_json)


@keys_app.command()
def rewrap(database: ServiceDatabase = EMBEDDED, as_json: Json = False) -> None:
    """Bring personal data under the master key in force, while servers run; then the old one may be dropped."""
    answer(lambda _: _rewrapped(database), as_json=as_json)


def _show_key(summary: Summary) -> None:
    typer.echo(f"key {summary.facts['id']} for {summary.facts['role']} of {summary.facts['tenant']}", err=True)
    typer.echo(summary.facts["key"])


def _added(tenant_id: str, *, role: str, label: str, url: str) -> Summary:
    from agrocredit.cli.service_options import ready_database, service_secrets
    from agrocredit.domain.summary import Summary
    from agrocredit.service.api_keys import key_hash, new_key
    from agrocredit.store.sql.credentials import add_key

    key = new_key()
    hashed = key_hash(key, pepper=service_secrets(url).pepper)
    with ready_database(url).oversee() as connection:
        now = datetime.now(tz=UTC)
        key_id = add_key(connection, tenant_id, role=role, label=label, secret_hash=hashed, now=now)
    return Summary(counts={"keys": 1}, facts={"tenant": tenant_id, "id": key_id, "role": role, "key": key})


def _listed(tenant_id: str, url: str) -> Summary:
    from agrocredit.cli.service_options import ready_database
    from agrocredit.domain.summary import Summary
    from agrocredit.store.sql.credentials import list_keys

    with ready_database(url).oversee(read_only=True) as connection:
        rows = list_keys(connection, tenant_id)
    keys = {row["id"]: f"{row['role']} {row['label']} {'revoked' if row['revoked_at'] else 'in force'}" for row in rows}
    return Summary(counts={"keys": len(rows)}, facts={"keys": keys})


def _revoked(key_id: str, tenant_id: str, url: str) -> Summary:
    from agrocredit.cli.service_options import ready_database
    from agrocredit.domain.summary import Summary
    from agrocredit.store.sql.credentials import revoke_key

    with ready_database(url).oversee() as connection:
        revoke_key(connection, tenant_id, key_id, now=datetime.now(tz=UTC))
    return Summary(counts={"keys": 1}, facts={"tenant": tenant_id, "id": key_id})


def _rewrapped(url: str) -> Summary:
    from agrocredit.cli.service_options import ready_database, service_secrets
    from agrocredit.domain.summary import Summary
    from agrocredit.store.sql.persons import rewrap_persons
    from agrocredit.store.sql.tenants import tenant_ids

    database, ring = ready_database(url), service_secrets(url).data_keys
    with database.oversee(read_only=True) as connection:
        tenants = tenant_ids(connection)
    persons = 0
    for tenant in tenants:
        with database.write(tenant) as session:
            persons += rewrap_persons(session, ring=ring)
    return Summary(counts={"persons": persons}, facts={"master_key": ring.in_force})
