"""Pledges: which land stands for a loan, over all lenders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely
from sqlalchemy import and_, not_, select, text

from agrocredit.store.sql.ids import new_id
from agrocredit.store.sql.tables import pledges, plots

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from sqlalchemy import Connection

    from agrocredit.store.sql.session import Session

_PLEDGE_LOCK = 7_216_043
"""Any number that nothing else in the database locks."""


def lock_pledges(session: Session) -> None:
    """Let nobody else pledge until this transaction ends; SQLite has one writer anyway."""
    if session.connection.dialect.name == "postgresql":
        session.connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _PLEDGE_LOCK})


def pledged_shapes(
    connection: Connection,
    box: tuple[float, float, float, float],
    *,
    on: date,
    but_not_of: tuple[str, str] | None = None,
) -> list[shapely.Geometry]:
    """Return the shapes of all land pledged to anyone on a day that may touch a box; never whose it is.

    Parameters
    ----------
    connection : Connection
        An overseer's: pledges of all lenders count.
    box : west, south, east, north
        Degrees.
    on : date
    but_not_of : tenant and farmer, optional
        Whose own pledges are left out.
    """
    west, south, east, north = box
    query = (
        select(plots.c.wkb)
        .join(pledges, (pledges.c.tenant_id == plots.c.tenant_id) & (pledges.c.plot_id == plots.c.id))
        .where(
            pledges.c.released_at.is_(None),
            pledges.c.valid_until_on > on,
            plots.c.west <= east,
            plots.c.east >= west,
            plots.c.south <= north,
            plots.c.north >= south,
        )
        .distinct()
    )
    if but_not_of is not None:
        query = query.where(not_(and_(pledges.c.tenant_id == but_not_of[0], pledges.c.farmer_id == but_not_of[1])))
    return [shapely.from_wkb(wkb) for (wkb,) in connection.execute(query)]


def add_pledges(
    session: Session,
    shares: Mapping[str, float],
    *,
    farmer_id: str,
    season: str,
    valid_from_on: date,
    valid_until_on: date,
) -> None:
    """Pledge a farmer's shares in plots, by plot id."""
    rows = [
        {
            "id": new_id("pledge"),
            "plot_id": plot_id,
            "farmer_id": farmer_id,
            "season": season,
            "valid_from_on": valid_from_on,
            "valid_until_on": valid_until_on,
            "share": share,
        }
        for plot_id, share in shares.items()
    ]
    session.add_all(pledges, rows)


def release_pledges(session: Session, farmer_id: str, *, season: str | None, at: datetime) -> int:
    """Release a farmer's pledges, of one season or of all; return how many."""
    change = session.update(pledges).where(pledges.c.farmer_id == farmer_id, pledges.c.released_at.is_(None))
    if season is not None:
        change = change.where(pledges.c.season == season)
    return session.changed(change.values(released_at=at))
