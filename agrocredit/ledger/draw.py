"""A draw: the farmer takes money, up to the limit in force."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agrocredit.domain.entry import Account, Movement, MovementKind, Posting, check_amount
from agrocredit.domain.errors import RefusedError
from agrocredit.domain.loan import Limit, Loan, LoanChange, LoanStatus
from agrocredit.ledger.life_cycle import (
    DRAWABLE,
    check_currency,
    check_limit_in_force,
    check_status,
    open_business_date,
    with_balances,
    with_drawn,
)

if TYPE_CHECKING:
    from datetime import date


def draw(loan: Loan, limit: Limit, *, amount_minor: int, currency: str, on: date) -> LoanChange:
    """Return what a draw does.

    Parameters
    ----------
    loan : Loan
    limit : Limit
        The limit the loan draws on.
    amount_minor : int
        Minor units of `currency`.
    currency : str
    on : date
        The lender's business date.

    Raises
    ------
    RefusedError
        ``amount_invalid``, ``currency_mismatch``, ``limit_not_active``, ``loan_state_invalid``, ``limit_exceeded``.
    """
    check_amount(amount_minor)
    check_currency(currency, loan=loan)
    check_limit_in_force(limit, on=on)
    check_status(loan, allowed=DRAWABLE, step="a draw")
    room_minor = max(0, limit.limit_minor - limit.drawn_minor)
    if amount_minor > room_minor:
        raise RefusedError(
            "limit_exceeded",
            f"a draw of {amount_minor} with {limit.drawn_minor} of {limit.limit_minor} drawn,"
            f" expected {room_minor} at most",
        )
    movement = Movement(
        kind=MovementKind.DRAW,
        currency=currency,
        business_on=open_business_date(loan, on=on),
        postings=(Posting(debit=Account.PRINCIPAL, credit=Account.CASH, amount_minor=amount_minor),),
    )
    return LoanChange(
        loan_before=loan,
        loan=replace(with_balances(loan, movement=movement), status=LoanStatus.ACTIVE),
        limit_before=limit,
        limit=with_drawn(limit, change_minor=amount_minor),
        movement=movement,
    )
