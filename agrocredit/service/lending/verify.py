"""Checks every invariant of the ledger and the log; what it finds stops money, and a check that passes lets it move."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from agrocredit.domain.summary import Summary
from agrocredit.store.sql.audit_check import audit_faults
from agrocredit.store.sql.faults import let_money_move, stop_money
from agrocredit.store.sql.integrity import ledger_faults, row_counts
from agrocredit.store.sql.logged_books import logged_faults
from agrocredit.store.sql.sealing import log_size, seal

if TYPE_CHECKING:
    from datetime import datetime

    from agrocredit.store.audit import SignedHead
    from agrocredit.store.sql.database import Database

FAULTS_MAX = 1_000
"""So many faults are named; where there are more, they have one cause."""


def verify(database: Database, *, at: datetime, against: SignedHead | None = None) -> Summary:
    """Return what a check found; each fault is a failed check that names its row.

    Parameters
    ----------
    database : Database
    at : datetime
        Now.
    against : SignedHead, optional
        A head of the log that was kept outside; the log must begin with what it stands for.
    """
    seal(database)  # so that the log holds every event that is committed by now
    with database.inspect() as connection:
        counts = {**row_counts(connection), "log_entries": log_size(connection)}
        faults = chain(ledger_faults(connection), logged_faults(connection), audit_faults(connection, against=against))
        found = tuple(islice(faults, FAULTS_MAX))
    with database.oversee() as connection:
        if found:
            stop_money(connection, detail=found[0], at=at)
        else:
            let_money_move(connection)
    return Summary(counts={**counts, "faults": len(found)}, failed_checks=found)
