"""The switch that stops money: while a check's fault stands here, nothing is drawn, repaid or reversed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from agrocredit.store.sql.failures import INTEGRITY, LedgerIntegrityError
from agrocredit.store.sql.tables import faults

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from agrocredit.store.sql.session import Session


def check_money_may_move(session: Session) -> None:
    """Refuse to move money while a check's fault stands.

    Raises
    ------
    LedgerIntegrityError
        ``ledger_integrity``.
    """
    if session.connection.execute(select(faults.c.code).limit(1)).first() is not None:
        raise LedgerIntegrityError


def stop_money(connection: Connection, *, detail: str, at: datetime) -> None:
    """Record what a check found; from here on no money moves."""
    let_money_move(connection)
    connection.execute(insert(faults).values(code=INTEGRITY, detail=detail, found_at=at))


def let_money_move(connection: Connection) -> None:
    """Take the fault away after a check that passed."""
    connection.execute(delete(faults).where(faults.c.code == INTEGRITY))
