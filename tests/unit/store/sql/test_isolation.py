"""Nobody sees or touches another tenant's rows: by our statements, and under PostgreSQL by the database itself."""

import os
import random
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import bindparam, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from agrocredit.domain.errors import AgrocreditError
from agrocredit.store.sql import open_database, tables
from agrocredit.store.sql.failures import LedgerIntegrityError
from agrocredit.store.sql.session import prepared
from agrocredit.store.sql.tables import APPEND_ONLY, TENANT_TABLES

AT = datetime(2026, 5, 1, tzinfo=UTC)
ON = date(2026, 5, 1)
TRANSACTIONS = int(os.environ.get("AGROCREDIT_ISOLATION_RUNS", "100"))
"""10,000 for a release."""


def filled(url):
    """Two lenders with a row of most kinds, and a third with nothing. What tests refuse leaves no trace."""
    database = open_database(url)
    for tenant_id in ("a", "b"):
        fill(database, tenant_id)
    with database.oversee() as connection:
        connection.execute(insert(tables.tenants).values(id="c", name="c", created_at=AT))
        connection.execute(insert(tables.tree_nodes).values(level=0, number=0, value=b"0"))
    return database


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def two_tenants(request, fresh_url):
    database = filled(fresh_url(request.param))
    yield database
    database.close()


@pytest.fixture(scope="module")
def guarded(fresh_url):
    database = filled(fresh_url("postgresql"))
    yield database
    database.close()


def fill(database, tenant_id):
    with database.oversee() as connection:
        connection.execute(insert(tables.tenants).values(id=tenant_id, name=tenant_id, created_at=AT))
    with database.write(tenant_id) as session:
        session.add(tables.farmers, id="f", created_at=AT)
        session.add(
            tables.decisions,
            id="d",
            farmer_id="f",
            season="2026",
            as_of=ON,
            outcome="approved",
            limit_minor=100,
            currency="CNY",
            policy="p",
            policy_version="1",
            answer="{}",
            decision_sha256="0",
            decided_at=AT,
        )
        session.add(
            tables.limits,
            id="i",
            farmer_id="f",
            decision_id="d",
            currency="CNY",
            limit_minor=100,
            drawn_minor=7,
            expires_on=date(2027, 5, 1),
        )
        session.add(
            tables.loans,
            id="l",
            limit_id="i",
            farmer_id="f",
            currency="CNY",
            status="active",
            rate_ppm=70_000,
            due_on=date(2027, 1, 1),
            last_on=ON,
            interest_through_on=ON,
            interest_carry=0,
            principal_minor=7,
            opened_at=AT,
        )
        session.add(
            tables.movements,
            id="m",
            loan_id="l",
            kind="draw",
            currency="CNY",
            business_on=ON,
            actor="k",
            posted_at=AT,
        )
        session.add(tables.entries, movement_id="m", line=1, debit="principal", credit="cash", amount_minor=7)
        session.add(tables.events, kind="k", subject_id="m", actor="k", payload=b"{}", recorded_at=AT)


FILLED = [
    tables.farmers,
    tables.decisions,
    tables.limits,
    tables.loans,
    tables.movements,
    tables.entries,
    tables.events,
]


@pytest.mark.parametrize("table", FILLED, ids=lambda table: table.name)
def test_a_session_sees_its_own_rows_and_no_other(two_tenants, table):
    for tenant_id in ("a", "b"):
        with two_tenants.read(tenant_id) as session:
            assert [row["tenant_id"] for row in session.rows(session.select(table))] == [tenant_id]


def test_an_id_of_another_tenant_is_answered_like_an_unknown_one(two_tenants):
    with two_tenants.read("c") as session:
        details = set()
        for row_id in ("l", "no such loan"):
            with pytest.raises(AgrocreditError, match="not_found") as caught:
                session.found(tables.loans, row_id)
            details.add(caught.value.detail)
    assert len(details) == 1


def test_a_row_cannot_refer_to_another_tenants_row(two_tenants):
    with pytest.raises(IntegrityError), two_tenants.write("c") as session:
        session.add(
            tables.consents,
            id="x",
            farmer_id="f",
            purpose="p",
            given_at=AT,
            expires_at=datetime(2027, 1, 1, tzinfo=UTC),
        )


@pytest.mark.parametrize("table", TENANT_TABLES, ids=lambda table: table.name)
def test_a_transaction_that_names_nobody_gets_no_rows(guarded, table):
    with guarded.read("") as session:
        assert session.connection.execute(select(table)).all() == []


@pytest.mark.parametrize("table", FILLED, ids=lambda table: table.name)
def test_a_statement_that_forgets_the_tenant_still_reaches_only_its_own_rows(guarded, table):
    with guarded.write("a") as session:
        assert {row.tenant_id for row in session.connection.execute(select(table))} == {"a"}
        if table not in APPEND_ONLY:
            changed = session.connection.execute(update(table).values(tenant_id=table.c.tenant_id))
            assert changed.rowcount == 1


