"""What goes wrong with a database, told apart by whether it is worth trying again. Its own text never leaves here."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from agrocredit.domain.errors import AgrocreditError

if TYPE_CHECKING:
    from collections.abc import Iterator

RETRY_AFTER_S = 1
INTEGRITY = "ledger_integrity"
BALANCES_CHECK = "loans_equal_entries"
"""What PostgreSQL asks of every loan at the commit; see `guards`."""
_BUSY_STATES = frozenset({"40001", "40P01", "55P03", "57014"})
"""Serialisation, deadlock, lock time-out, statement time-out: the transaction was rolled back and may be repeated."""
_BUSY_WORDS = ("locked", "busy")
_STORAGE_CLASSES = frozenset({"08", "53", "57", "58"})
"""Connection, resources such as disk, an operator's shutdown, the system below."""
_OUR_SQL = ("no such", "syntax", "has no column", "more than one statement")


class StorageError(AgrocreditError):
    """The database could not do it now; nothing is half written."""

    retry_after_s = RETRY_AFTER_S


class StorageBusyError(StorageError):
    """Others were in the way; surely not committed, so it may be tried again."""

    def __init__(self, detail: str = "the database is busy with other requests, expected a free turn") -> None:
        super().__init__("storage_busy", detail)


class StorageUnavailableError(StorageError):
    """The database is away or full. Whether a commit under way took hold is unknown: read by key before any retry."""

    def __init__(self, detail: str = "the database did not answer or could not write") -> None:
        super().__init__("storage_unavailable", detail)


class LedgerIntegrityError(AgrocreditError):
    """The books do not add up; money stands still until somebody has looked."""

    def __init__(self) -> None:
        super().__init__(INTEGRITY, "a check of the ledger failed; reading works, money moves again once it passes")


@contextmanager
def named_failures() -> Iterator[None]:
    """Turn a driver's errors into ours; most broken constraints pass, since only the caller knows what they mean."""
    try:
        yield
    except IntegrityError as error:
        if BALANCES_CHECK in str(getattr(getattr(error.orig, "diag", None), "constraint_name", "")):
            raise LedgerIntegrityError from error
        raise
    except PoolTimeoutError as error:
        raise StorageBusyError from error
    except DBAPIError as error:
        raise _named(error) from error


def _named(error: DBAPIError) -> Exception:
    state = getattr(error.orig, "sqlstate", None)
    text = str(error.orig)
    if state in _BUSY_STATES or (state is None and any(word in text for word in _BUSY_WORDS)):
        return StorageBusyError()
    if error.connection_invalidated or _is_storage(error, state, text):
        return StorageUnavailableError()
    return error


def _is_storage(error: DBAPIError, state: str | None, text: str) -> bool:
    """Say whether this is about the disk or the connection, and not about our SQL."""
    if state is not None:
        return state[:2] in _STORAGE_CLASSES
    if "malformed" in text or "not a database" in text:
        return True
    return isinstance(error, OperationalError) and not any(word in text for word in _OUR_SQL)
