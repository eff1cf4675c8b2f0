"""The end of a business date: interest posted, loans moved on, old keys forgotten. It may be killed and run again.

A loan is closed in a transaction of its own. What is posted already is passed over, so a second run does nothing and a
killed one goes on where it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from agrocredit import ledger
from agrocredit.domain.loan import LoanChange
from agrocredit.service.lending.move import interest_due
from agrocredit.service.lending.write import Stamp, write_change
from agrocredit.store.sql.attempts import write_with_retries
from agrocredit.store.sql.faults import check_money_may_move
from agrocredit.store.sql.idempotency import forget_old_keys
from agrocredit.store.sql.loans import loans_to_close_day, lock_loan
from agrocredit.store.sql.tenants import tenant_ids

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from agrocredit.store.sql.database import Database
    from agrocredit.store.sql.session import Session

LOANS_AT_ONCE = 500
ACTOR = "close-day"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayClosed:
    """What a run did."""

    loans: int
    """Loans that were looked at."""
    interest_postings: int
    keys_forgotten: int


def close_day(database: Database, *, on: date, at: datetime) -> DayClosed:
    """Post interest through a business date for every lender, set statuses, and forget old idempotency keys.

    Parameters
    ----------
    database : Database
    on : date
        The business date that has ended.
    at : datetime
        Now.

    Raises
    ------
    LedgerIntegrityError
        ``ledger_integrity``: no interest is posted on books that do not add up.
    """
    with database.oversee(read_only=True) as connection:
        tenants = tenant_ids(connection)
    stamp = Stamp(actor=ACTOR, on=on, at=at)
    count = postings = 0
    for tenant_id in tenants:
        for loan_id in _loan_ids(database, tenant_id, on):
            work = partial(close_loan_day, loan_id=loan_id, stamp=stamp)
            postings += write_with_retries(database, tenant_id, work)
            count += 1
    with database.oversee() as connection:
        forgotten = forget_old_keys(connection, at=at)
    return DayClosed(loans=count, interest_postings=postings, keys_forgotten=forgotten)


def close_loan_day(session: Session, *, loan_id: str, stamp: Stamp) -> int:
    """Post a loan's interest through the stamp's date and set its status; return how many days were posted."""
    check_money_may_move(session)
    loan, limit = lock_loan(session, loan_id)
    accrued, interest = interest_due(session, loan, through_on=stamp.on)
    change = LoanChange(loan_before=loan, loan=accrued, limit_before=limit, limit=limit, movement=None)
    rolled = ledger.roll(accrued, limit=limit, on=stamp.on)
    write_change(
        session, change if rolled is None else replace(rolled, loan_before=loan), accrued=interest, stamp=stamp
    )
    return len(interest)


def _loan_ids(database: Database, tenant_id: str, on: date) -> Iterator[str]:
    last = ""
    while True:
        with database.read(tenant_id) as session:
            found = loans_to_close_day(session, on=on, after_id=last, count_max=LOANS_AT_ONCE)
        yield from found
        if len(found) < LOANS_AT_ONCE:
            return
        last = found[-1]
