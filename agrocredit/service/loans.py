"""Loans over HTTP: opened on an approved decision, drawn, repaid, taken back, read. Each movement once a key."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter, Request, Response

from agrocredit.credit.rounding import simple_interest_minor
from agrocredit.service.accept_offer import accept_offer
from agrocredit.service.exchange import exchange_of
from agrocredit.service.fields import AmountMinor, Answer, Body, Currency, Id
from agrocredit.service.lending import draw_on_loan, repay_loan, reverse_movement
from agrocredit.service.once import answer_once
from agrocredit.service.platform import CallerDep, PlatformDep
from agrocredit.service.pledged import release_when_closed
from agrocredit.service.strict_route import StrictRoute
from agrocredit.store.sql.loans import read_loan
from agrocredit.store.sql.movements import loan_entries
from agrocredit.store.sql.session import not_found
from agrocredit.store.sql.tables import loans

if TYPE_CHECKING:
    from collections.abc import Callable

    from agrocredit.domain.loan import Limit, Loan
    from agrocredit.service.caller import Caller
    from agrocredit.service.lending import Receipt, Stamp
    from agrocredit.service.platform import Platform
    from agrocredit.store.sql.session import Session

router = APIRouter(route_class=StrictRoute, tags=["loans"])
_PPM = 1_000_000


class NewLoan(Body):
    """Accept the offer of an approved decision."""

    decision_id: Id


class Amount(Body):
    """Money to move."""

    currency: Currency
    amount_minor: AmountMinor


class NewReversal(Body):
    """The movement to take back."""

    movement_id: Id


class LoanAnswer(Answer):
    """A loan and what is left of its limit."""

    id: str
    farmer_id: str
    status: str
    currency: str
    rate_ppm: int
    due_on: date
    principal_minor: int
    interest_minor: int
    fees_minor: int
    outstanding_minor: int
    limit_minor: int
    available_minor: int
    interest_through_on: date


class EntryAnswer(Answer):
    """One entry: an amount leaves `credit` and reaches `debit`."""

    movement_id: str
    kind: str
    business_on: date
    debit: str
    credit: str
    amount_minor: int
    reverses: str | None
    posted_at: datetime


class Due(Answer):
    """What falls due when, if nothing is drawn or repaid before."""

    due_on: date
    principal_minor: int
    interest_minor: int
    fees_minor: int


class LoanStatement(LoanAnswer):
    """A loan with its schedule and all its entries."""

    schedule: list[Due]
    entries: list[EntryAnswer]


class MovementAnswer(Answer):
    """What moved, and the loan after it."""

    movement_id: str
    kind: Literal["draw", "repayment", "reversal"]
    amount_minor: int
    currency: str
    business_on: date
    loan: LoanAnswer


_OPENED: dict[int | str, dict[str, Any]] = {201: {"model": LoanAnswer}}
_MOVED: dict[int | str, dict[str, Any]] = {201: {"model": MovementAnswer}}


@router.post("/v1/loans", status_code=201, response_class=Response, responses=_OPENED)
async def open_loan(body: NewLoan, request: Request, platform: PlatformDep, caller: CallerDep) -> Response:
    """Open a loan on an approved decision: its limit comes into force and its plots are pledged."""

    def work(session: Session, stamp: Stamp) -> LoanAnswer:
        loan, limit = accept_offer(session, body.decision_id, platform=platform, caller=caller, stamp=stamp)
        return _loan(loan, limit)

    return await answer_once(work, exchange=exchange_of(request.scope), path=(), platform=platform)


@router.post("/v1/loans/{loan_id}/draws", status_code=201, response_class=Response, responses=_MOVED)
async def draw(loan_id: str, body: Amount, request: Request, platform: PlatformDep, caller: CallerDep) -> Response:
    """Pay money out, up to the limit in force."""

    def move(session: Session, stamp: Stamp) -> Receipt:
        return draw_on_loan(session, loan_id, amount_minor=body.amount_minor, currency=body.currency, stamp=stamp)

    return await _move(move, loan_id, request=request, platform=platform, caller=caller)


@router.post("/v1/loans/{loan_id}/repayments", status_code=201, response_class=Response, responses=_MOVED)
async def repay(loan_id: str, body: Amount, request: Request, platform: PlatformDep, caller: CallerDep) -> Response:
    """Take a payment in: fees, interest, principal in the lender's order; never more than is owed."""

    def move(session: Session, stamp: Stamp) -> Receipt:
        return repay_loan(session, loan_id, amount_minor=body.amount_minor, currency=body.currency, stamp=stamp)

    return await _move(move, loan_id, request=request, platform=platform, caller=caller)


