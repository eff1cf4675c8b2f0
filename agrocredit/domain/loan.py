"""Loans and the limits they draw on, as they stand at one moment. Amounts are integer minor units of `currency`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from agrocredit.domain.errors import RefusedError
from agrocredit.domain.money import minor_per_major

if TYPE_CHECKING:
    from datetime import date

    from agrocredit.domain.entry import Movement

RATE_MAX_PPM = 10_000_000
"""A yearly rate of 1,000 %: above it somebody mistook the unit."""


class LoanStatus(StrEnum):
    """Where a loan stands in its life."""

    APPLIED = "applied"
    """Asked for; nobody has said yes."""
    APPROVED = "approved"
    """Granted; nothing drawn yet."""
    ACTIVE = "active"
    """Drawn; may be repaid, and drawn again up to the limit."""
    OVERDUE = "overdue"
    """Past its due date with something owed."""
    RESTRUCTURED = "restructured"
    """Given a later due date; may be repaid, not drawn."""
    CLOSED = "closed"
    """Nothing owed, and nothing will be."""
    WRITTEN_OFF = "written_off"
    """Given up by the lender."""


class LimitStatus(StrEnum):
    """Whether a limit may be drawn on. That it has run out is a matter of the date, not of the status."""

    ACTIVE = "active"
    """May be drawn until it expires."""
    FROZEN = "frozen"
    """Stopped by the lender, and can be released."""
    CLOSED = "closed"
    """Stopped for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What a farmer may owe in principal at most, from one decision."""

    id: str
    farmer_id: str
    decision_id: str
    currency: str
    limit_minor: int
    drawn_minor: int
    """Principal outstanding of all loans on this limit."""
    excess_minor: int = 0
    """What is drawn above the limit, which only a cut or a payment taken back can bring about."""
    expires_on: date
    """First day on which nothing can be drawn any more."""
    status: LimitStatus = LimitStatus.ACTIVE

    def __post_init__(self) -> None:
        minor_per_major(self.currency)
        if min(self.limit_minor, self.drawn_minor) < 0 or self.excess_minor != max(
            0, self.drawn_minor - self.limit_minor
        ):
            raise RefusedError(
                "limit_invalid",
                f"limit {self.id}: {self.drawn_minor} drawn of {self.limit_minor} with {self.excess_minor} above it",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """One loan with what is owed on it."""

    id: str
    limit_id: str
    farmer_id: str
    currency: str
    status: LoanStatus
    rate_ppm: int
    """Yearly rate in millionths: 70,000 is 7 %. An integer, so that interest is exact."""
    due_on: date
    last_on: date
    """Latest business date on which money moved; no later movement is dated before it."""
    interest_through_on: date
    """Last business day whose interest is posted."""
    interest_carry: int
    """What rounding has kept back so far, in units of 1 / (365 * 10**6) of a minor unit."""
    principal_minor: int = 0
    interest_minor: int = 0
    fees_minor: int = 0
    restructured_on: date | None = None
    """When a later due date was last agreed."""

    def __post_init__(self) -> None:
        minor_per_major(self.currency)
        check_rate(self.rate_ppm)
        if min(self.principal_minor, self.interest_minor, self.fees_minor) < 0:
            raise RefusedError("loan_invalid", f"loan {self.id} owes less than nothing: {self}")

    @property
    def outstanding_minor(self) -> int:
        """Principal, interest and fees together."""
        return self.principal_minor + self.interest_minor + self.fees_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanChange:
    """What one step does: a loan and its limit before and after, and the movement that explains the difference."""

    loan_before: Loan
    loan: Loan
    limit_before: Limit
    limit: Limit
    movement: Movement | None
    """None where only a status or a date changes."""


def check_rate(rate_ppm: object) -> int:
    """Return a yearly rate in millionths.

    Raises
    ------
    RefusedError
        ``rate_invalid``.
    """
    if type(rate_ppm) is not int or not 0 <= rate_ppm <= RATE_MAX_PPM:
        raise RefusedError(
            "rate_invalid", f"rate {rate_ppm!r:.40}, expected an integer of millionths a year from 0 to {RATE_MAX_PPM}"
        )
    return rate_ppm
