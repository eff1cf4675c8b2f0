import sqlite3
import threading
from contextlib import closing

import pytest
from sqlalchemy import insert, text

from agrocredit.domain.errors import AgrocreditError
from agrocredit.store.sql import attempts, check_schema, open_database, tables
from agrocredit.store.sql.attempts import ATTEMPTS_MAX, write_with_retries
from agrocredit.store.sql.failures import StorageBusyError, StorageUnavailableError


@pytest.mark.parametrize(
    "url", ["", "file.db", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "postgresql+asyncpg://x"]
)
def test_a_url_of_another_kind_is_refused_by_its_driver_alone(url):
    with pytest.raises(AgrocreditError, match="database_url_unsupported"):
        open_database(url)


def test_a_password_in_a_url_is_never_repeated():
    with pytest.raises(AgrocreditError) as caught:
        open_database("mysql://me:secret@host/name")
    assert "secret" not in str(caught.value)


def test_sqlite_keeps_a_log_ahead_checks_references_and_syncs_every_commit(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    with database.oversee() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous", "recursive_triggers")
        }
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "recursive_triggers": 1}


def test_a_transaction_that_fails_leaves_nothing(database):
    def add_and_fail():
        with database.oversee() as connection:
            connection.execute(insert(tables.tenants).values(id="a", name="a", created_at=_at()))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        add_and_fail()
    with database.oversee(read_only=True) as connection:
        assert connection.execute(text("SELECT count(*) FROM tenants")).scalar() == 0


def _at():
    from datetime import UTC, datetime

    return datetime(2026, 5, 1, tzinfo=UTC)


def test_a_database_held_by_another_writer_is_busy_and_tried_a_few_times(tmp_path, monkeypatch, sqlite_template):
    path = tmp_path / "a.db"
    path.write_bytes(sqlite_template.read_bytes())
    monkeypatch.setattr("agrocredit.store.sql.database.BUSY_TIMEOUT_MS", 20)
    pauses = []
    monkeypatch.setattr(attempts.time, "sleep", pauses.append)
    database = open_database(f"sqlite:///{path}")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageBusyError):
            write_with_retries(database, "a", lambda session: session.select(tables.farmers))
        assert len(pauses) == ATTEMPTS_MAX - 1
        other.execute("ROLLBACK")
    assert write_with_retries(database, "a", lambda _: "done") == "done"


def test_a_row_locked_for_long_is_busy(postgresql):
    with postgresql.oversee() as connection:
        connection.execute(insert(tables.tenants).values(id="a", name="a", created_at=_at()))
    held, release = threading.Event(), threading.Event()

    def hold():
        with postgresql.oversee() as connection:
            connection.execute(text("UPDATE tenants SET name = 'b'"))
            held.set()
            release.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    try:
        with pytest.raises(StorageBusyError), postgresql.oversee() as connection:
            connection.execute(text("SELECT set_config('lock_timeout', '50', true), name FROM tenants FOR UPDATE"))
    finally:
        release.set()
        thread.join()


def test_a_database_that_is_away_is_unavailable_and_found_again(start_cluster):
    cluster = start_cluster()
    database = open_database(cluster.url("postgres"))
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    with pytest.raises(StorageUnavailableError, match="run agrocredit db upgrade"):
        check_schema(database)
    cluster.kill()
    with pytest.raises(StorageUnavailableError), database.read("a"):
        pass
    cluster.start()
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    database.close()


def test_a_full_disk_is_unavailable_and_recovers_alone(tmp_path, sqlite_template):
    path = tmp_path / "a.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = open_database(f"sqlite:///{path}")

    def fill(session, pages_max=1_000_000):
        session.connection.execute(text(f"PRAGMA max_page_count = {pages_max}"))
        for number in range(2_000):
            session.add(tables.farmers, id=f"{number:0200d}", created_at=_at())

    with database.engine.connect() as connection:  # a file that may not grow is what a full disk looks like
        pages = connection.execute(text("PRAGMA page_count")).scalar()
    with pytest.raises(StorageUnavailableError), database.write("a") as session:
        fill(session, pages_max=pages)
    database.close()
    with database.write("a") as session:
        assert session.rows(session.select(tables.farmers)) == []
        fill(session)


def test_a_file_that_is_no_database_is_unavailable(tmp_path):
    path = tmp_path / "a.db"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(StorageUnavailableError), open_database(f"sqlite:///{path}").read("a"):
        pass


def test_our_own_mistakes_in_sql_are_not_blamed_on_the_disk(database):
    with pytest.raises(Exception, match="no_such_table") as caught, database.oversee() as connection:
        connection.execute(text("SELECT * FROM no_such_table"))
    assert not isinstance(caught.value, AgrocreditError)
