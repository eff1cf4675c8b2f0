"""A database by its URL, and transactions in it that see one lender or, for the platform's own work, all of them.

Under PostgreSQL every transaction takes a role that owns nothing and cannot pass row security: the application's sees
the rows of the tenant that the transaction names, and none where it names nobody; the overseer's reads all. Both the
role and the tenant end with the transaction, so a pooled connection keeps neither. SQLite has no row security: there
isolation rests on `Session`, which puts the tenant into every statement, on both databases.
"""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError

from agrocredit.domain.errors import InputUnusableError
from agrocredit.store.sql.failures import named_failures
from agrocredit.store.sql.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from sqlite3 import Connection as SqliteConnection

    from sqlalchemy import URL, Connection, Engine

APP_ROLE = "agrocredit_app"
OVERSEER_ROLE = "agrocredit_overseer"
POOL_SIZE = 16
WAIT_FOR_CONNECTION_S = 5
BUSY_TIMEOUT_MS = 5_000
STATEMENT_TIMEOUT_MS = 5_000
LOCK_TIMEOUT_MS = 2_000
_SCOPE = text(
    "SELECT set_config('role', :role, true), set_config('agrocredit.tenant', :tenant, true),"
    " set_config('transaction_read_only', :read_only, true)"
)


class Database:
    """An engine and its transactions. Whoever opens one of these commits it by leaving it without an error."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._open: WeakSet[Any] = WeakSet()
        if self.is_postgresql:
            event.listen(engine, "connect", lambda connection, _record: self._open.add(connection))

    @property
    def is_postgresql(self) -> bool:
        """Whether rows are guarded by the database itself."""
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def read(self, tenant_id: str) -> Iterator[Session]:
        """Yield a transaction that reads one tenant's rows and writes nothing."""
        with self._transaction(tenant_id, role=APP_ROLE, read_only=True) as connection:
            yield Session(connection, tenant_id)

    @contextmanager
    def write(self, tenant_id: str) -> Iterator[Session]:
        """Yield a transaction that reads and writes one tenant's rows."""
        with self._transaction(tenant_id, role=APP_ROLE, read_only=False) as connection:
            yield Session(connection, tenant_id)

    @contextmanager
    def oversee(self, *, read_only: bool = False) -> Iterator[Connection]:
        """Yield a transaction over all tenants, for the platform's own work: keys, checks, the order of events."""
        with self._transaction("", role=OVERSEER_ROLE, read_only=read_only) as connection:
            yield connection

    @contextmanager
    def inspect(self) -> Iterator[Connection]:
        """Yield a transaction that reads all tenants as they are at one moment, for as long as it takes."""
        with self._transaction("", role=OVERSEER_ROLE, read_only=True, one_moment=True) as connection:
            if self.is_postgresql:
                connection.execute(text("SET LOCAL statement_timeout = 0"))
                connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            yield connection

    def hang_up(self) -> None:
        """Break the connections to a server that does not answer: who waits on one hears of it at once.

        Nothing else can: the server's time-outs do not run while it is paused, and ours would end slow work that lives.
        """
        for connection in list(self._open):
            with suppress(Exception), socket.socket(fileno=os.dup(connection.fileno())) as wire:
                wire.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _transaction(
        self, tenant_id: str, *, role: str, read_only: bool, one_moment: bool = False
    ) -> Iterator[Connection]:
        options: dict[str, Any] = {"agrocredit_read_only": read_only}
        if one_moment and self.is_postgresql:  # SQLite's readers see one moment anyway
            options["isolation_level"] = "REPEATABLE READ"
        with (
            named_failures(),
            self.engine.connect().execution_options(**options) as connection,
            connection.begin(),
        ):
            if self.is_postgresql:
                scope = {"role": role, "tenant": tenant_id, "read_only": "on" if read_only else "off"}
                connection.execute(_SCOPE, scope)
            yield connection


def open_database(url: str) -> Database:
    """Return the database behind a URL.

    Parameters
    ----------
    url : str
        ``sqlite:///FILE`` or ``postgresql+psycopg://...``.

    Raises
    ------
    InputUnusableError
        ``database_url_unsupported``, ``database_driver_missing``.
    """
    return Database(open_engine(url))


def open_engine(url: str) -> Engine:
    """Return the engine behind a URL, its connections set up; errors as `open_database`."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise _unsupported("the text") from None
    if parsed.drivername in {"sqlite", "sqlite+pysqlite"}:
        return _sqlite(parsed)
    if parsed.drivername in {"postgresql", "postgresql+psycopg"}:
        return _postgresql(parsed.set(drivername="postgresql+psycopg"))
    raise _unsupported(parsed.drivername)


def _unsupported(found: str) -> InputUnusableError:
    return InputUnusableError(
        "database_url_unsupported", f"{found} is no database we know, expected sqlite:///FILE or postgresql+psycopg://"
    )


def _sqlite(url: URL) -> Engine:
    if url.database in {None, "", ":memory:"}:
        raise InputUnusableError("database_url_unsupported", "SQLite in memory keeps nothing, expected sqlite:///FILE")
    engine = create_engine(
        url, pool_size=POOL_SIZE, max_overflow=0, pool_timeout=WAIT_FOR_CONNECTION_S, connect_args={"timeout": 0}
    )
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: SqliteConnection, _record: Any) -> None:  # noqa: ANN401  SQLAlchemy's own record
    connection.isolation_level = None  # the driver would begin late and by itself
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",  # under WAL, NORMAL forgets acknowledged commits when power fails
        "foreign_keys=ON",
        "recursive_triggers=ON",  # else REPLACE deletes rows past the append-only triggers
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once where a transaction writes: one that asks for it later can fail for good."""
    read_only = connection.get_execution_options().get("agrocredit_read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _postgresql(url: URL) -> Engine:
    settings = {
        "statement_timeout": STATEMENT_TIMEOUT_MS,
        "lock_timeout": LOCK_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": STATEMENT_TIMEOUT_MS,
        "timezone": "UTC",
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    try:
        return create_engine(
            url,
            pool_size=POOL_SIZE,
            max_overflow=0,
            pool_timeout=WAIT_FOR_CONNECTION_S,
            pool_pre_ping=True,
            isolation_level="READ COMMITTED",
            connect_args={"options": options, "connect_timeout": WAIT_FOR_CONNECTION_S},
        )
    except ModuleNotFoundError:
        raise InputUnusableError(
            "database_driver_missing", "PostgreSQL needs psycopg, expected an install of agrocredit[pg]"
        ) from None
