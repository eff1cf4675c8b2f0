"""What a lender does to a loan besides lending: fees, reversals, a later due date, giving it up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agrocredit.domain.entry import Account, Movement, MovementKind, Posting, check_amount
from agrocredit.domain.errors import RefusedError
from agrocredit.domain.loan import Limit, LimitStatus, Loan, LoanChange, LoanStatus
from agrocredit.ledger.life_cycle import (
    OWING,
    check_currency,
    check_status,
    open_business_date,
    settle,
    with_balances,
    with_drawn,
)
from agrocredit.ledger.repayment import ACCOUNTS, owed_minor

if TYPE_CHECKING:
    from datetime import date

REVERSIBLE = (*OWING, LoanStatus.CLOSED, LoanStatus.WRITTEN_OFF)


def charge_fee(loan: Loan, limit: Limit, *, amount_minor: int, currency: str, on: date) -> LoanChange:
    """Return what a fee does.

    Raises
    ------
    RefusedError
        ``amount_invalid``, ``currency_mismatch``, ``loan_state_invalid``.
    """
    check_amount(amount_minor)
    check_currency(currency, loan=loan)
    check_status(loan, allowed=OWING, step="a fee")
    movement = Movement(
        kind=MovementKind.FEE,
        currency=currency,
        business_on=open_business_date(loan, on=on),
        postings=(Posting(debit=Account.FEES_RECEIVABLE, credit=Account.FEE_INCOME, amount_minor=amount_minor),),
    )
    return _change(loan, limit, movement, on=on)


def reverse(loan: Loan, limit: Limit, *, original: Movement, original_id: str, on: date) -> LoanChange:
    """Return what taking a movement back does: each of its entries the other way round.

    Parameters
    ----------
    loan : Loan
    limit : Limit
    original : Movement
        Of this loan, not reversed before: the store looks that up, and its unique key has the last word.
    original_id : str
    on : date
        The lender's business date.

    Raises
    ------
    RefusedError
        ``not_reversible`` for a reversal, and where something later rests on the movement; ``loan_state_invalid``.
    """
    check_status(loan, allowed=REVERSIBLE, step="a reversal")
    if original.kind is MovementKind.REVERSAL:
        raise RefusedError(
            "not_reversible", f"movement {original_id} is a reversal, expected what it reversed to be repeated"
        )
    if loan.status is LoanStatus.WRITTEN_OFF and original.kind is not MovementKind.WRITE_OFF:
        raise RefusedError(
            "not_reversible", f"loan {loan.id} is written off, expected its write-off to be reversed first"
        )
    movement = Movement(
        kind=MovementKind.REVERSAL,
        currency=original.currency,
        business_on=open_business_date(loan, on=on),
        postings=tuple(posting.reversed() for posting in original.postings),
        reverses=original_id,
    )
    for kind, owed in owed_minor(loan).items():
        if owed + movement.change_minor(ACCOUNTS[kind]) < 0:
            raise RefusedError(
                "not_reversible",
                f"reversing {original_id} takes {kind} of {owed} below 0, expected later payments reversed first",
            )
    reopened = replace(loan, status=LoanStatus.ACTIVE) if loan.status is LoanStatus.WRITTEN_OFF else loan
    return _change(reopened, limit, movement, on=on, before=loan)


def write_off(loan: Loan, limit: Limit, *, on: date) -> LoanChange:
    """Return what giving a loan up does: all that is owed becomes a loss, and its limit closes.

    Raises
    ------
    RefusedError
        ``loan_state_invalid``, also where nothing is owed.
    """
    check_status(loan, allowed=OWING, step="a write-off")
    if loan.outstanding_minor == 0:
        raise RefusedError("loan_state_invalid", f"a write-off of loan {loan.id}, expected something owed")
    movement = Movement(
        kind=MovementKind.WRITE_OFF,
        currency=loan.currency,
        business_on=open_business_date(loan, on=on),
        postings=tuple(
            Posting(debit=Account.LOAN_LOSS, credit=ACCOUNTS[kind], amount_minor=owed)
            for kind, owed in owed_minor(loan).items()
            if owed
        ),
    )
    change = _change(loan, limit, movement, on=on)
    return replace(
        change,
        loan=replace(change.loan, status=LoanStatus.WRITTEN_OFF),
        limit=replace(change.limit, status=LimitStatus.CLOSED),
    )


def restructure(loan: Loan, limit: Limit, *, due_on: date, on: date) -> LoanChange:
    """Return what a later due date does: the loan stays current until then, and is not drawn any more.

    Raises
    ------
    RefusedError
        ``loan_state_invalid``; ``date_out_of_range``.
    """
    check_status(loan, allowed=OWING, step="a restructuring")
    if due_on <= max(on, loan.due_on):
        raise RefusedError("date_out_of_range", f"due on {due_on}, expected after {max(on, loan.due_on)}")
    later = replace(loan, due_on=due_on, status=LoanStatus.RESTRUCTURED, restructured_on=on)
    return LoanChange(loan_before=loan, loan=later, limit_before=limit, limit=limit, movement=None)


def _change(loan: Loan, limit: Limit, movement: Movement, *, on: date, before: Loan | None = None) -> LoanChange:
    after = with_drawn(limit, change_minor=movement.change_minor(Account.PRINCIPAL))
    return LoanChange(
        loan_before=before or loan,
        loan=settle(with_balances(loan, movement=movement), limit=after, on=on),
        limit_before=limit,
        limit=after,
        movement=movement,
    )
