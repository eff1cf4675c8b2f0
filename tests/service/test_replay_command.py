"""`agrocredit decision replay ID` on the books of the service."""

import json

import pytest
from typer.testing import CliRunner

from agrocredit.cli.app import app
from agrocredit.store.sql.tables import decisions


@pytest.fixture
def replay(service):
    url = service.database.engine.url.render_as_string(hide_password=False)

    def run(decision_id, *arguments):
        return CliRunner().invoke(app, ["decision", "replay", decision_id, "--database", url, "--json", *arguments])

    return run


def test_a_decision_of_the_service_comes_out_the_same_from_the_command_line(service, replay):
    decision = service.decision()
    told = replay(decision["id"])
    assert told.exit_code == 0, told.output
    facts = json.loads(told.stdout)
    assert (facts["same_bytes"], facts["decision_sha256"]) == (True, decision["decision_sha256"])
    assert facts["result"]["limit_minor"] == decision["limit_minor"]


def test_a_record_that_somebody_changed_fails_the_check(service, replay):
    decision = service.decision()
    with service.database.engine.begin() as connection:
        if service.database.is_postgresql:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        else:
            names = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'decisions'"
            for (name,) in connection.exec_driver_sql(names).all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        record = connection.exec_driver_sql("SELECT record FROM decisions").scalar_one()
        changed = json.loads(bytes(record))
        changed["result"]["limit_minor"] += 100
        connection.execute(decisions.update().values(record=json.dumps(changed).encode()))
    told = replay(decision["id"])
    assert told.exit_code == 1
    assert json.loads(told.stdout)["same_bytes"] is False


def test_terms_that_are_not_those_of_the_decision_are_named(service, replay):
    told = replay(service.decision()["id"], "--policy", "maize-ke")
    assert told.exit_code == 4
    assert json.loads(told.stdout)["error"]["code"] == "policy_differs"


def test_an_id_that_nobody_gave_is_unknown(replay):
    told = replay("decision_" + "0" * 32)
    assert told.exit_code == 4
    assert json.loads(told.stdout)["error"]["code"] == "decision_unknown"
