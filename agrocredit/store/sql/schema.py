"""Brings a database to the schema of this version. Several processes may do it at once; one does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from agrocredit.store.sql.failures import StorageUnavailableError, named_failures

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from agrocredit.store.sql.database import Database

_UPGRADE_LOCK = 7_216_041
"""Any number that nothing else in the database locks."""


def upgrade(database: Database) -> tuple[str | None, str]:
    """Bring the schema up to date and return the revisions before and after.

    Needs a login that may create tables, roles and, on PostgreSQL, the PostGIS extension where it is not there yet.
    """
    config = _config()
    with named_failures(), database.engine.begin() as connection:
        if database.is_postgresql:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _UPGRADE_LOCK})
        before = _revision(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return before, _head(config)


def check_schema(database: Database) -> None:
    """Refuse to work on a schema of another version.

    Raises
    ------
    StorageUnavailableError
        If the schema is not this version's; says to run ``agrocredit db upgrade``.
    """
    expected = _head(_config())
    try:
        with database.oversee(read_only=True) as connection:
            found = _revision(connection)
    except DBAPIError:  # a PostgreSQL that has never seen us has no roles either
        found = None
    if found != expected:
        raise StorageUnavailableError(f"schema {found or 'none'}, expected {expected}: run agrocredit db upgrade")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _head(config: Config) -> str:
    return str(ScriptDirectory.from_config(config).get_current_head())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "agrocredit.store.sql:migrations")
    config.set_main_option("path_separator", "os")
    return config
