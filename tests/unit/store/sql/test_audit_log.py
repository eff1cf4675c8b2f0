"""The log on both databases: sealed without a gap, and no way to change it that goes unnoticed."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select, text, update

from agrocredit.store.audit import HeadKey, included, inclusion_proof, leaf_hash, root
from agrocredit.store.canonical_json import json_bytes
from agrocredit.store.sql.audit_check import audit_faults
from agrocredit.store.sql.audit_entry import entry_bytes
from agrocredit.store.sql.sealing import log_size, node_lookup, seal
from agrocredit.store.sql.tables import events

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = HeadKey(bytes(32))


def write(database, count, *, first=0):
    rows = [
        {
            "tenant_id": f"lender-{number % 3}",
            "kind": "loan.drawn",
            "subject_id": f"loan-{number}",
            "actor": "key-1",
            "payload": json_bytes({"amount_minor": number, "share": number / 7, "note": "ä\u2028"}),
            "recorded_at": AT + timedelta(seconds=number),
        }
        for number in range(first, first + count)
    ]
    with database.oversee() as connection:
        connection.execute(insert(events), rows)


def faults(database, **against):
    with database.oversee(read_only=True) as connection:
        return list(audit_faults(connection, **against))


def head_of(database):
    with database.oversee(read_only=True) as connection:
        size = log_size(connection)
        return KEY.sign(log="test", size=size, root=root(size, node=node_lookup(connection)), at=AT)


def tamper(database, *statements):
    """Do what only the owner of the tables can: take the guards away and write."""
    with database.engine.begin() as connection:
        for table in ("events", "tree_nodes"):
            if database.is_postgresql:
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            else:
                for guard in ("keeps_rows", "keeps_values"):
                    connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_{guard}"))
        for statement in statements:
            connection.execute(text(statement) if isinstance(statement, str) else statement)


def test_places_are_given_in_order_and_without_a_gap(database):
    write(database, 5)
    assert seal(database, batch_events=2) == 5
    write(database, 4, first=5)
    assert seal(database) == 4
    assert seal(database) == 0
    with database.oversee(read_only=True) as connection:
        rows = connection.execute(select(events.c.position, events.c.subject_id).order_by(events.c.sequence)).all()
    assert rows == [(place + 1, f"loan-{place}") for place in range(9)]
    assert faults(database) == []


def test_two_sealers_at_once_give_every_event_one_place(database):
    write(database, 300)
    threads = [threading.Thread(target=seal, args=(database,), kwargs={"batch_events": 20}) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seal(database) == 0
    assert faults(database) == []
    with database.oversee(read_only=True) as connection:
        assert log_size(connection) == 300


def test_what_a_reader_gets_is_proven_to_be_in_the_log(database):
    write(database, 21)
    seal(database)
    with database.oversee(read_only=True) as connection:
        node = node_lookup(connection)
        for row in connection.execute(select(events)).mappings():
            entry = entry_bytes(row, position=row["position"])
            assert json.loads(entry)["payload"] == json.loads(row["payload"])
            index = row["position"] - 1
            proof = inclusion_proof(index, 21, node=node)
            assert included(leaf_hash(entry), index=index, size=21, proof=proof, root=root(21, node=node))


def test_a_log_that_has_grown_still_begins_with_a_head_held_outside(database):
    write(database, 6)
    seal(database)
    held = head_of(database)
    write(database, 5, first=6)
    seal(database)
    assert faults(database, against=held) == []


TAMPERINGS = {
    "an amount": "UPDATE events SET payload = CAST('[]' AS {blob}) WHERE position = 4",
    "a space in the payload": "UPDATE events SET payload = payload || CAST(' ' AS {blob}) WHERE position = 4",
    "a payload that is no JSON": "UPDATE events SET payload = CAST('x' AS {blob}) WHERE position = 4",
    "the lender": "UPDATE events SET tenant_id = 'lender-9' WHERE position = 4",
    "the actor": "UPDATE events SET actor = 'key-2' WHERE position = 4",
    "the kind": "UPDATE events SET kind = 'loan.repaid' WHERE position = 4",
    "the subject": "UPDATE events SET subject_id = 'loan-0' WHERE position = 4",
    "the instant": "UPDATE events SET recorded_at = '2026-03-01 11:00:00.000000{utc}' WHERE position = 4",
    "an entry in the middle deleted": "DELETE FROM events WHERE position = 4",
    "the last entry deleted": "DELETE FROM events WHERE position = 7",
    "a leaf": "UPDATE tree_nodes SET value = CAST('x' AS {blob}) WHERE level = 0 AND number = 3",
    "a node": "UPDATE tree_nodes SET value = CAST('x' AS {blob}) WHERE level = 1 AND number = 1",
    "a node deleted": "DELETE FROM tree_nodes WHERE level = 2",
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_a_change_by_hand_is_found(database, what):
    write(database, 7)
    seal(database)
    forms = ("bytea", "+00") if database.is_postgresql else ("BLOB", "")
    tamper(database, TAMPERINGS[what].format(blob=forms[0], utc=forms[1]))
    assert faults(database)


def test_two_entries_that_changed_places_are_named(database):
    write(database, 7)
    seal(database)
    tamper(
        database,
        "UPDATE events SET position = 99 WHERE position = 2",
        "UPDATE events SET position = 2 WHERE position = 5",
        "UPDATE events SET position = 5 WHERE position = 99",
    )
    found = faults(database)
    assert found[0].startswith("entry 2 of the log")
    assert found[1].startswith("entry 5 of the log")


def sealed_anew(database):
    """A forger with all rights: throws the tree away and has the changed rows sealed again."""
    tamper(database, "DELETE FROM tree_nodes", "UPDATE events SET position = NULL")
    seal(database)


FORGERIES = {
    "the last entry deleted": "DELETE FROM events WHERE position = 7",
    "the first entry deleted": "DELETE FROM events WHERE position = 1",
    "an entry changed": "UPDATE events SET actor = 'key-2' WHERE position = 7",
    "an entry inserted": """INSERT INTO events
        (sequence, tenant_id, kind, subject_id, actor, payload, recorded_at)
        {overriding}
        SELECT -1, tenant_id, kind, 'loan-x', actor, payload, recorded_at FROM events WHERE position = 3""",
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_log_forged_with_all_its_hashes_fails_against_a_head_held_outside(database, what):
    write(database, 7)
    seal(database)
    held = head_of(database)
    tamper(database, FORGERIES[what].format(overriding="OVERRIDING SYSTEM VALUE" if database.is_postgresql else ""))
    sealed_anew(database)
    assert faults(database) == []
    assert faults(database, against=held)


def test_any_change_of_any_column_names_its_entry(database):
    write(database, 40)
    seal(database)
    for place in range(1, 41):
        column = (events.c.tenant_id, events.c.kind, events.c.subject_id, events.c.actor)[place % 4]
        change = update(events).where(events.c.position == place)
        tamper(database, change.values({column: column + "x"}))
        assert any(line.startswith(f"entry {place} of the log") for line in faults(database))
        tamper(database, change.values({column: func.substr(column, 1, func.length(column) - 1)}))
    assert faults(database) == []


def test_rows_cannot_be_changed_while_the_guards_stand(database):
    write(database, 3)
    seal(database)
    for statement in (
        "UPDATE events SET actor = 'key-2' WHERE position = 1",
        "UPDATE events SET position = 9 WHERE position = 1",
        "DELETE FROM events",
        "DELETE FROM tree_nodes",
        "UPDATE tree_nodes SET number = number + 10",
    ):
        with pytest.raises(Exception, match="append-only"), database.engine.begin() as connection:
            connection.execute(text(statement))
