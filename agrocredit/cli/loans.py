"""``agrocredit limit`` and ``agrocredit loan``: what a lender's back office does besides lending."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.books import now, ready
from agrocredit.cli.options import Json, iso_date
from agrocredit.cli.service_options import ServiceDatabase, Tenant

if TYPE_CHECKING:
    from collections.abc import Callable

    from agrocredit.domain.summary import Summary
    from agrocredit.service.lending import Stamp
    from agrocredit.store.sql import Session

limit_app = typer.Typer(help="Limits in force: frozen, released, given another ceiling.", no_args_is_help=True)
_CREATED = 201
loan_app = typer.Typer(help="Loans: charged a fee, given more time, or given up.", no_args_is_help=True)
On = Annotated[date, typer.Option(parser=iso_date, metavar="DATE", help="The lender's business date.")]
LimitId = Annotated[str, typer.Argument(metavar="LIMIT")]
LoanId = Annotated[str, typer.Argument(metavar="LOAN")]


@limit_app.command()
def freeze(limit: LimitId, tenant: Tenant, on: On, database: ServiceDatabase, as_json: Json = False) -> None:
    """Stop draws on a limit until it is released."""
    _change_limit(limit, tenant, on, database, as_json=as_json, status="frozen")


@limit_app.command()
def release(limit: LimitId, tenant: Tenant, on: On, database: ServiceDatabase, as_json: Json = False) -> None:
    """Let a frozen limit be drawn again."""
    _change_limit(limit, tenant, on, database, as_json=as_json, status="active")


@limit_app.command("set")
def set_(
    limit: LimitId,
    amount_minor: Annotated[int, typer.Argument(min=0, help="Minor units; what is drawn above it stays owed.")],
    tenant: Tenant,
    on: On,
    database: ServiceDatabase,
    as_json: Json = False,
) -> None:
    """Give a limit another ceiling."""
    _change_limit(limit, tenant, on, database, as_json=as_json, limit_minor=amount_minor)


@loan_app.command()
def restructure(
    loan: LoanId,
    due_on: Annotated[date, typer.Option(parser=iso_date, metavar="DATE", help="The later due date agreed on.")],
    tenant: Tenant,
    on: On,
    database: ServiceDatabase,
    as_json: Json = False,
) -> None:
    """Agree on a later due date; the loan stays current and is not drawn any more."""

    def work(session: Session, stamp: Stamp) -> dict[str, object]:
        from agrocredit.service.lending import restructure_loan

        after = restructure_loan(session, loan, due_on=due_on, stamp=stamp).loan
        return {"loan": after.id, "status": after.status.value, "due_on": after.due_on.isoformat()}

    answer(lambda _: _in_books(database, tenant, on, work), as_json=as_json)


@loan_app.command()
def write_off(loan: LoanId, tenant: Tenant, on: On, database: ServiceDatabase, as_json: Json = False) -> None:
    """Give a loan up: all that is owed becomes a loss, and its limit closes."""

    def work(session: Session, stamp: Stamp) -> dict[str, object]:
        from agrocredit.service.lending import write_off_loan

        receipt = write_off_loan(session, loan, stamp=stamp)
        lost_minor = sum(posting.amount_minor for posting in receipt.movement.postings) if receipt.movement else 0
        return {"loan": receipt.loan.id, "movement": receipt.movement_id, "lost_minor": lost_minor}

    answer(lambda _: _in_books(database, tenant, on, work), as_json=as_json)


@loan_app.command()
def fee(
    loan: LoanId,
    amount_minor: Annotated[int, typer.Argument(min=1, help="Minor units.")],
    currency: Annotated[str, typer.Option(help="ISO 4217, as the loan's.")],
    key: Annotated[str, typer.Option(help="The fee's own name; the same one again charges nothing more.")],
    tenant: Tenant,
    on: On,
    database: ServiceDatabase,
    as_json: Json = False,
) -> None:
    """Charge a fee, to be repaid before interest and principal."""

    def work(session: Session, stamp: Stamp) -> dict[str, object]:
        return _charge_once(session, loan, amount_minor=amount_minor, currency=currency, key=key, stamp=stamp)

    answer(lambda _: _in_books(database, tenant, on, work), as_json=as_json)


def _charge_once(
    session: Session, loan: str, *, amount_minor: int, currency: str, key: str, stamp: Stamp
) -> dict[str, object]:
    """Charge a fee, or say what its key charged before."""
    from hashlib import sha256

    from agrocredit.service.lending import charge_loan_fee
    from agrocredit.store.sql.idempotency import Answer, RequestKey, once

    asked = json.dumps([loan, amount_minor, currency]).encode()
    named = RequestKey(subject=stamp.actor, route="loan fee", key=key, body_sha256=sha256(asked).hexdigest())

    def charged() -> Answer:
        receipt = charge_loan_fee(session, loan, amount_minor=amount_minor, currency=currency, stamp=stamp)
        said = {"loan": receipt.loan.id, "movement": receipt.movement_id, "fees_minor": receipt.loan.fees_minor}
        return Answer(status=_CREATED, body=json.dumps(said).encode())

    said: dict[str, object] = json.loads(once(session, named, at=stamp.at, work=charged).body)
    return said


def _change_limit(
    limit: str,
    tenant: str,
    on: date,
    database: str,
    *,
    as_json: bool,
    status: str | None = None,
    limit_minor: int | None = None,
) -> None:
    def work(session: Session, stamp: Stamp) -> dict[str, object]:
        from agrocredit.domain.loan import LimitStatus
        from agrocredit.service.lending import change_limit

        to = None if status is None else LimitStatus(status)
        after = change_limit(session, limit, stamp=stamp, status=to, limit_minor=limit_minor)
        return {
            "limit": after.id,
            "status": after.status.value,
            "limit_minor": after.limit_minor,
            "drawn_minor": after.drawn_minor,
            "excess_minor": after.excess_minor,
        }

    answer(lambda _: _in_books(database, tenant, on, work), as_json=as_json)


def _in_books(url: str, tenant: str, on: date, work: Callable[[Session, Stamp], dict[str, object]]) -> Summary:
    """Do one thing in one transaction and say how things stand after it."""
    from agrocredit.domain.summary import Summary
    from agrocredit.service.lending import Stamp
    from agrocredit.store.sql.attempts import write_with_retries

    stamp = Stamp(actor="command", on=on, at=now())
    return Summary(counts={}, facts=write_with_retries(ready(url), tenant, lambda session: work(session, stamp)))
