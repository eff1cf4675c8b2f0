"""Loans as rows: locked together with their limit, changed by a rule, and written back only as the rule saw them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from agrocredit.domain.errors import RefusedError
from agrocredit.domain.loan import Limit, Loan, LoanStatus
from agrocredit.store.sql.failures import LedgerIntegrityError, StorageBusyError
from agrocredit.store.sql.limits import FIELDS as LIMIT_FIELDS
from agrocredit.store.sql.limits import limit_of
from agrocredit.store.sql.session import not_found
from agrocredit.store.sql.tables import limits, loans

if TYPE_CHECKING:
    from datetime import date, datetime
    from typing import Any

    from sqlalchemy import RowMapping

    from agrocredit.store.sql.session import Session

FIELDS = tuple(column.name for column in loans.c if column.name not in {"tenant_id", "opened_at"})
_BOTH = (
    select(*(loans.c[name] for name in FIELDS), *(limits.c[name].label(f"its_{name}") for name in LIMIT_FIELDS))
    .join(limits, (limits.c.tenant_id == loans.c.tenant_id) & (limits.c.id == loans.c.limit_id))
)  # fmt: skip


def loan_of(row: RowMapping | dict[str, Any]) -> Loan:
    """Return a row of the table as the record that the ledger's rules take."""
    return Loan(**{**{name: row[name] for name in FIELDS}, "status": LoanStatus(row["status"])})


def add_loan(session: Session, loan: Loan, *, opened_at: datetime) -> None:
    """Insert a loan."""
    session.add(loans, opened_at=opened_at, **{name: getattr(loan, name) for name in FIELDS})


def read_loan(session: Session, loan_id: str) -> tuple[Loan, Limit]:
    """Return a loan and its limit as they stand; ``not_found`` as `Session.found`."""
    return _read(session, loan_id, lock=False)


def lock_loan(session: Session, loan_id: str) -> tuple[Loan, Limit]:
    """Return a loan and its limit; both rows stay locked to the end of the transaction.

    Every step that moves money begins here, in one query and so in one order: nobody can wait in a circle.

    Raises
    ------
    RefusedError
        ``not_found``.
    """
    return _read(session, loan_id, lock=True)


def save_loan(session: Session, *, before: Loan, after: Loan) -> None:
    """Write a loan that a rule has changed, if it still stands as the rule saw it.

    Raises
    ------
    StorageBusyError
        If somebody changed it meanwhile.
    """
    if after == before:
        return
    watched = ("status", "principal_minor", "interest_minor", "fees_minor", "interest_through_on")
    seen = (loans.c[name] == getattr(before, name) for name in watched)
    changed = {name: getattr(after, name) for name in FIELDS if getattr(after, name) != getattr(before, name)}
    if session.changed(session.update(loans).where(loans.c.id == before.id, *seen).values(**changed)) != 1:
        raise StorageBusyError


def loans_of_farmer(session: Session, farmer_id: str) -> list[Loan]:
    """Return the farmer's loans, oldest first."""
    query = session.select(loans).where(loans.c.farmer_id == farmer_id).order_by(loans.c.opened_at, loans.c.id)
    return [loan_of(row) for row in session.rows(query)]


def loans_to_close_day(session: Session, *, on: date, after_id: str, count_max: int) -> list[str]:
    """Return ids of loans that a business date may still change, in order, behind an id."""
    query = (
        session.select(loans, loans.c.id)
        .where(
            loans.c.status.in_([LoanStatus.APPROVED, LoanStatus.ACTIVE, LoanStatus.OVERDUE, LoanStatus.RESTRUCTURED]),
            (loans.c.interest_through_on < on) | (loans.c.status == LoanStatus.APPROVED),
            loans.c.id > after_id,
        )
        .order_by(loans.c.id)
        .limit(count_max)
    )
    return [row["id"] for row in session.rows(query)]


def _read(session: Session, loan_id: str, *, lock: bool) -> tuple[Loan, Limit]:
    query = _BOTH.where(loans.c.tenant_id == session.tenant_id, loans.c.id == loan_id)
    row = session.row(query.with_for_update() if lock else query)
    if row is None:
        raise not_found(loans)
    try:
        return loan_of(row), limit_of({name: row[f"its_{name}"] for name in LIMIT_FIELDS})
    except RefusedError as error:  # rows that no rule of ours has written
        raise LedgerIntegrityError from error
