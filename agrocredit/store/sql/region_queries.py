"""Figures of regions, and nobody in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, func, select

from agrocredit.store.sql.tables import decisions, farmers

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

    from agrocredit.store.sql.session import Session


def decided_by_outcome(session: Session, region_id: str, *, season: str) -> list[RowMapping]:
    """Return farmers, limits and currency by outcome, from the newest decision of each farmer of a region."""
    mine = session.select(decisions).where(decisions.c.season == season).subquery()
    order = (mine.c.decided_at.desc(), mine.c.id.desc())
    ranked = select(mine, func.row_number().over(partition_by=mine.c.farmer_id, order_by=order).label("age")).subquery()
    query = (
        select(
            ranked.c.outcome,
            ranked.c.currency,
            func.count().label("farmers"),
            func.sum(ranked.c.limit_minor).label("limit_minor"),
        )
        .join(farmers, and_(farmers.c.tenant_id == ranked.c.tenant_id, farmers.c.id == ranked.c.farmer_id))
        .where(ranked.c.age == 1, farmers.c.region_id == region_id, farmers.c.tenant_id == session.tenant_id)
        .group_by(ranked.c.outcome, ranked.c.currency)
        .order_by(ranked.c.outcome, ranked.c.currency)
    )
    return session.rows(query)


def has_region(session: Session, region_id: str) -> bool:
    """Say whether any farmer of this lender is in a region."""
    query = session.select(farmers, farmers.c.id).where(farmers.c.region_id == region_id).limit(1)
    return session.row(query) is not None
