"""What a flow found, written for a lender: plots, shares, looks, estimates and decisions, in repeatable batches.

Each batch is whole in itself and writing it again changes nothing, so a publication that was stopped is simply run once
more. Nothing that a loan rests on is changed: plots and decisions are added, never replaced.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, select

from agrocredit.domain.errors import InputUnusableError
from agrocredit.store.sql.events import Event, record
from agrocredit.store.sql.tables import decisions, estimates, farmers, holdings, observations, plots

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import RowMapping

    from agrocredit.store.sql.session import Session

ACTOR = "publish"


def publish_plots(session: Session, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Add plots that are not there yet, with their farmers.

    Raises
    ------
    InputUnusableError
        ``plot_changed`` for an id that is there with another shape: decisions rest on the old one.
    """
    for row in rows:
        if row["farmer_id"] is not None:
            session.add_unless_there(farmers, id=row["farmer_id"], region_id=row["region_id"], created_at=now)
        if not session.add_unless_there(plots, **row):
            known = session.found(plots, row["id"])
            if known["geometry_sha256"] != row["geometry_sha256"]:
                detail = f"plot {row['id']} is there with another shape, expected the same or another id"
                raise InputUnusableError("plot_changed", detail)


def publish_holdings(session: Session, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Replace who holds the plots of these rows in their seasons."""
    for plot_id, season in sorted({(row["plot_id"], row["season"]) for row in rows}):
        session.changed(session.delete(holdings).where(holdings.c.plot_id == plot_id, holdings.c.season == season))
    for row in rows:
        session.add_unless_there(farmers, id=row["farmer_id"], region_id=row["region_id"], created_at=now)
    session.add_all(holdings, [{name: row[name] for name in row if name != "region_id"} for row in rows])


def publish_estimates(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Replace the estimates of these plots, crops and days."""
    for row in rows:
        same = [estimates.c[name] == row[name] for name in ("plot_id", "crop", "harvest_year", "as_of")]
        session.changed(session.delete(estimates).where(*same))
    session.add_all(estimates, list(rows))


def publish_observations(session: Session, rows: Sequence[Mapping[str, Any]], *, plot_ids: Sequence[str]) -> None:
    """Replace the looks at some plots; each row has its indices as a mapping."""
    session.changed(session.delete(observations).where(observations.c.plot_id.in_(plot_ids)))
    session.add_all(observations, [{**row, "indices": json.dumps(row["indices"])} for row in rows])


def publish_decisions(session: Session, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> int:
    """Add decisions that are not the newest of their farmer and season already; return how many were new."""
    added = 0
    for row in rows:
        newest = (
            session.select(decisions, decisions.c.decision_sha256)
            .where(decisions.c.farmer_id == row["farmer_id"], decisions.c.season == row["season"])
            .order_by(decisions.c.decided_at.desc(), decisions.c.id.desc())
        )
        found = session.row(newest)
        if found is not None and found["decision_sha256"] == row["decision_sha256"]:
            continue
        session.add(decisions, **row)
        named = ("outcome", "limit_minor", "currency", "decision_sha256")
        event = Event(kind="decision.made", subject_id=row["id"], payload={name: row[name] for name in named})
        record(session, [event], actor=ACTOR, at=now)
        added += 1
    return added


def newest_decisions(session: Session) -> Iterator[RowMapping]:
    """Yield the newest decision of every farmer of a lender, over all seasons."""
    order = (decisions.c.as_of.desc(), decisions.c.decided_at.desc(), decisions.c.id.desc())
    columns = [column for column in decisions.c if column.name != "record"]
    age = func.row_number().over(partition_by=decisions.c.farmer_id, order_by=order).label("age")
    ranked = session.select(decisions, *columns, age).subquery()
    query = select(ranked).where(and_(ranked.c.age == 1)).order_by(ranked.c.farmer_id)
    yield from session.connection.execute(query).mappings()
