"""A loan on a limit in force."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from agrocredit import ledger
from agrocredit.domain.errors import RefusedError
from agrocredit.domain.loan import Loan, LoanStatus, check_rate
from agrocredit.store.sql.events import Event, record
from agrocredit.store.sql.faults import check_money_may_move
from agrocredit.store.sql.ids import new_id
from agrocredit.store.sql.limits import lock_limit
from agrocredit.store.sql.loans import add_loan

if TYPE_CHECKING:
    from datetime import date

    from agrocredit.service.lending.write import Stamp
    from agrocredit.store.sql.session import Session


def open_loan(session: Session, *, limit_id: str, rate_ppm: int, due_on: date, stamp: Stamp) -> Loan:
    """Open a loan on a limit; nothing is drawn yet.

    Parameters
    ----------
    session : Session
    limit_id : str
    rate_ppm : int
        Yearly rate in millionths, from the policy of the decision.
    due_on : date
        From the decision.
    stamp : Stamp

    Raises
    ------
    RefusedError
        ``not_found``, ``rate_invalid``, ``limit_not_active``, ``date_out_of_range``.
    LedgerIntegrityError
        ``ledger_integrity``.
    """
    check_rate(rate_ppm)
    check_money_may_move(session)
    limit = lock_limit(session, limit_id)
    ledger.check_limit_in_force(limit, on=stamp.on)
    if due_on < stamp.on:
        raise RefusedError("date_out_of_range", f"due on {due_on}, expected {stamp.on} or later")
    loan = Loan(
        id=new_id("loan"),
        limit_id=limit.id,
        farmer_id=limit.farmer_id,
        currency=limit.currency,
        status=LoanStatus.APPROVED,
        rate_ppm=rate_ppm,
        due_on=due_on,
        last_on=stamp.on,
        interest_through_on=stamp.on - timedelta(days=1),
        interest_carry=ledger.FIRST_CARRY,
    )
    add_loan(session, loan, opened_at=stamp.at)
    payload = {"limit_id": limit.id, "rate_ppm": rate_ppm, "due_on": due_on.isoformat(), "currency": limit.currency}
    record(session, [Event(kind="loan.opened", subject_id=loan.id, payload=payload)], actor=stamp.actor, at=stamp.at)
    return loan
