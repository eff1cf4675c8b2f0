"""A lender with a farmer, a decision, a limit and a loan, on each of the two databases."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import insert

from agrocredit.domain.loan import Limit
from agrocredit.service.lending import Stamp, open_loan
from agrocredit.store.sql import tables, upgrade
from agrocredit.store.sql.database import Database
from agrocredit.store.sql.events import Event, record
from agrocredit.store.sql.limits import grant_limit

AT = datetime(2026, 5, 1, 6, tzinfo=UTC)
ON = date(2026, 5, 1)
LIMIT_MINOR = 5_000_000
RATE_PPM = 70_000


@dataclass
class Lender:
    """What a test needs of one tenant."""

    database: Database
    tenant_id: str = "lender"
    currency: str = "CNY"

    def stamp(self, on=ON):
        return Stamp(actor="key_test", on=on, at=AT)

    def write(self):
        return self.database.write(self.tenant_id)

    def read(self):
        return self.database.read(self.tenant_id)

    def settle(self):
        """Make the tenant."""
        with self.database.oversee() as connection:
            values = {"id": self.tenant_id, "name": self.tenant_id, "created_at": AT}
            connection.execute(insert(tables.tenants).values(**values))
        return self

    def limit(self, farmer_id="farmer", *, limit_minor=LIMIT_MINOR, expires_on=date(2027, 5, 1)):
        """Decide on a farmer and put the limit in force."""
        with self.write() as session:
            if session.row(session.select(tables.farmers).where(tables.farmers.c.id == farmer_id)) is None:
                session.add(tables.farmers, id=farmer_id, created_at=AT)
            count = len(session.rows(session.select(tables.decisions)))
            decision = {
                "id": f"dec_{count}",
                "farmer_id": farmer_id,
                "season": "2026",
                "as_of": ON,
                "outcome": "approved",
                "limit_minor": limit_minor,
                "currency": self.currency,
                "policy": "test",
                "policy_version": "1",
                "answer": "{}",
                "record": b"{}",
                "decision_sha256": hashlib.sha256(b"{}").hexdigest(),
                "decided_at": AT,
            }
            session.add(tables.decisions, **decision)
            told = {name: decision[name] for name in ("outcome", "limit_minor", "decision_sha256")}
            made = Event(kind="decision.made", subject_id=decision["id"], payload=told)
            record(session, [made], actor="test", at=AT)
            limit = Limit(
                id=f"lim_{count}",
                farmer_id=farmer_id,
                decision_id=decision["id"],
                currency=self.currency,
                limit_minor=limit_minor,
                drawn_minor=0,
                expires_on=expires_on,
            )
            return grant_limit(session, limit)

    def loan(self, farmer_id="farmer", *, rate_ppm=RATE_PPM, due_on=date(2026, 12, 1), **limit):
        """Open a loan on a fresh limit."""
        granted = self.limit(farmer_id, **limit)
        with self.write() as session:
            return open_loan(session, limit_id=granted.id, rate_ppm=rate_ppm, due_on=due_on, stamp=self.stamp())


@pytest.fixture
def make_lender():
    """A function that brings a database to the schema and returns a lender in it."""

    def make(database):
        upgrade(database)
        return Lender(database).settle()

    return make


@pytest.fixture
def lender(database):
    return Lender(database).settle()


@pytest.fixture
def rival(database):
    return Lender(database, tenant_id="rival").settle()
