"""Simple daily interest, Act/365 on the principal at the end of each business date, one posting a loan and day.

A day's interest is rarely a whole minor unit. What rounding keeps back is carried to the next day as an exact integer,
so that the days of any stretch add up to the interest of the whole stretch, rounded half up once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from agrocredit.domain.entry import Account, Movement, MovementKind, Posting
from agrocredit.ledger.life_cycle import OWING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agrocredit.domain.loan import Loan

DAYS_A_YEAR = 365
"""Act/365: the day count convention, not a setting."""
CARRY_UNITS = DAYS_A_YEAR * 10**6
"""Carry units in one minor unit: a day of one minor unit at a rate of one millionth is one of them."""
FIRST_CARRY = CARRY_UNITS // 2
"""Starting from a half, flooring each day rounds the sum half up."""


def one_day(principal_minor: int, *, rate_ppm: int, carry: int) -> tuple[int, int]:
    """Return a day's interest in minor units, and the carry for the next day.

    >>> one_day(5_000_000, rate_ppm=70_000, carry=FIRST_CARRY)
    (959, 86500000)
    """
    return divmod(principal_minor * rate_ppm + carry, CARRY_UNITS)


def accrue(loan: Loan, *, through_on: date, principal_changes: Mapping[date, int]) -> tuple[Loan, list[Movement]]:
    """Return a loan with interest posted through a business date, and the postings, one a day that bears any.

    Parameters
    ----------
    loan : Loan
    through_on : date
        Last business date to post; days posted already are passed over.
    principal_changes : mapping of date to int
        By how much principal rose on each business date after `loan.interest_through_on`, minor units.
    """
    if loan.status not in OWING:
        return loan, []
    on = loan.interest_through_on
    principal_minor = loan.principal_minor - sum(
        change for day, change in principal_changes.items() if day > loan.interest_through_on
    )
    movements = []
    while on < through_on:
        on += timedelta(days=1)
        principal_minor += principal_changes.get(on, 0)
        amount_minor, carry = one_day(principal_minor, rate_ppm=loan.rate_ppm, carry=loan.interest_carry)
        loan = replace(
            loan,
            interest_through_on=on,
            interest_carry=carry,
            interest_minor=loan.interest_minor + amount_minor,
        )
        if amount_minor:
            movements.append(_posting(amount_minor, currency=loan.currency, on=on))
    return loan, movements


def _posting(amount_minor: int, *, currency: str, on: date) -> Movement:
    return Movement(
        kind=MovementKind.INTEREST,
        currency=currency,
        business_on=on,
        postings=(
            Posting(debit=Account.INTEREST_RECEIVABLE, credit=Account.INTEREST_INCOME, amount_minor=amount_minor),
        ),
    )