@router.post("/v1/loans/{loan_id}/reversals", status_code=201, response_class=Response, responses=_MOVED)
async def reverse(
    loan_id: str, body: NewReversal, request: Request, platform: PlatformDep, caller: CallerDep
) -> Response:
    """Take a movement back by a new one; nothing that stands is ever changed."""

    def move(session: Session, stamp: Stamp) -> Receipt:
        return reverse_movement(session, loan_id, movement_id=body.movement_id, stamp=stamp)

    return await _move(move, loan_id, request=request, platform=platform, caller=caller)


@router.get("/v1/loans/{loan_id}")
async def read(loan_id: str, platform: PlatformDep, caller: CallerDep) -> LoanStatement:
    """Read a loan with its balance, its schedule and its entries."""

    def work() -> LoanStatement:
        with platform.database.read(caller.tenant_id) as session:
            loan, limit = _visible(session, loan_id, caller)
            rows = loan_entries(session, loan_id)
        entries = [EntryAnswer.model_validate(dict(row)) for row in rows]
        return LoanStatement(**_loan(loan, limit).model_dump(), schedule=_schedule(loan), entries=entries)

    return await platform.workers.run(work)


async def _move(
    step: Callable[[Session, Stamp], Receipt], loan_id: str, *, request: Request, platform: Platform, caller: Caller
) -> Response:
    def work(session: Session, stamp: Stamp) -> MovementAnswer:
        _visible(session, loan_id, caller)
        receipt = step(session, stamp)
        release_when_closed(session, receipt.loan, at=stamp.at)
        return _moved(receipt)

    return await answer_once(work, exchange=exchange_of(request.scope), path=(loan_id,), platform=platform)


def _visible(session: Session, loan_id: str, caller: Caller) -> tuple[Loan, Limit]:
    """Return a loan that the caller may see; any other is not there."""
    loan, limit = read_loan(session, loan_id)
    if not caller.owns(loan.farmer_id):
        raise not_found(loans)
    return loan, limit


def _loan(loan: Loan, limit: Limit) -> LoanAnswer:
    return LoanAnswer(
        id=loan.id,
        farmer_id=loan.farmer_id,
        status=loan.status.value,
        currency=loan.currency,
        rate_ppm=loan.rate_ppm,
        due_on=loan.due_on,
        principal_minor=loan.principal_minor,
        interest_minor=loan.interest_minor,
        fees_minor=loan.fees_minor,
        outstanding_minor=loan.outstanding_minor,
        limit_minor=limit.limit_minor,
        available_minor=max(0, limit.limit_minor - limit.drawn_minor),
        interest_through_on=loan.interest_through_on,
    )


def _moved(receipt: Receipt) -> MovementAnswer:
    movement = receipt.movement
    assert movement is not None  # noqa: S101 - a draw, a repayment and a reversal each move money
    assert receipt.movement_id is not None  # noqa: S101
    return MovementAnswer.model_validate(
        {
            "movement_id": receipt.movement_id,
            "kind": movement.kind.value,
            "amount_minor": sum(posting.amount_minor for posting in movement.postings),
            "currency": movement.currency,
            "business_on": movement.business_on,
            "loan": _loan(receipt.loan, receipt.limit),
        }
    )


def _schedule(loan: Loan) -> list[Due]:
    if loan.outstanding_minor == 0:
        return []
    days = max(0, (loan.due_on - loan.interest_through_on).days)
    to_come = simple_interest_minor(loan.principal_minor, rate=Decimal(loan.rate_ppm) / _PPM, days=days)
    return [
        Due(
            due_on=loan.due_on,
            principal_minor=loan.principal_minor,
            interest_minor=loan.interest_minor + to_come,
            fees_minor=loan.fees_minor,
        )
    ]
