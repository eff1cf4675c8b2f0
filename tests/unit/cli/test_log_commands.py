"""The log from the command line: a head written, held against a log that was forged, and master keys that change."""

import base64
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from agrocredit.cli.app import app
from agrocredit.store.personal import key_ring
from agrocredit.store.sql import open_database
from agrocredit.store.sql.persons import Person, read_person, record_person
from agrocredit.store.sql.plot_queries import ensure_farmer

AT = datetime(2026, 3, 1, tzinfo=UTC)
OLD, NEW = (f"{name}:{base64.b64encode(bytes([at]) * 32).decode()}" for at, name in enumerate(("old", "new"), start=1))


@pytest.fixture
def run(tmp_path):
    def run(*arguments, expected=0, **environment):
        url = f"sqlite:///{tmp_path / 'a.db'}"
        done = CliRunner().invoke(app, [*map(str, arguments), "--database", url, "--json"], env=environment)
        assert done.exit_code == expected, done.output
        return json.loads(done.stdout)

    run("tenants", "add", "bank", "--name", "Bank")
    run("keys", "add", "--tenant", "bank", "--role", "lender")
    return run


def test_a_forged_log_fails_against_the_head_that_was_written_before(run, tmp_path):
    head = tmp_path / "head.json"
    assert run("verify", "--head", head)["counts"]["faults"] == 0
    run("keys", "add", "--tenant", "bank", "--role", "agent")
    assert run("verify", "--against", head)["counts"]["log_entries"] == 2
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as connection:
        for table in ("events", "tree_nodes"):
            for guard in ("keeps_rows", "keeps_values"):
                connection.execute(f"DROP TRIGGER {table}_{guard}")
        connection.execute("DELETE FROM tree_nodes")
        connection.execute("UPDATE events SET position = NULL, actor = 'somebody'")
    written = head.read_bytes()
    found = run("verify", "--against", head, "--head", head, expected=1)
    assert "the first 1 entries do not have the root" in json.dumps(found)
    assert head.read_bytes() == written


def test_a_file_that_is_no_head_is_refused_and_nothing_is_checked(run, tmp_path):
    (tmp_path / "head.json").write_text("{}")
    assert run("verify", "--against", tmp_path / "head.json", expected=4)["error"]["code"] == "head_invalid"


def test_persons_are_brought_under_a_new_master_key(run, tmp_path):
    secrets = dict.fromkeys(("AGROCREDIT_KEY_PEPPER", "AGROCREDIT_TOKEN_KEY", "AGROCREDIT_HEAD_KEY"), "ab" * 32)
    database = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    with database.write("bank") as session:
        ensure_farmer(session, "F1", region_id=None, now=AT)
        record_person(session, "F1", Person(name="Wanjiru"), ring=key_ring(OLD), actor="test", at=AT)
    answer = run("keys", "rewrap", AGROCREDIT_DATA_KEYS=f"{NEW},{OLD}", **secrets)
    assert (answer["counts"], answer["master_key"]) == ({"persons": 1}, "new")
    with database.read("bank") as session:
        assert read_person(session, "F1", ring=key_ring(NEW)) == Person(name="Wanjiru")
    database.close()
