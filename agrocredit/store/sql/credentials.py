"""Lenders, the keys of their systems and farmers' tokens: what the platform itself looks after, over all tenants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from agrocredit.domain.errors import RefusedError
from agrocredit.store.sql.events import Event, record
from agrocredit.store.sql.ids import new_id
from agrocredit.store.sql.session import Session
from agrocredit.store.sql.tables_tenants import api_keys, farmer_tokens, tenants

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping


OPERATOR = "operator"
"""Who adds and revokes keys: whoever may run the command line."""


def add_tenant(connection: Connection, tenant_id: str, *, name: str, time_zone: str, now: datetime) -> None:
    """Add a lender.

    Raises
    ------
    RefusedError
        ``id_duplicate``.
    """
    row = {"id": tenant_id, "name": name, "time_zone": time_zone, "created_at": now}
    try:
        connection.execute(insert(tenants).values(row))
    except IntegrityError:
        raise RefusedError("id_duplicate", f"a tenant {tenant_id!r} is there already, expected a new id") from None


def tenant_of(connection: Connection, tenant_id: str) -> RowMapping:
    """Return a lender's row.

    Raises
    ------
    RefusedError
        ``not_found``.
    """
    row = connection.execute(select(tenants).where(tenants.c.id == tenant_id)).mappings().first()
    if row is None:
        raise RefusedError("not_found", f"no tenant {tenant_id!r}, expected one that was added")
    return row


def list_tenants(connection: Connection) -> list[dict[str, Any]]:
    """Return all lenders by id."""
    return [dict(row) for row in connection.execute(select(tenants).order_by(tenants.c.id)).mappings()]


def add_key(connection: Connection, tenant_id: str, *, role: str, label: str, secret_hash: bytes, now: datetime) -> str:
    """Add an API key by its hash and return its id; ``not_found`` where there is no such lender."""
    tenant_of(connection, tenant_id)
    key_id = new_id("key")
    row = {
        "tenant_id": tenant_id,
        "id": key_id,
        "role": role,
        "label": label,
        "secret_hash": secret_hash,
        "created_at": now,
    }
    connection.execute(insert(api_keys).values(row))
    event = Event(kind="key.added", subject_id=key_id, payload={"role": role})
    record(Session(connection, tenant_id), [event], actor=OPERATOR, at=now)
    return key_id


def revoke_key(connection: Connection, tenant_id: str, key_id: str, *, now: datetime) -> None:
    """Take a key out of force; ``not_found`` where there is none in force."""
    change = (
        update(api_keys)
        .where(api_keys.c.tenant_id == tenant_id, api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    if connection.execute(change).rowcount != 1:
        raise RefusedError("not_found", f"no key {key_id!r} in force, expected one of tenant {tenant_id!r}")
    event = Event(kind="key.revoked", subject_id=key_id, payload={})
    record(Session(connection, tenant_id), [event], actor=OPERATOR, at=now)


def list_keys(connection: Connection, tenant_id: str) -> list[dict[str, Any]]:
    """Return a lender's keys, oldest first, without their hashes."""
    shown = (api_keys.c.id, api_keys.c.role, api_keys.c.label, api_keys.c.created_at, api_keys.c.revoked_at)
    query = select(*shown).where(api_keys.c.tenant_id == tenant_id).order_by(api_keys.c.created_at, api_keys.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def key_in_force(connection: Connection, secret_hash: bytes) -> RowMapping | None:
    """Return tenant, id and role of the key with this hash; None for an unknown or revoked one."""
    query = select(api_keys.c.tenant_id, api_keys.c.id, api_keys.c.role).where(
        api_keys.c.secret_hash == secret_hash, api_keys.c.revoked_at.is_(None)
    )
    return connection.execute(query).mappings().first()


def add_token(session: Session, token_id: str, *, farmer_id: str, issued_by: str, expires_at: datetime) -> None:
    """Note that a farmer's token was given out."""
    session.add(farmer_tokens, id=token_id, farmer_id=farmer_id, issued_by=issued_by, expires_at=expires_at)


def token_in_force(session: Session, token_id: str, *, farmer_id: str) -> bool:
    """Say whether a token that was signed for this farmer still stands, and so does the key that asked for it."""
    query = (
        session.select(farmer_tokens, farmer_tokens.c.id)
        .join(
            api_keys,
            (api_keys.c.tenant_id == farmer_tokens.c.tenant_id) & (api_keys.c.id == farmer_tokens.c.issued_by),
        )
        .where(
            farmer_tokens.c.id == token_id,
            farmer_tokens.c.farmer_id == farmer_id,
            farmer_tokens.c.revoked_at.is_(None),
            api_keys.c.revoked_at.is_(None),
        )
    )
    return session.row(query) is not None