def test_nobody_writes_a_row_in_anothers_name(guarded):
    with pytest.raises(DBAPIError, match="row-level security"), guarded.write("a") as session:
        session.connection.execute(insert(tables.farmers).values(tenant_id="b", id="g", created_at=AT))


def test_the_application_cannot_become_the_overseer_by_a_setting_of_its_tenant(guarded):
    with guarded.write("a") as session:
        session.connection.execute(text("SELECT set_config('agrocredit.tenant', '', true)"))
        assert session.rows(select(tables.farmers)) == []


def test_a_pooled_connection_keeps_neither_tenant_nor_role(guarded):
    """Transactions on few connections, interleaved: none ever sees a row of another tenant."""
    chance = random.Random(7)  # noqa: S311  the same plan at every run
    for _ in range(TRANSACTIONS):
        tenant_id = chance.choice(["a", "b", ""])
        with guarded.read(tenant_id) as session:
            seen = {row.tenant_id for row in session.connection.execute(select(tables.loans))}
            assert seen == ({tenant_id} if tenant_id else set())
        with guarded.engine.connect() as connection:
            left = connection.execute(text("SELECT current_user, current_setting('agrocredit.tenant', true)")).one()
            assert left[0] == "postgres"
            assert not left[1]


@pytest.mark.parametrize("table", APPEND_ONLY, ids=lambda table: table.name)
@pytest.mark.parametrize("change", [update, delete], ids=["update", "delete"])
def test_what_is_posted_is_never_changed_not_even_by_the_owner(two_tenants, table, change):
    statement = change(table)
    if change is update:
        column = next(c for c in table.c if c.name in {"actor", "debit", "value"})
        statement = statement.values({column: b"x" if column.name == "value" else "cash"})
    with pytest.raises(DBAPIError, match="append-only"), two_tenants.engine.begin() as connection:
        connection.execute(statement)


def test_an_event_is_given_its_place_once(two_tenants):
    with two_tenants.engine.begin() as connection:
        connection.execute(update(tables.events).where(tables.events.c.tenant_id == "a").values(position=1))
    for values in ({"position": 2}, {"position": None}, {"position": 1, "actor": "x"}):
        with pytest.raises(DBAPIError, match="append-only"), two_tenants.engine.begin() as connection:
            connection.execute(update(tables.events).where(tables.events.c.tenant_id == "a").values(**values))


@pytest.mark.parametrize("amount", [0, -1, 10**15 + 1])
def test_the_database_refuses_amounts_that_the_rules_refuse(two_tenants, amount):
    with pytest.raises(IntegrityError), two_tenants.write("a") as session:
        session.add(tables.entries, movement_id="m", line=2, debit="cash", credit="principal", amount_minor=amount)


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (tables.loans, {"principal_minor": -1}),
        (tables.loans, {"status": "closed"}),
        (tables.loans, {"rate_ppm": -1}),
        (tables.limits, {"limit_minor": 6}),
        (tables.limits, {"drawn_minor": 101}),
        (tables.limits, {"drawn_minor": -1}),
        (tables.limits, {"excess_minor": 3}),
        (tables.limits, {"currency": "cny"}),
    ],
)
def test_the_database_refuses_balances_that_cannot_be(two_tenants, table, values):
    with pytest.raises(IntegrityError), two_tenants.write("a") as session:
        session.changed(session.update(table).values(**values))


def test_a_balance_that_no_entry_explains_does_not_commit(guarded):
    with pytest.raises(LedgerIntegrityError), guarded.write("a") as session:
        session.changed(session.update(tables.loans).values(principal_minor=8))


def test_an_entry_that_no_balance_shows_does_not_commit(guarded):
    with pytest.raises(LedgerIntegrityError), guarded.write("a") as session:
        session.add(tables.entries, movement_id="m", line=2, debit="principal", credit="cash", amount_minor=1)


def test_a_reader_writes_nothing(guarded):
    with pytest.raises(DBAPIError, match="read-only"), guarded.read("a") as session:
        session.add(tables.farmers, id="f", created_at=AT)


def test_a_prepared_query_sees_the_rows_of_its_own_tenant(two_tenants):
    query = prepared(tables.decisions).where(tables.decisions.c.farmer_id == bindparam("of_farmer"))
    for tenant_id, rows in (("a", 1), ("b", 1), ("c", 0)):
        with two_tenants.read(tenant_id) as session:
            assert [row["tenant_id"] for row in session.ask(query, of_farmer="f")] == [tenant_id] * rows


def test_no_caller_of_a_prepared_query_names_another_tenant(two_tenants):
    with two_tenants.read("c") as session:
        assert session.ask(prepared(tables.decisions), own_tenant_id="a") == []
