"""Draws and repayments."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from agrocredit import ledger
from agrocredit.service.lending.write import Receipt, Stamp, write_change
from agrocredit.store.sql.faults import check_money_may_move
from agrocredit.store.sql.loans import lock_loan
from agrocredit.store.sql.movements import principal_changes
from agrocredit.store.sql.tenants import allocation_of

if TYPE_CHECKING:
    from datetime import date

    from agrocredit.domain.entry import Movement
    from agrocredit.domain.loan import Loan
    from agrocredit.store.sql.session import Session

__all__ = ["Receipt", "Stamp", "draw_on_loan", "interest_due", "repay_loan"]


def draw_on_loan(session: Session, loan_id: str, *, amount_minor: int, currency: str, stamp: Stamp) -> Receipt:
    """Pay money out on a loan.

    Raises
    ------
    RefusedError
        ``not_found``; as `agrocredit.ledger.draw`.
    LedgerIntegrityError
        ``ledger_integrity``.
    """
    check_money_may_move(session)
    loan, limit = lock_loan(session, loan_id)
    change = ledger.draw(loan, limit, amount_minor=amount_minor, currency=currency, on=stamp.on)
    return write_change(session, change, stamp=stamp)


def repay_loan(session: Session, loan_id: str, *, amount_minor: int, currency: str, stamp: Stamp) -> Receipt:
    """Take a payment in, after posting the interest of the days before it.

    Raises
    ------
    RefusedError
        ``not_found``; as `agrocredit.ledger.repay`.
    LedgerIntegrityError
        ``ledger_integrity``.
    """
    check_money_may_move(session)
    loan, limit = lock_loan(session, loan_id)
    accrued, interest = interest_due(session, loan, through_on=stamp.on - timedelta(days=1))
    order = ledger.allocation_order(allocation_of(session))
    change = ledger.repay(accrued, limit, amount_minor=amount_minor, currency=currency, on=stamp.on, order=order)
    return write_change(session, replace(change, loan_before=loan), accrued=interest, stamp=stamp)


def interest_due(session: Session, loan: Loan, *, through_on: date) -> tuple[Loan, list[Movement]]:
    """Return a loan with interest through a business date, and the postings that are still to be written."""
    if loan.interest_through_on >= through_on:
        return loan, []
    return ledger.accrue(loan, through_on=through_on, principal_changes=principal_changes(session, loan))
