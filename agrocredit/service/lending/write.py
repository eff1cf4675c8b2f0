"""Writes what a rule decided: limit, loan, movements and events, in that order and in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agrocredit.store.sql.events import Event, record
from agrocredit.store.sql.ids import new_id
from agrocredit.store.sql.limits import save_limit
from agrocredit.store.sql.loans import save_loan
from agrocredit.store.sql.movements import post

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from agrocredit.domain.entry import Movement
    from agrocredit.domain.loan import Limit, Loan, LoanChange, LoanStatus
    from agrocredit.store.sql.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Who asks, and when; nothing below reads a clock."""

    actor: str
    """The key holder, farmer or command."""
    on: date
    """The lender's business date."""
    at: datetime
    """The instant, with its zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was done: the movement's id and the loan and limit after it."""

    movement_id: str | None
    movement: Movement | None
    """None where no money moved."""
    loan: Loan
    limit: Limit


def write_change(session: Session, change: LoanChange, *, accrued: Sequence[Movement] = (), stamp: Stamp) -> Receipt:
    """Write a change, after the interest that was posted on the way to it, and return the receipt.

    Parameters
    ----------
    session : Session
        Holds the loan and the limit locked.
    change : LoanChange
        Its `loan_before` and `limit_before` are what the locked rows say.
    accrued : sequence of Movement
        Days of interest that came due first.
    stamp : Stamp
    """
    movements = [*accrued, *([change.movement] if change.movement is not None else [])]
    posted = [(new_id("mov"), movement) for movement in movements]
    save_limit(session, before=change.limit_before, after=change.limit)
    save_loan(session, before=change.loan_before, after=change.loan)
    post(session, posted, loan_id=change.loan.id, actor=stamp.actor, posted_at=stamp.at)
    happened = [_moved(movement_id, movement, change.loan) for movement_id, movement in posted]
    if change.loan.status is not change.loan_before.status:
        happened.append(_became(change.loan_before.status, change.loan))
    record(session, happened, actor=stamp.actor, at=stamp.at)
    own = change.movement is not None
    return Receipt(
        movement_id=posted[-1][0] if own else None, movement=change.movement, loan=change.loan, limit=change.limit
    )


def _moved(movement_id: str, movement: Movement, loan: Loan) -> Event:
    payload: dict[str, Any] = {
        "loan_id": loan.id,
        "kind": movement.kind.value,
        "business_on": movement.business_on.isoformat(),
        "currency": movement.currency,
        "entries": [
            {"debit": each.debit.value, "credit": each.credit.value, "amount_minor": each.amount_minor}
            for each in movement.postings
        ],
        "reverses": movement.reverses,
    }
    return Event(kind="money.moved", subject_id=movement_id, payload=payload)


def _became(before: LoanStatus, loan: Loan) -> Event:
    payload = {"from": before.value, "to": loan.status.value, "due_on": loan.due_on.isoformat()}
    return Event(kind="loan.status_changed", subject_id=loan.id, payload=payload)
