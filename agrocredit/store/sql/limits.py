"""Limits as rows: one in force a farmer, given by a decision, taken over by the next one with what is drawn on it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError

from agrocredit.domain.errors import RefusedError
from agrocredit.domain.loan import Limit, LimitStatus
from agrocredit.store.sql.failures import StorageBusyError
from agrocredit.store.sql.session import not_found
from agrocredit.store.sql.tables import limits, loans

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy import RowMapping

    from agrocredit.store.sql.session import Session

FIELDS = tuple(column.name for column in limits.c if column.name != "tenant_id")


def limit_of(row: RowMapping | dict[str, Any]) -> Limit:
    """Return a row of the table as the record that the ledger's rules take."""
    return Limit(**{**{name: row[name] for name in FIELDS}, "status": LimitStatus(row["status"])})


def limit_in_force(session: Session, farmer_id: str) -> Limit | None:
    """Return the farmer's limit that is not closed, whether or not it has run out, or None."""
    row = session.row(
        session.select(limits).where(limits.c.farmer_id == farmer_id, limits.c.status != LimitStatus.CLOSED)
    )
    return None if row is None else limit_of(row)


def limit_of_decision(session: Session, decision_id: str) -> Limit:
    """Return the limit that a decision gave.

    Raises
    ------
    RefusedError
        ``not_found``.
    """
    row = session.row(session.select(limits).where(limits.c.decision_id == decision_id))
    if row is None:
        raise not_found(limits)
    return limit_of(row)


def grant_limit(session: Session, limit: Limit) -> Limit:
    """Put a decision's limit in force and return it as it now stands.

    An earlier limit of the farmer closes, and its loans go over to the new one: what they owe is drawn on it from the
    first moment, so that two decisions on one harvest never lend twice.

    Parameters
    ----------
    session : Session
    limit : Limit
        Fresh from a decision: nothing drawn.

    Raises
    ------
    RefusedError
        ``currency_mismatch`` where something is drawn in another currency.
    StorageBusyError
        Where another decision on the same farmer is being made.
    """
    earlier = _lock_in_force(session, limit.farmer_id)
    drawn_minor = 0
    if earlier is not None:
        drawn_minor = earlier.drawn_minor
        if drawn_minor and earlier.currency != limit.currency:
            raise RefusedError(
                "currency_mismatch", f"limit in {limit.currency}, expected {earlier.currency}, in which is drawn"
            )
        save_limit(
            session,
            before=earlier,
            after=replace(earlier, status=LimitStatus.CLOSED, drawn_minor=0, excess_minor=0),
        )
    granted = replace(limit, drawn_minor=drawn_minor, excess_minor=max(0, drawn_minor - limit.limit_minor))
    try:
        session.add(limits, **{name: getattr(granted, name) for name in FIELDS})
    except IntegrityError as error:
        if "one_in_force" in str(error) or "limits.farmer_id" in str(error):
            raise StorageBusyError("another decision on this farmer is being made, expected it to end first") from error
        raise
    if earlier is not None:
        session.changed(session.update(loans).where(loans.c.limit_id == earlier.id).values(limit_id=granted.id))
    return granted


def lock_limit(session: Session, limit_id: str) -> Limit:
    """Return a limit whose row stays locked to the end of the transaction; ``not_found`` as `Session.found`."""
    row = session.row(session.select(limits).where(limits.c.id == limit_id).with_for_update())
    if row is None:
        raise not_found(limits)
    return limit_of(row)


def save_limit(session: Session, *, before: Limit, after: Limit) -> None:
    """Write a limit that a rule has changed, if it still stands as the rule saw it.

    Raises
    ------
    StorageBusyError
        If somebody changed it meanwhile.
    """
    if after == before:
        return
    seen = (limits.c[name] == getattr(before, name) for name in ("drawn_minor", "limit_minor", "status"))
    changed = {name: getattr(after, name) for name in FIELDS if getattr(after, name) != getattr(before, name)}
    if session.changed(session.update(limits).where(limits.c.id == before.id, *seen).values(**changed)) != 1:
        raise StorageBusyError


def _lock_in_force(session: Session, farmer_id: str) -> Limit | None:
    row = session.row(
        session.select(limits)
        .where(limits.c.farmer_id == farmer_id, limits.c.status != LimitStatus.CLOSED)
        .with_for_update()
    )
    return None if row is None else limit_of(row)
