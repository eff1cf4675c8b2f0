"""Random histories of a loan against a model that a person can check.

The rules alone run many histories, the rules on each database fewer. `AGROCREDIT_MODEL_RUNS` sets how many run on each
database (2,000 for a release), and on the rules alone ten times as many.
"""

import os
from datetime import timedelta
from functools import partial
from itertools import count

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from agrocredit.domain.errors import AgrocreditError
from agrocredit.service.lending.verify import verify

from .loan_books import MemoryBooks, SqlBooks
from .loan_model import KINDS, START, Model

RUNS = int(os.environ.get("AGROCREDIT_MODEL_RUNS", "20"))
ACCOUNT = {"principal": "principal", "interest": "interest_receivable", "fees": "fees_receivable"}
amounts = st.one_of(st.integers(1, 120), st.integers(1, 3_000_000))


class LoanMachine(RuleBasedStateMachine):
    open_books = None
    farmers = count()

    @initialize(
        limit_minor=st.integers(1, 5_000_000),
        rate_ppm=st.sampled_from([0, 1, 70_000, 243_000, 1_000_000]),
        days=st.integers(1, 90),
    )
    def begin(self, limit_minor, rate_ppm, days):
        due_on, expires_on = START + timedelta(days=days), START + timedelta(days=days + 5)
        self.model = Model(limit_minor, rate_ppm, due_on, expires_on)
        self.books = self.open_books(
            f"f{next(self.farmers)}", limit_minor=limit_minor, rate_ppm=rate_ppm, due_on=due_on, expires_on=expires_on
        )

    def step(self, name, *, expected=None, **how):
        """Run a step; it is refused with the expected code, or returns its movement's id."""
        movement_id, code = None, None
        try:
            movement_id = self.books.do(name, on=self.model.on, **how)
        except AgrocreditError as error:
            code = error.code
        assert code == expected, movement_id
        return movement_id

    def interest_first(self):
        """What a step does that looks at what is owed: the days before today are posted."""
        return self.model.bear(self.model.on - timedelta(days=1))

    @rule(amount=amounts)
    def draw(self, amount):
        m = self.model
        expected = None
        if m.limit_closed or m.on >= m.expires_on:
            expected = "limit_not_active"
        elif m.status not in {"approved", "active"}:
            expected = "loan_state_invalid"
        elif amount > m.limit_minor - m.owed["principal"]:
            expected = "limit_exceeded"
        moved = self.step("draw", amount_minor=amount, currency="CNY", expected=expected)
        if moved:
            m.status = "active"
            m.move(moved, {"principal": amount})

    @rule(amount=amounts, share=st.sampled_from([None, 1, 2, 3]))
    def repay(self, amount, share):
        m = self.model
        before = dict(m.owed), m.bore, m.posted, m.closed_through
        self.interest_first()
        if share and m.total():
            amount = max(1, m.total() // share)
        expected = None
        if m.status == "written_off":
            expected = "loan_state_invalid"
        elif amount > m.total():
            expected = "overpayment"
        moved = self.step("repay", amount_minor=amount, currency="CNY", expected=expected)
        if moved is None:  # a refused step takes its interest back too
            m.owed, m.bore, m.posted, m.closed_through = before
            return
        change, rest = {}, amount
        for kind in ("fees", "interest", "principal"):
            change[kind] = -min(rest, m.owed[kind])
            rest += change[kind]
        m.move(moved, change)
        m.settle()

    @rule(amount=st.integers(1, 5_000))
    def fee(self, amount):
        m = self.model
        expected = None if m.status in {"active", "overdue", "restructured"} else "loan_state_invalid"
        moved = self.step("fee", amount_minor=amount, currency="CNY", expected=expected)
        if moved:
            self.interest_first()
            m.move(moved, {"fees": amount})
            m.settle()

    @precondition(lambda self: self.model.history)
    @rule(data=st.data())
    def reverse(self, data):
        m = self.model
        number = data.draw(st.integers(0, len(m.history) - 1), label="movement")  # ids are chance, their order is not
        movement_id = list(m.history)[number]
        change = {kind: -amount for kind, amount in m.history[movement_id].items()}
        expected = None
        if m.status == "approved":
            expected = "loan_state_invalid"
        if movement_id in m.reversed:
            expected = "already_reversed"
        elif any(m.owed[kind] + amount < 0 for kind, amount in change.items()):
            expected = "not_reversible"
        elif m.status == "written_off":
            expected = None if movement_id == self.gave_up else "not_reversible"
        moved = self.step("reverse", movement_id=movement_id, expected=expected)
        if moved:
            if m.status == "written_off":
                m.status = "active"
            m.move(moved, change)
            del m.history[moved]  # a reversal itself is not reversed here
            m.reversed.add(movement_id)
            m.settle()

    gave_up = None

    @precondition(lambda self: self.model.total() > 50)
    @rule(sure=st.integers(0, 9))
    def write_off(self, sure):
        m = self.model
        if sure:
            return
        moved = self.step("write_off")
        self.interest_first()
        m.move(moved, {kind: -m.owed[kind] for kind in KINDS})
        self.gave_up = moved
        m.status, m.limit_closed = "written_off", True

    @precondition(lambda self: self.model.status in {"active", "overdue", "restructured"})
    @rule(days=st.integers(1, 60), sure=st.integers(0, 4))
    def restructure(self, days, sure):
        m = self.model
        if sure:
            return
        due_on = max(m.on, m.due_on) + timedelta(days=days)
        self.step("restructure", due_on=due_on)
        self.interest_first()
        m.due_on, m.restructured, m.status = due_on, True, "restructured"

    @precondition(lambda self: not self.model.limit_closed)
    @rule(limit_minor=st.integers(0, 5_000_000), sure=st.integers(0, 2))
    def cut_limit(self, limit_minor, sure):
        if sure:
            return
        self.books.cut(limit_minor)
        self.model.limit_minor = limit_minor

    @rule(days=st.integers(1, 12))
    def close_days(self, days):
        m = self.model
        m.on += timedelta(days=days)
        self.books.close_day(m.on)
        m.bear(m.on)
        m.settle()

    @rule(days=st.integers(-2, 3))
    def clock_moves(self, days):
        self.model.on = max(START, self.model.on + timedelta(days=days))

    @invariant()
    def store_and_model_agree(self):
        if not hasattr(self, "model"):
            return
        m = self.model
        loan, limit, entries = self.books.standing()
        assert {kind: getattr(loan, f"{kind}_minor") for kind in KINDS} == m.owed
        assert loan.status == m.status
        assert (limit.drawn_minor, limit.limit_minor) == (m.owed["principal"], m.limit_minor)
        assert limit.excess_minor == max(0, limit.drawn_minor - limit.limit_minor)
        for kind, account in ACCOUNT.items():
            debits = sum(amount for debit, _, amount in entries if debit == account)
            assert debits - sum(amount for _, credit, amount in entries if credit == account) == m.owed[kind]


def run_histories(open_books, *, runs):
    machine = type("Machine", (LoanMachine,), {"open_books": staticmethod(open_books), "farmers": count()})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=40,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_random_histories_of_the_rules_agree_with_the_model():
    run_histories(MemoryBooks, runs=10 * RUNS)


def test_random_histories_in_a_database_agree_with_the_model(lender):
    run_histories(partial(SqlBooks, lender), runs=RUNS)
    assert verify(lender.database, at=lender.stamp().at).failed_checks == ()
