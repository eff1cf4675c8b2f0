"""Random histories of a loan against a model that a person can check: dictionaries, fractions, no SQL.

The rules alone run many histories, the rules on each database fewer. `AGROCREDIT_MODEL_RUNS` sets how many run on each
database (2,000 for a release), and on the rules alone ten times as many.
"""

import os
from collections import Counter
from datetime import date, timedelta
from fractions import Fraction
from functools import partial
from itertools import count
from math import floor

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

from agrocredit import ledger
from agrocredit.domain.entry import Account
from agrocredit.domain.errors import AgrocreditError, RefusedError
from agrocredit.domain.loan import Limit, Loan, LoanChange, LoanStatus
from agrocredit.service.lending import (
    change_limit,
    charge_loan_fee,
    draw_on_loan,
    open_loan,
    repay_loan,
    restructure_loan,
    reverse_movement,
    write_off_loan,
)
from agrocredit.service.lending.close_day import close_loan_day
from agrocredit.service.lending.verify import verify
from agrocredit.store.sql.loans import read_loan
from agrocredit.store.sql.movements import loan_entries

RUNS = int(os.environ.get("AGROCREDIT_MODEL_RUNS", "20"))
START = date(2027, 12, 20)  # histories cross a new year and a 29 February
KINDS = ("principal", "interest", "fees")
ACCOUNT = {"principal": "principal", "interest": "interest_receivable", "fees": "fees_receivable"}
amounts = st.one_of(st.integers(1, 120), st.integers(1, 3_000_000))


class Model:
    """What a loan owes, told as simply as it can be."""

    def __init__(self, limit_minor, rate_ppm, due_on, expires_on):
        self.limit_minor, self.rate_ppm, self.due_on, self.expires_on = limit_minor, rate_ppm, due_on, expires_on
        self.owed = dict.fromkeys(KINDS, 0)
        self.status, self.restructured, self.limit_closed = "approved", False, False
        self.bore = Fraction(0)  # exact interest of all days so far
        self.posted = 0
        self.on, self.closed_through = START, START - timedelta(days=1)
        self.history = {}  # movement id -> change by kind
        self.reversed = set()
        self.day_changes = []  # (business date, change of principal)

    def total(self):
        return sum(self.owed.values())

    def business_on(self):
        return max(self.on, self.closed_through + timedelta(days=1), *(day for day, _ in self.day_changes))

    def bear(self, through):
        """Interest of the days up to `through`; returns what is new as changes, one a day."""
        new = []
        while self.status in {"active", "overdue", "restructured"} and self.closed_through < through:
            self.closed_through += timedelta(days=1)
            principal = sum(change for day, change in self.day_changes if day <= self.closed_through)
            self.bore += Fraction(principal * self.rate_ppm, 365 * 10**6)
            day = floor(self.bore + Fraction(1, 2)) - self.posted
            self.posted += day
            self.owed["interest"] += day
            new.append(day)
        return [day for day in new if day]

    def move(self, movement_id, change):
        self.history[movement_id] = change
        for kind, amount in change.items():
            self.owed[kind] += amount
        self.day_changes.append((self.business_on(), change.get("principal", 0)))

    def settle(self):
        if self.status == "written_off":
            return
        if self.total() == 0:
            usable = not self.limit_closed and self.on < self.expires_on and self.on <= self.due_on
            if not (self.status in {"approved", "active"} and usable):
                self.status = "closed"
        elif self.on > self.due_on:
            self.status = "overdue"
        else:
            self.status = "restructured" if self.restructured else "active"


class SqlBooks:
    """A loan in a database."""

    def __init__(self, lender, farmer_id, *, limit_minor, rate_ppm, due_on, expires_on):
        self.lender = lender
        limit = lender.limit(farmer_id, limit_minor=limit_minor, expires_on=expires_on)
        with lender.write() as session:
            loan = open_loan(session, limit_id=limit.id, rate_ppm=rate_ppm, due_on=due_on, stamp=lender.stamp(START))
        self.loan_id, self.limit_id = loan.id, limit.id

    def do(self, step, *, on, **how):
        work = {
            "draw": draw_on_loan,
            "repay": repay_loan,
            "fee": charge_loan_fee,
            "reverse": reverse_movement,
            "write_off": write_off_loan,
            "restructure": restructure_loan,
        }[step]
        with self.lender.write() as session:
            return work(session, self.loan_id, stamp=self.lender.stamp(on), **how).movement_id

    def cut(self, limit_minor):
        with self.lender.write() as session:
            change_limit(session, self.limit_id, limit_minor=limit_minor, stamp=self.lender.stamp())

    def close_day(self, on):
        with self.lender.write() as session:
            close_loan_day(session, loan_id=self.loan_id, stamp=self.lender.stamp(on))

    def standing(self):
        with self.lender.read() as session:
            loan, limit = read_loan(session, self.loan_id)
            entries = loan_entries(session, self.loan_id)
        return loan, limit, [(e["debit"], e["credit"], e["amount_minor"]) for e in entries]


class MemoryBooks:
    """The rules alone: a loan, its limit and its movements in memory."""

    def __init__(self, farmer_id, *, limit_minor, rate_ppm, due_on, expires_on):
        self.limit = Limit(
            id="limit",
            farmer_id=farmer_id,
            decision_id="decision",
            currency="CNY",
            limit_minor=limit_minor,
            drawn_minor=0,
            expires_on=expires_on,
        )
        self.loan = Loan(
            id="loan",
            limit_id="limit",
            farmer_id=farmer_id,
            currency="CNY",
            status=LoanStatus.APPROVED,
            rate_ppm=rate_ppm,
            due_on=due_on,
            last_on=START,
            interest_through_on=START - timedelta(days=1),
            interest_carry=ledger.FIRST_CARRY,
        )
        self.movements = {}

    def accrued(self, through_on):
        changes = Counter()
        for movement in self.movements.values():
            if movement.business_on > self.loan.interest_through_on:
                changes[movement.business_on] += movement.change_minor(Account.PRINCIPAL)
        return ledger.accrue(self.loan, through_on=through_on, principal_changes=changes)

    def do(self, step, *, on, **how):
        loan, interest = self.loan, []
        if step not in {"draw", "reverse"}:
            loan, interest = self.accrued(on - timedelta(days=1))
        if step == "reverse":
            movement_id = how.pop("movement_id")
            if any(movement.reverses == movement_id for movement in self.movements.values()):
                raise RefusedError("already_reversed", "as the store would say")
            how |= {"original": self.movements[movement_id], "original_id": movement_id}
        rule_of = {"fee": ledger.charge_fee}.get(step) or getattr(ledger, step)
        return self.keep(rule_of(loan, self.limit, on=on, **how), interest)

    def keep(self, change, interest):
        self.loan, self.limit = change.loan, change.limit
        for movement in [*interest, *([change.movement] if change.movement else [])]:
            self.movements[f"m{len(self.movements)}"] = movement
        return f"m{len(self.movements) - 1}" if change.movement else None

    def cut(self, limit_minor):
        self.limit = ledger.cut(self.limit, limit_minor=limit_minor)

    def close_day(self, on):
        loan, interest = self.accrued(on)
        change = ledger.roll(loan, limit=self.limit, on=on)
        unchanged = LoanChange(loan_before=loan, loan=loan, limit_before=self.limit, limit=self.limit, movement=None)
        self.keep(change or unchanged, interest)

    def standing(self):
        postings = [posting for movement in self.movements.values() for posting in movement.postings]
        return self.loan, self.limit, [(p.debit, p.credit, p.amount_minor) for p in postings]


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
