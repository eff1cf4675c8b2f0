"""A loan of the real code, in a database or by the rules alone, with one way to do what a history does."""

from collections import Counter
from datetime import timedelta

from agrocredit import ledger
from agrocredit.domain.entry import Account
from agrocredit.domain.errors import RefusedError
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
from agrocredit.store.sql.loans import read_loan
from agrocredit.store.sql.movements import loan_entries

from .loan_model import START


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
