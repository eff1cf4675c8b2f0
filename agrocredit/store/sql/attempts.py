"""Tries a transaction again where others were in the way: a few times, then says so."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, TypeVar

from agrocredit.store.sql.failures import StorageBusyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agrocredit.store.sql.database import Database
    from agrocredit.store.sql.session import Session

T = TypeVar("T")
ATTEMPTS_MAX = 3
_PAUSE_S = 0.02


def write_with_retries(database: Database, tenant_id: str, work: Callable[[Session], T]) -> T:
    """Return what `work` returns, its transaction committed.

    Only a busy database is tried again, since then nothing was committed for sure. After a broken connection nobody
    knows; the caller's idempotency key finds out.

    Parameters
    ----------
    database : Database
    tenant_id : str
    work : callable
        Takes the session; run anew in a new transaction at every attempt.

    Raises
    ------
    StorageBusyError
        If the last attempt was refused too.
    """
    for attempt in range(1, ATTEMPTS_MAX):
        try:
            with database.write(tenant_id) as session:
                return work(session)
        except StorageBusyError:
            time.sleep(random.uniform(0, _PAUSE_S * 2**attempt))  # noqa: S311  spreads rivals, hides nothing
    with database.write(tenant_id) as session:
        return work(session)
