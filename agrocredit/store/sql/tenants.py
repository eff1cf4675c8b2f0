"""Lenders as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from agrocredit.store.sql.tables import tenants

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from agrocredit.store.sql.session import Session


def tenant_ids(connection: Connection) -> list[str]:
    """Return the ids of all lenders, in order."""
    return list(connection.execute(select(tenants.c.id).order_by(tenants.c.id)).scalars())


def allocation_of(session: Session) -> str:
    """Return the order in which the lender's payments meet what is owed, as it is written in its row."""
    return str(
        session.connection.execute(select(tenants.c.allocation).where(tenants.c.id == session.tenant_id)).scalar_one()
    )
