"""What a lender does besides lending: fees, reversals, a later due date, giving a loan up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from agrocredit import ledger
from agrocredit.service.lending.move import interest_due
from agrocredit.service.lending.write import Receipt, Stamp, write_change
from agrocredit.store.sql.faults import check_money_may_move
from agrocredit.store.sql.loans import lock_loan
from agrocredit.store.sql.movements import check_not_reversed, read_movement

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from agrocredit.domain.loan import Limit, Loan, LoanChange
    from agrocredit.store.sql.session import Session


def reverse_movement(session: Session, loan_id: str, *, movement_id: str, stamp: Stamp) -> Receipt:
    """Take a movement of a loan back.

    Raises
    ------
    RefusedError
        ``not_found`` for a loan or movement; ``already_reversed``; as `agrocredit.ledger.reverse`.
    LedgerIntegrityError
        ``ledger_integrity``.
    """
    check_money_may_move(session)
    loan, limit = lock_loan(session, loan_id)
    original = read_movement(session, movement_id, loan_id=loan_id)
    check_not_reversed(session, movement_id)
    change = ledger.reverse(loan, limit, original=original, original_id=movement_id, on=stamp.on)
    return write_change(session, change, stamp=stamp)


def charge_loan_fee(session: Session, loan_id: str, *, amount_minor: int, currency: str, stamp: Stamp) -> Receipt:
    """Charge a fee; errors as `agrocredit.ledger.charge_fee`."""
    return _after_interest(
        session,
        loan_id,
        stamp,
        lambda loan, limit: ledger.charge_fee(loan, limit, amount_minor=amount_minor, currency=currency, on=stamp.on),
    )


def write_off_loan(session: Session, loan_id: str, *, stamp: Stamp) -> Receipt:
    """Give a loan up; errors as `agrocredit.ledger.write_off`."""
    return _after_interest(session, loan_id, stamp, lambda loan, limit: ledger.write_off(loan, limit, on=stamp.on))


def restructure_loan(session: Session, loan_id: str, *, due_on: date, stamp: Stamp) -> Receipt:
    """Agree on a later due date; errors as `agrocredit.ledger.restructure`."""
    return _after_interest(
        session, loan_id, stamp, lambda loan, limit: ledger.restructure(loan, limit, due_on=due_on, on=stamp.on)
    )


def _after_interest(session: Session, loan_id: str, stamp: Stamp, rule: Callable[[Loan, Limit], LoanChange]) -> Receipt:
    """Post the interest of the days before, then do what the rule says."""
    check_money_may_move(session)
    loan, limit = lock_loan(session, loan_id)
    accrued, interest = interest_due(session, loan, through_on=stamp.on - timedelta(days=1))
    change = rule(accrued, limit)
    return write_change(session, replace(change, loan_before=loan), accrued=interest, stamp=stamp)
