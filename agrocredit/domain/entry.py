"""Ledger entries: one debit, one credit, a positive amount. They are never changed; what was wrong is reversed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from agrocredit.domain.errors import RefusedError
from agrocredit.domain.money import minor_per_major

if TYPE_CHECKING:
    from datetime import date

AMOUNT_MAX_MINOR = 10**15
"""Above what any farm loan in any currency comes to, and far from where 64 bits or a JSON number lose a unit."""


class Account(StrEnum):
    """The chart of accounts of a lender. Balances of a loan are the entries on them that name the loan."""

    CASH = "cash"
    """Asset: what the lender pays out and takes in."""
    PRINCIPAL = "principal"
    """Asset: money lent and not yet repaid."""
    INTEREST_RECEIVABLE = "interest_receivable"
    """Asset: interest posted and not yet paid."""
    FEES_RECEIVABLE = "fees_receivable"
    """Asset: fees charged and not yet paid."""
    INTEREST_INCOME = "interest_income"
    """Income: interest as it is posted."""
    FEE_INCOME = "fee_income"
    """Income: fees as they are charged."""
    LOAN_LOSS = "loan_loss"
    """Expense: what was given up."""


class MovementKind(StrEnum):
    """Why money moved."""

    DRAW = "draw"
    """The farmer takes money up to the limit."""
    REPAYMENT = "repayment"
    """The farmer pays; fees, interest and principal in the policy's order."""
    INTEREST = "interest"
    """One day's interest of one loan."""
    FEE = "fee"
    """A charge of the lender."""
    WRITE_OFF = "write_off"
    """The lender gives up what is owed."""
    REVERSAL = "reversal"
    """An earlier movement taken back, entry by entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One entry before it has its place in the ledger: an amount leaves `credit` and reaches `debit`."""

    debit: Account
    credit: Account
    amount_minor: int

    def __post_init__(self) -> None:
        check_amount(self.amount_minor)
        if self.debit is self.credit:
            raise RefusedError("entry_invalid", f"{self.debit} is debited and credited by one entry")

    def reversed(self) -> Posting:
        """Return the entry that takes this one back."""
        return Posting(debit=self.credit, credit=self.debit, amount_minor=self.amount_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """What is posted together or not at all: one draw, one repayment, one day's interest."""

    kind: MovementKind
    currency: str
    business_on: date
    """The lender's business date; interest counts by it, whatever a clock says."""
    postings: tuple[Posting, ...]
    reverses: str | None = None
    """Id of the movement taken back, in a reversal."""

    def __post_init__(self) -> None:
        minor_per_major(self.currency)
        if not self.postings:
            raise RefusedError("entry_invalid", f"a {self.kind} without an entry, expected one or more")
        if (self.kind is MovementKind.REVERSAL) != (self.reverses is not None):
            raise RefusedError("entry_invalid", f"a {self.kind} that reverses {self.reverses}")

    def change_minor(self, account: Account) -> int:
        """Return by how much this movement raises an account's debit balance, minor units."""
        debits = sum(posting.amount_minor for posting in self.postings if posting.debit is account)
        return debits - sum(posting.amount_minor for posting in self.postings if posting.credit is account)


def check_amount(amount_minor: object) -> int:
    """Return an amount that may move: an integer of minor units above 0 and up to `AMOUNT_MAX_MINOR`.

    Raises
    ------
    RefusedError
        ``amount_invalid``; also for True, which Python takes for 1.
    """
    if type(amount_minor) is not int or not 0 < amount_minor <= AMOUNT_MAX_MINOR:
        raise RefusedError(
            "amount_invalid",
            f"amount {amount_minor!r:.40}, expected an integer number of minor units from 1 to {AMOUNT_MAX_MINOR}",
        )
    return amount_minor
