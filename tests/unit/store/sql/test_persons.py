"""Personal data at rest on both databases: unreadable without keys, linked without being read, forgotten for good."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from agrocredit.domain.errors import RefusedError
from agrocredit.store.personal import key_ring
from agrocredit.store.personal.key_ring import KeyUnavailableError
from agrocredit.store.sql.consents import consents_of, give_consent, withdraw_consent
from agrocredit.store.sql.persons import Person, forget_person, read_person, record_person, rewrap_persons
from agrocredit.store.sql.tables import decisions, events, farmers, limits, loans, metadata

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
OLD, NEW = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
RING, ROTATING, ROTATED = key_ring(f"old:{OLD}"), key_ring(f"new:{NEW},old:{OLD}"), key_ring(f"new:{NEW}")
WANJIRU = Person(name="Wanjiru Kamau", phone="+254 712 000 111", national_id="A-99 1234")


@pytest.fixture
def lender(database):
    with database.write("lender-a") as session:
        for farmer_id in ("f1", "f2"):
            session.add(farmers, id=farmer_id, created_at=AT)
    return database


def recorded(database, farmer_id="f1", person=WANJIRU, ring=RING):
    with database.write("lender-a") as session:
        return record_person(session, farmer_id, person, ring=ring, actor="key-1", at=AT)


def known(database, farmer_id="f1", ring=RING, tenant="lender-a"):
    with database.read(tenant) as session:
        return read_person(session, farmer_id, ring=ring)


def told(database):
    with database.oversee(read_only=True) as connection:
        return [(row.kind, row.subject_id, bytes(row.payload).decode()) for row in connection.execute(select(events))]


def with_loan(database, status):
    with database.write("lender-a") as session:
        session.add(
            decisions,
            id="d1",
            farmer_id="f1",
            season="2026",
            as_of=AT.date(),
            outcome="approved",
            limit_minor=100,
            currency="KES",
            policy="maize-ke",
            policy_version="1",
            answer="{}",
            decision_sha256="0" * 64,
            decided_at=AT,
        )
        session.add(
            limits,
            id="l1",
            farmer_id="f1",
            decision_id="d1",
            currency="KES",
            limit_minor=100,
            expires_on=date(2027, 1, 1),
        )
        session.add(
            loans,
            id="loan-1",
            limit_id="l1",
            farmer_id="f1",
            currency="KES",
            status=status,
            rate_ppm=120_000,
            due_on=date(2026, 11, 30),
            last_on=AT.date(),
            interest_through_on=AT.date(),
            interest_carry=0,
            opened_at=AT,
        )


def test_what_is_recorded_is_read_back_and_a_new_record_replaces_it(lender):
    recorded(lender)
    assert known(lender) == WANJIRU
    recorded(lender, person=Person(phone="0799"))
    assert known(lender) == Person(phone="0799")
    assert known(lender, "f2") == Person()


def test_no_column_of_any_table_shows_a_word_of_it(lender):
    recorded(lender)
    with lender.oversee(read_only=True) as connection:
        rows = [row for table in metadata.sorted_tables for row in connection.execute(select(table))]
    everything = repr(rows).casefold()
    assert "f1" in everything
    for word in ("wanjiru", "kamau", "712 000", "712000111", "a-99", "1234"):
        assert word not in everything


def test_another_lender_finds_nobody_under_the_same_id(lender):
    recorded(lender)
    with pytest.raises(RefusedError, match="not_found"):
        known(lender, tenant="lender-b")


def test_two_ids_with_one_phone_are_told_to_those_who_watch_and_refused_by_nobody(lender):
    assert recorded(lender, "f1") == ()
    assert recorded(lender, "f2", Person(name="Somebody Else", phone="+254712000111")) == ("f1",)
    assert told(lender)[-1] == ("person.linked", "f2", '{"farmer_ids":["f1"]}')


def test_the_same_phone_at_another_lender_is_no_link(lender):
    recorded(lender)
    with lender.write("lender-b") as session:
        session.add(farmers, id="f9", created_at=AT)
        assert record_person(session, "f9", WANJIRU, ring=RING, actor="key-2", at=AT) == ()


def test_keys_are_changed_while_everything_stays_readable_and_linked(lender):
    recorded(lender, "f1")
    assert known(lender, ring=ROTATING) == WANJIRU
    assert recorded(lender, "f2", Person(phone="+254712000111"), ring=ROTATING) == ("f1",)
    with lender.write("lender-a") as session:
        assert rewrap_persons(session, ring=ROTATING) == 1
        assert rewrap_persons(session, ring=ROTATING) == 0
    assert known(lender, ring=ROTATED) == WANJIRU
    assert recorded(lender, "f2", Person(phone="+254712000111"), ring=ROTATED) == ("f1",)
    with pytest.raises(KeyUnavailableError, match="key_unavailable"):
        known(lender, ring=RING)


@pytest.mark.parametrize("status", ["approved", "active", "overdue", "restructured"])
def test_nobody_is_forgotten_while_a_loan_is_open(lender, status):
    recorded(lender)
    with_loan(lender, status)
    with pytest.raises(RefusedError, match=r"retention_required: .* due on 2026-11-30"), lender.write("lender-a") as s:
        forget_person(s, "f1", actor="key-1", at=AT)
    assert known(lender) == WANJIRU


@pytest.mark.parametrize("status", ["closed", "written_off"])
def test_forgetting_destroys_the_key_once_no_loan_is_open(lender, status):
    recorded(lender)
    with_loan(lender, status)
    for _ in range(2):
        with lender.write("lender-a") as session:
            forget_person(session, "f1", actor="key-1", at=AT)
    assert known(lender) == Person()
    assert [event[0] for event in told(lender)] == ["person.recorded", "person.erased"]
    assert recorded(lender, "f2", WANJIRU) == ()


def test_consents_have_a_purpose_an_end_and_a_way_back(lender):
    until = AT + timedelta(days=365)
    with lender.write("lender-a") as session:
        given = give_consent(session, "f1", purpose="credit_assessment", expires_at=until, actor="key-1", at=AT)
        for hour in (1, 2):
            withdraw_consent(session, "f1", given, actor="key-1", at=AT + timedelta(hours=hour))
        (row,) = consents_of(session, "f1")
    assert (row["purpose"], row["expires_at"], row["withdrawn_at"]) == (
        "credit_assessment",
        until,
        AT + timedelta(hours=1),
    )
    assert [event[0] for event in told(lender)] == ["consent.given", "consent.withdrawn"]


def test_a_consent_that_has_ended_or_is_anothers_is_refused(lender):
    with lender.write("lender-a") as session:
        with pytest.raises(RefusedError, match="consent_invalid"):
            give_consent(session, "f1", purpose="credit_assessment", expires_at=AT, actor="key-1", at=AT)
        until = AT + timedelta(days=1)
        given = give_consent(session, "f1", purpose="credit_assessment", expires_at=until, actor="key-1", at=AT)
        with pytest.raises(RefusedError, match="not_found"):
            withdraw_consent(session, "f2", given, actor="key-1", at=AT)
