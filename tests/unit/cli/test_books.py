"""The commands around the books, on a SQLite file."""

import json

import pytest
from typer.testing import CliRunner

from agrocredit.cli.app import app


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'books.db'}"


def run(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_a_database_is_brought_up_to_date_and_then_checked(url):
    upgraded = run("db", "upgrade", "--database", url, "--json")
    assert (upgraded.exit_code, json.loads(upgraded.stdout)["before"]) == (0, None)
    verified = run("verify", "--database", url, "--json")
    assert (verified.exit_code, json.loads(verified.stdout)["counts"]["faults"]) == (0, 0)
    closed = run("close-day", "--database", url, "--on", "2026-05-01", "--json")
    assert json.loads(closed.stdout)["counts"] == {"interest_postings": 0, "keys_forgotten": 0, "loans": 0}


def test_a_database_of_another_version_is_refused_with_what_to_do(url):
    refused = run("verify", "--database", url)
    assert refused.exit_code == 4
    assert refused.stderr == "storage_unavailable: schema none, expected 0001: run agrocredit db upgrade\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("limit", "freeze", "lim_x"),
        ("limit", "release", "lim_x"),
        ("limit", "set", "lim_x", "100"),
        ("loan", "write-off", "loan_x"),
        ("loan", "restructure", "loan_x", "--due-on", "2027-01-01"),
    ],
)
def test_an_id_that_is_not_there_is_not_found(url, arguments):
    run("db", "upgrade", "--database", url)
    answered = run(*arguments, "--tenant", "nobody", "--on", "2026-05-01", "--database", url)
    assert answered.exit_code == 4
    assert answered.stderr.startswith("not_found: no such l")
