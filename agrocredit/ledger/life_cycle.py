"""Which step a loan may take in which state, and where its limit lets it draw."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from agrocredit.domain.entry import Account
from agrocredit.domain.errors import RefusedError
from agrocredit.domain.loan import Limit, LimitStatus, Loan, LoanChange, LoanStatus

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from agrocredit.domain.entry import Movement

DRAWABLE = (LoanStatus.APPROVED, LoanStatus.ACTIVE)
"""States in which money may be taken."""
OWING = (LoanStatus.ACTIVE, LoanStatus.OVERDUE, LoanStatus.RESTRUCTURED)
"""States in which something may be owed."""


def check_status(loan: Loan, *, allowed: Collection[LoanStatus], step: str) -> None:
    """Refuse a step that this loan cannot take now.

    Raises
    ------
    RefusedError
        ``loan_state_invalid``.
    """
    if loan.status not in allowed:
        expected = ", ".join(allowed)
        raise RefusedError(
            "loan_state_invalid", f"{step} on loan {loan.id}, which is {loan.status}; expected {expected}"
        )


def check_currency(currency: str, *, loan: Loan) -> None:
    """Refuse another currency than the loan's.

    Raises
    ------
    RefusedError
        ``currency_mismatch``.
    """
    if currency != loan.currency:
        raise RefusedError("currency_mismatch", f"{currency!r:.20} on loan {loan.id}, expected {loan.currency}")


def limit_in_force(limit: Limit, *, on: date) -> bool:
    """Say whether a limit may be drawn on a business date."""
    return limit.status is LimitStatus.ACTIVE and on < limit.expires_on


def check_limit_in_force(limit: Limit, *, on: date) -> None:
    """Refuse a draw on a limit that is frozen, closed or has run out.

    Raises
    ------
    RefusedError
        ``limit_not_active``.
    """
    if not limit_in_force(limit, on=on):
        raise RefusedError(
            "limit_not_active",
            f"limit {limit.id} is {limit.status} and ends on {limit.expires_on}, expected an active one on {on}",
        )


def open_business_date(loan: Loan, *, on: date) -> date:
    """Return the date a movement counts for: `on`, unless the loan is further already.

    A clock that was set back, or a day already closed, must neither lose a payment nor change interest that stands. So
    no movement is dated before an earlier one, nor on a day whose interest is posted.
    """
    return max(on, loan.last_on, loan.interest_through_on + timedelta(days=1))


def settle(loan: Loan, *, limit: Limit, on: date) -> Loan:
    """Return the loan with the status that its balance and the date give it.

    Nothing owed closes a loan that cannot be drawn any more; something owed after the due date makes it overdue.
    """
    if loan.status in {LoanStatus.APPLIED, LoanStatus.WRITTEN_OFF}:
        return loan
    if loan.outstanding_minor == 0:
        may_draw = loan.status in DRAWABLE and limit_in_force(limit, on=on) and on <= loan.due_on
        return loan if may_draw else replace(loan, status=LoanStatus.CLOSED)
    if on > loan.due_on:
        return replace(loan, status=LoanStatus.OVERDUE)
    return replace(loan, status=LoanStatus.RESTRUCTURED if loan.restructured_on else LoanStatus.ACTIVE)


def roll(loan: Loan, *, limit: Limit, on: date) -> LoanChange | None:
    """Return what a new business date does to a loan's status, or None where it does nothing."""
    rolled = settle(loan, limit=limit, on=on)
    if rolled == loan:
        return None
    return LoanChange(loan_before=loan, loan=rolled, limit_before=limit, limit=limit, movement=None)


def with_balances(loan: Loan, *, movement: Movement) -> Loan:
    """Return a loan after a movement: its amounts added to what is owed, and its date remembered."""
    return replace(
        loan,
        last_on=max(loan.last_on, movement.business_on),
        principal_minor=loan.principal_minor + movement.change_minor(Account.PRINCIPAL),
        interest_minor=loan.interest_minor + movement.change_minor(Account.INTEREST_RECEIVABLE),
        fees_minor=loan.fees_minor + movement.change_minor(Account.FEES_RECEIVABLE),
    )


def with_drawn(limit: Limit, *, change_minor: int) -> Limit:
    """Return a limit after its loans' principal changed; what stands above it is named as excess."""
    drawn_minor = limit.drawn_minor + change_minor
    return replace(limit, drawn_minor=drawn_minor, excess_minor=max(0, drawn_minor - limit.limit_minor))


def cut(limit: Limit, *, limit_minor: int) -> Limit:
    """Return a limit with another ceiling. What is drawn above it stays owed and stops every further draw."""
    return replace(limit, limit_minor=limit_minor, excess_minor=max(0, limit.drawn_minor - limit_minor))
