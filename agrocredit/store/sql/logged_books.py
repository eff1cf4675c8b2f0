"""Holds the books against the log: what the rows say now, and what was told when they were written.

Rows that were changed together can agree with one another, and a log that nobody compares with them proves only itself.
"""

from __future__ import annotations

import json
from hashlib import sha256
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select

from agrocredit.store.sql.tables import decisions, entries, events, movements

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, RowMapping, Select, Table

_ROWS_AT_ONCE = 5_000
_HEAD = ("loan_id", "kind", "currency", "reverses")
_ENTRY = ("debit", "credit", "amount_minor")
_DECIDED = ("outcome", "limit_minor", "decision_sha256")


def logged_faults(connection: Connection) -> Iterator[str]:
    """Yield a sentence a movement or decision that is not what the log tells of it; none where all are.

    Parameters
    ----------
    connection : Connection
        Over all tenants, at one moment.
    """
    for table, kind in ((movements, "money.moved"), (decisions, "decision.made")):
        for row in _rows(connection, _untold(table, kind)):
            about = f"event {row['sequence']} of tenant {row['tenant_id']}"
            yield f"{about} tells of {row['subject_id']}, which is not there"
    by_movement = groupby(_rows(connection, _movements_told()), key=lambda row: (row["tenant_id"], row["id"]))
    for (tenant, movement), rows in by_movement:
        if not _moved_as_told(list(rows)):
            yield f"movement {movement} of tenant {tenant} is not what the log tells of it"
    for row in _rows(connection, _told(decisions, "decision.made", *(decisions.c[name] for name in _DECIDED))):
        if not _decided_as_told(row):
            yield f"decision {row['id']} of tenant {row['tenant_id']} is not what the log tells of it"


def _rows(connection: Connection, query: Select[Any]) -> Iterator[RowMapping]:
    yield from connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query).mappings()


def _about(table: Table, kind: str) -> Any:  # noqa: ANN401  a condition
    return and_(events.c.kind == kind, events.c.tenant_id == table.c.tenant_id, events.c.subject_id == table.c.id)


def _told(table: Table, kind: str, *columns: Any) -> Select[Any]:  # noqa: ANN401  columns
    """Return rows of a table with the payload of the event about each."""
    named = (table.c.tenant_id, table.c.id, *columns, events.c.payload)
    if table is decisions:
        named = (*named, decisions.c.record)
    return select(*named).select_from(table.outerjoin(events, _about(table, kind))).order_by(*table.primary_key.columns)


def _untold(table: Table, kind: str) -> Select[Any]:
    """Return events about rows that are not there."""
    return (
        select(events.c.sequence, events.c.tenant_id, events.c.subject_id)
        .select_from(events.outerjoin(table, _about(table, kind)))
        .where(events.c.kind == kind, table.c.id.is_(None))
    )


def _movements_told() -> Select[Any]:
    of_it = and_(entries.c.tenant_id == movements.c.tenant_id, entries.c.movement_id == movements.c.id)
    columns = (*(movements.c[name] for name in (*_HEAD, "business_on")), *(entries.c[name] for name in _ENTRY))
    joined = movements.outerjoin(events, _about(movements, "money.moved")).outerjoin(entries, of_it)
    return (
        select(movements.c.tenant_id, movements.c.id, *columns, events.c.payload)
        .select_from(joined)
        .order_by(movements.c.tenant_id, movements.c.id, entries.c.line)
    )


def _moved_as_told(rows: Sequence[RowMapping]) -> bool:
    told = _payload(rows[0])
    is_head = all(told.get(name) == rows[0][name] for name in _HEAD)
    is_day = told.get("business_on") == rows[0]["business_on"].isoformat()
    return is_head and is_day and told.get("entries") == [{name: row[name] for name in _ENTRY} for row in rows]


def _decided_as_told(row: RowMapping) -> bool:
    told = _payload(row)
    kept = row["record"] is None or sha256(bytes(row["record"])).hexdigest() == row["decision_sha256"]
    return kept and all(told.get(name) == row[name] for name in _DECIDED)


def _payload(row: RowMapping) -> dict[str, Any]:
    """Return what was told, nothing where there is no event or none that can be read; the log's own check names it."""
    try:
        told = json.loads(row["payload"])
    except (TypeError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
