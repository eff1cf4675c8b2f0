"""`agrocredit loan fee` on the books of the service."""

import json

import pytest
from typer.testing import CliRunner

from agrocredit.cli.app import app
from agrocredit.service.lending import draw_on_loan
from agrocredit.store.sql.loans import read_loan

from .conftest import ON


@pytest.fixture
def loan(lender):
    made = lender.loan()
    with lender.write() as session:
        draw_on_loan(session, made.id, amount_minor=10_000, currency="CNY", stamp=lender.stamp())
    return made


@pytest.fixture
def charge(lender, loan):
    url = lender.database.engine.url.render_as_string(hide_password=False)

    def run(amount_minor, *, key, currency="CNY"):
        books = ["--tenant", lender.tenant_id, "--on", ON.isoformat(), "--database", url, "--json"]
        return CliRunner().invoke(
            app, ["loan", "fee", loan.id, str(amount_minor), "--currency", currency, "--key", key, *books]
        )

    return run


def owed(lender, loan):
    with lender.read() as session:
        return read_loan(session, loan.id)[0].fees_minor


def test_a_fee_is_charged_once_a_key(lender, loan, charge):
    first, again = charge(250, key="dunning-1"), charge(250, key="dunning-1")
    assert first.exit_code == again.exit_code == 0, first.output
    assert json.loads(again.stdout) == json.loads(first.stdout)
    assert owed(lender, loan) == 250
    assert charge(250, key="dunning-2").exit_code == 0
    assert owed(lender, loan) == 500


def test_a_key_is_of_one_fee(lender, loan, charge):
    charge(250, key="dunning-1")
    assert json.loads(charge(300, key="dunning-1").stdout)["error"]["code"] == "idempotency_key_reused"
    assert owed(lender, loan) == 250


def test_a_fee_in_another_currency_charges_nothing(lender, loan, charge):
    assert json.loads(charge(250, key="k", currency="INR").stdout)["error"]["code"] == "currency_mismatch"
    assert owed(lender, loan) == 0
