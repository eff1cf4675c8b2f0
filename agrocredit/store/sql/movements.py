"""Movements and their entries as rows: posted once, read back, never changed."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import case, func
from sqlalchemy.exc import IntegrityError

from agrocredit.domain.entry import Account, Movement, MovementKind, Posting
from agrocredit.domain.errors import RefusedError
from agrocredit.store.sql.session import not_found
from agrocredit.store.sql.tables import entries, movements

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from sqlalchemy import RowMapping

    from agrocredit.domain.loan import Loan
    from agrocredit.store.sql.session import Session

_JOIN = (entries.c.tenant_id == movements.c.tenant_id) & (entries.c.movement_id == movements.c.id)


def post(
    session: Session, posted: Sequence[tuple[str, Movement]], *, loan_id: str, actor: str, posted_at: datetime
) -> None:
    """Write movements of a loan with their entries.

    Parameters
    ----------
    session : Session
    posted : sequence of (id, Movement)
    loan_id : str
    actor : str
        Who asked for it.
    posted_at : datetime

    Raises
    ------
    RefusedError
        ``already_reversed``: the unique key has the last word, whoever looked before.
    """
    heads = [
        {
            "id": movement_id,
            "loan_id": loan_id,
            "kind": movement.kind,
            "currency": movement.currency,
            "business_on": movement.business_on,
            "reverses": movement.reverses,
            "actor": actor,
            "posted_at": posted_at,
        }
        for movement_id, movement in posted
    ]
    try:
        session.add_all(movements, heads)
    except IntegrityError as error:
        if "reverses" in str(error.orig):
            raise _already_reversed() from error
        raise
    session.add_all(
        entries,
        [
            {
                "movement_id": movement_id,
                "line": line,
                "debit": posting.debit,
                "credit": posting.credit,
                "amount_minor": posting.amount_minor,
            }
            for movement_id, movement in posted
            for line, posting in enumerate(movement.postings, start=1)
        ],
    )


def read_movement(session: Session, movement_id: str, *, loan_id: str) -> Movement:
    """Return a movement of a loan.

    Raises
    ------
    RefusedError
        ``not_found``.
    """
    query = session.select(movements).where(movements.c.id == movement_id, movements.c.loan_id == loan_id)
    head = session.row(query)
    if head is None:
        raise not_found(movements)
    lines = session.select(entries).where(entries.c.movement_id == movement_id).order_by(entries.c.line)
    return Movement(
        kind=MovementKind(head["kind"]),
        currency=head["currency"],
        business_on=head["business_on"],
        postings=tuple(_posting(row) for row in session.rows(lines)),
        reverses=head["reverses"],
    )


def check_not_reversed(session: Session, movement_id: str) -> None:
    """Refuse a second reversal of a movement.

    Raises
    ------
    RefusedError
        ``already_reversed``.
    """
    if session.row(session.select(movements, movements.c.id).where(movements.c.reverses == movement_id)) is not None:
        raise _already_reversed()


def loan_entries(session: Session, loan_id: str) -> list[RowMapping]:
    """Return a loan's entries in the order they were posted, each with its movement's columns."""
    columns = [movements.c[name] for name in ("kind", "currency", "business_on", "reverses", "posted_at", "loan_id")]
    query = session.select(movements, *columns, *(column for column in entries.c if column.name != "tenant_id"))
    return session.rows(query.join(entries, _JOIN).where(movements.c.loan_id == loan_id).order_by(entries.c.sequence))


def principal_changes(session: Session, loan: Loan) -> dict[date, int]:
    """Return by how much a loan's principal rose on each business date whose interest is not posted yet."""
    change = case(
        (entries.c.debit == Account.PRINCIPAL, entries.c.amount_minor),
        (entries.c.credit == Account.PRINCIPAL, -entries.c.amount_minor),
        else_=0,
    )
    query = (
        session.select(movements, movements.c.business_on, func.sum(change).label("change_minor"))
        .join(entries, _JOIN)
        .where(movements.c.loan_id == loan.id, movements.c.business_on > loan.interest_through_on)
        .group_by(movements.c.business_on)
    )
    found: dict[date, int] = defaultdict(int)
    for row in session.rows(query):
        found[row["business_on"]] += int(row["change_minor"])
    return dict(found)


def _posting(row: RowMapping) -> Posting:
    return Posting(debit=Account(row["debit"]), credit=Account(row["credit"]), amount_minor=row["amount_minor"])


def _already_reversed() -> RefusedError:
    return RefusedError("already_reversed", "this movement was taken back before, expected one that stands")
