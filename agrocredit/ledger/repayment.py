"""A repayment: what it meets first is the lender's order; principal it meets can be drawn again at once."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from agrocredit.domain.entry import Account, Movement, MovementKind, Posting, check_amount
from agrocredit.domain.errors import InputUnusableError, RefusedError
from agrocredit.domain.loan import Limit, Loan, LoanChange, LoanStatus
from agrocredit.ledger.life_cycle import (
    check_currency,
    check_status,
    open_business_date,
    settle,
    with_balances,
    with_drawn,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date


class Owed(StrEnum):
    """What a payment can meet."""

    FEES = "fees"
    """Fees charged."""
    INTEREST = "interest"
    """Interest posted."""
    PRINCIPAL = "principal"
    """Money drawn."""


ACCOUNTS = {
    Owed.FEES: Account.FEES_RECEIVABLE,
    Owed.INTEREST: Account.INTEREST_RECEIVABLE,
    Owed.PRINCIPAL: Account.PRINCIPAL,
}
REPAYABLE = (
    LoanStatus.APPROVED,
    LoanStatus.ACTIVE,
    LoanStatus.OVERDUE,
    LoanStatus.RESTRUCTURED,
    LoanStatus.CLOSED,
)
"""Where nothing is owed, a payment is too much rather than out of place."""


def allocation_order(text: str) -> tuple[Owed, ...]:
    """Return the order in which a lender's payments meet what is owed.

    Raises
    ------
    InputUnusableError
        ``allocation_invalid``.

    >>> allocation_order("fees,interest,principal")[0].value
    'fees'
    """
    names = text.split(",")
    if sorted(names) != sorted(Owed):
        raise InputUnusableError(
            "allocation_invalid", f"allocation {text!r:.60}, expected fees, interest and principal once each"
        )
    return tuple(Owed(name) for name in names)


def owed_minor(loan: Loan) -> dict[Owed, int]:
    """Return what is owed by kind, minor units."""
    return {Owed.FEES: loan.fees_minor, Owed.INTEREST: loan.interest_minor, Owed.PRINCIPAL: loan.principal_minor}


def allocate(amount_minor: int, *, owed: dict[Owed, int], order: Sequence[Owed]) -> dict[Owed, int]:
    """Return how a payment splits: each kind in turn is met as far as the rest of the money goes. The sum is exact.

    >>> allocate(70, owed={Owed.FEES: 50, Owed.INTEREST: 30, Owed.PRINCIPAL: 5}, order=tuple(Owed))
    {<Owed.FEES: 'fees'>: 50, <Owed.INTEREST: 'interest'>: 20, <Owed.PRINCIPAL: 'principal'>: 0}
    """
    parts = {}
    for kind in order:
        parts[kind] = min(amount_minor, owed[kind])
        amount_minor -= parts[kind]
    return parts


def repay(
    loan: Loan, limit: Limit, *, amount_minor: int, currency: str, on: date, order: Sequence[Owed] = tuple(Owed)
) -> LoanChange:
    """Return what a repayment does. Interest up to the day before `on` must be posted already.

    Parameters
    ----------
    loan : Loan
    limit : Limit
    amount_minor : int
        Minor units of `currency`.
    currency : str
    on : date
        The lender's business date.
    order : sequence of Owed
        What is met first.

    Raises
    ------
    RefusedError
        ``amount_invalid``, ``currency_mismatch``, ``loan_state_invalid``, ``overpayment``.
    """
    check_amount(amount_minor)
    check_currency(currency, loan=loan)
    check_status(loan, allowed=REPAYABLE, step="a repayment")
    if amount_minor > loan.outstanding_minor:
        raise RefusedError(
            "overpayment", f"a repayment of {amount_minor}, expected at most the {loan.outstanding_minor} owed"
        )
    parts = allocate(amount_minor, owed=owed_minor(loan), order=order)
    movement = Movement(
        kind=MovementKind.REPAYMENT,
        currency=currency,
        business_on=open_business_date(loan, on=on),
        postings=tuple(
            Posting(debit=Account.CASH, credit=ACCOUNTS[kind], amount_minor=part)
            for kind, part in parts.items()
            if part
        ),
    )
    repaid_limit = with_drawn(limit, change_minor=-parts[Owed.PRINCIPAL])
    return LoanChange(
        loan_before=loan,
        loan=settle(with_balances(loan, movement=movement), limit=repaid_limit, on=on),
        limit_before=limit,
        limit=repaid_limit,
        movement=movement,
    )
