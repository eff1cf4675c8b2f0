import itertools
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.domain.entry import AMOUNT_MAX_MINOR, Account, Movement, MovementKind, Posting, check_amount
from agrocredit.domain.errors import AgrocreditError
from agrocredit.domain.loan import Limit, LimitStatus, Loan, LoanStatus, check_rate
from agrocredit.ledger import (
    FIRST_CARRY,
    Owed,
    allocation_order,
    charge_fee,
    cut,
    draw,
    repay,
    restructure,
    reverse,
    roll,
    write_off,
)
from agrocredit.ledger.repayment import allocate

ON = date(2026, 5, 1)
LIMIT = Limit(
    id="lim",
    farmer_id="f",
    decision_id="d",
    currency="CNY",
    limit_minor=1_000,
    drawn_minor=0,
    expires_on=date(2026, 12, 1),
)
LOAN = Loan(
    id="loan",
    limit_id="lim",
    farmer_id="f",
    currency="CNY",
    status=LoanStatus.APPROVED,
    rate_ppm=70_000,
    due_on=date(2026, 11, 1),
    last_on=date(2026, 5, 1),
    interest_through_on=date(2026, 4, 30),
    interest_carry=FIRST_CARRY,
)


def owing(status=LoanStatus.ACTIVE, *, principal=100, interest=10, fees=5):
    loan = replace(LOAN, status=status, principal_minor=principal, interest_minor=interest, fees_minor=fees)
    return loan, replace(LIMIT, drawn_minor=principal)


def refused(code, step):
    with pytest.raises(AgrocreditError) as caught:
        step()
    assert caught.value.code == code


@pytest.mark.parametrize(
    "amount", [0, -1, 1.005, 1e2, "100", float("nan"), 1e308, 2**63, True, None, AMOUNT_MAX_MINOR + 1]
)
def test_what_is_no_amount_is_refused_by_every_step(amount):
    loan, limit = owing()
    refused("amount_invalid", lambda: check_amount(amount))
    refused("amount_invalid", lambda: draw(loan, limit, amount_minor=amount, currency="CNY", on=ON))
    refused("amount_invalid", lambda: repay(loan, limit, amount_minor=amount, currency="CNY", on=ON))
    refused("amount_invalid", lambda: charge_fee(loan, limit, amount_minor=amount, currency="CNY", on=ON))


@pytest.mark.parametrize("rate", [-1, 0.07, "7", True, None, 10_000_001])
def test_a_rate_below_nothing_or_beyond_reason_is_refused(rate):
    refused("rate_invalid", lambda: check_rate(rate))
    refused("rate_invalid", lambda: replace(LOAN, rate_ppm=rate))


@pytest.mark.parametrize("currency", ["KES", "cny", "", None])
def test_another_currency_is_refused(currency):
    loan, limit = owing()
    for step in (draw, repay, charge_fee):
        refused("currency_mismatch", lambda step=step: step(loan, limit, amount_minor=1, currency=currency, on=ON))


@pytest.mark.parametrize(
    "limit",
    [
        replace(LIMIT, status=LimitStatus.FROZEN),
        replace(LIMIT, status=LimitStatus.CLOSED),
        replace(LIMIT, expires_on=ON),
    ],
)
def test_a_limit_frozen_closed_or_run_out_gives_nothing(limit):
    refused("limit_not_active", lambda: draw(LOAN, limit, amount_minor=1, currency="CNY", on=ON))


@pytest.mark.parametrize("status", sorted(set(LoanStatus) - {LoanStatus.APPROVED, LoanStatus.ACTIVE}))
def test_only_an_approved_or_active_loan_is_drawn(status):
    refused(
        "loan_state_invalid", lambda: draw(replace(LOAN, status=status), LIMIT, amount_minor=1, currency="CNY", on=ON)
    )


def test_the_last_unit_of_a_limit_can_be_drawn_and_no_more():
    change = draw(LOAN, LIMIT, amount_minor=1_000, currency="CNY", on=ON)
    assert (change.loan.status, change.limit.drawn_minor, change.limit.excess_minor) == (LoanStatus.ACTIVE, 1_000, 0)
    refused("limit_exceeded", lambda: draw(change.loan, change.limit, amount_minor=1, currency="CNY", on=ON))


def test_a_cut_below_what_is_drawn_names_the_excess_and_stops_draws():
    change = draw(LOAN, LIMIT, amount_minor=800, currency="CNY", on=ON)
    less = cut(change.limit, limit_minor=500)
    assert (less.drawn_minor, less.excess_minor) == (800, 300)
    refused("limit_exceeded", lambda: draw(change.loan, less, amount_minor=1, currency="CNY", on=ON))


@given(
    amount=st.integers(1, 2_000),
    owed=st.tuples(*[st.integers(0, 500)] * 3),
    order=st.permutations(list(Owed)),
)
def test_a_payment_meets_kinds_in_their_order_and_its_parts_sum_exactly(amount, owed, order):
    parts = allocate(amount, owed=dict(zip(Owed, owed, strict=True)), order=order)
    assert sum(parts.values()) == min(amount, sum(owed))
    assert all(0 <= parts[kind] <= due for kind, due in zip(Owed, owed, strict=True))
    for earlier, later in itertools.pairwise(order):
        assert not parts[later] or parts[earlier] == dict(zip(Owed, owed, strict=True))[earlier]


@pytest.mark.parametrize(
    "text", ["", "fees", "fees,fees,interest", "principal,interest,fees,", "penalty,interest,fees"]
)
def test_an_order_that_leaves_a_kind_out_is_refused(text):
    refused("allocation_invalid", lambda: allocation_order(text))


@pytest.mark.parametrize("status", [LoanStatus.ACTIVE, LoanStatus.OVERDUE, LoanStatus.RESTRUCTURED])
def test_all_that_is_owed_can_be_paid_and_one_unit_more_cannot(status):
    loan, limit = owing(status)
    refused("overpayment", lambda: repay(loan, limit, amount_minor=116, currency="CNY", on=ON))
    paid = repay(loan, limit, amount_minor=115, currency="CNY", on=ON)
    assert (paid.loan.outstanding_minor, paid.limit.drawn_minor) == (0, 0)
    assert paid.loan.status is (LoanStatus.ACTIVE if status is LoanStatus.ACTIVE else LoanStatus.CLOSED)


@pytest.mark.parametrize("status", [LoanStatus.APPLIED, LoanStatus.WRITTEN_OFF])
def test_nothing_is_paid_on_a_loan_that_is_not_there_or_given_up(status):
    loan = replace(LOAN, status=status)
    refused("loan_state_invalid", lambda: repay(loan, LIMIT, amount_minor=1, currency="CNY", on=ON))


@pytest.mark.parametrize("kind", ["draw", "repay", "fee", "write_off"])
def test_a_reversal_brings_every_balance_back(kind):
    loan, limit = owing()
    change = {
        "draw": lambda: draw(loan, limit, amount_minor=7, currency="CNY", on=ON),
        "repay": lambda: repay(loan, limit, amount_minor=12, currency="CNY", on=ON),
        "fee": lambda: charge_fee(loan, limit, amount_minor=7, currency="CNY", on=ON),
        "write_off": lambda: write_off(loan, limit, on=ON),
    }[kind]()
    back = reverse(change.loan, change.limit, original=change.movement, original_id="m", on=ON)
    assert back.loan == loan
    assert (back.limit.drawn_minor, back.limit.excess_minor) == (limit.drawn_minor, 0)
    assert back.movement.reverses == "m"


def test_a_reversal_is_not_reversed():
    loan, limit = owing()
    change = draw(loan, limit, amount_minor=7, currency="CNY", on=ON)
    back = reverse(change.loan, change.limit, original=change.movement, original_id="m", on=ON)
    refused("not_reversible", lambda: reverse(back.loan, back.limit, original=back.movement, original_id="r", on=ON))


@pytest.mark.parametrize("status", [LoanStatus.APPLIED, LoanStatus.APPROVED])
def test_nothing_is_taken_back_on_a_loan_that_never_moved(status):
    loan, limit = owing()
    drawn = draw(loan, limit, amount_minor=7, currency="CNY", on=ON).movement
    idle = replace(LOAN, status=status)
    refused("loan_state_invalid", lambda: reverse(idle, LIMIT, original=drawn, original_id="m", on=ON))


def test_what_is_given_up_stays_so_until_the_write_off_itself_is_taken_back():
    loan, limit = owing()
    drawn = draw(loan, limit, amount_minor=7, currency="CNY", on=ON)
    gone = write_off(drawn.loan, drawn.limit, on=ON)
    assert gone.limit.status is LimitStatus.CLOSED
    refused("not_reversible", lambda: reverse(gone.loan, gone.limit, original=drawn.movement, original_id="m", on=ON))
    refused("loan_state_invalid", lambda: write_off(gone.loan, gone.limit, on=ON))


def test_a_later_due_date_must_be_later():
    loan, limit = owing()
    refused("date_out_of_range", lambda: restructure(loan, limit, due_on=loan.due_on, on=ON))
    later = restructure(loan, limit, due_on=date(2027, 11, 1), on=ON)
    assert (later.loan.status, later.loan.due_on, later.movement) == (LoanStatus.RESTRUCTURED, date(2027, 11, 1), None)


@pytest.mark.parametrize(
    ("status", "principal", "on", "expected"),
    [
        (LoanStatus.APPROVED, 0, date(2026, 11, 1), None),
        (LoanStatus.APPROVED, 0, date(2026, 11, 2), LoanStatus.CLOSED),
        (LoanStatus.ACTIVE, 0, date(2026, 11, 2), LoanStatus.CLOSED),
        (LoanStatus.ACTIVE, 9, date(2026, 11, 1), None),
        (LoanStatus.ACTIVE, 9, date(2026, 11, 2), LoanStatus.OVERDUE),
        (LoanStatus.OVERDUE, 9, date(2026, 11, 3), None),
        (LoanStatus.CLOSED, 0, date(2027, 11, 3), None),
        (LoanStatus.WRITTEN_OFF, 0, date(2027, 11, 3), None),
        (LoanStatus.APPLIED, 0, date(2027, 11, 3), None),
    ],
)
def test_what_a_new_date_does_to_a_loan(status, principal, on, expected):
    loan, limit = owing(status, principal=principal, interest=0, fees=0)
    change = roll(loan, limit=limit, on=on)
    assert (change and change.loan.status) == expected


def test_a_movement_of_nothing_or_between_one_account_is_no_movement():
    refused("entry_invalid", lambda: Posting(debit=Account.CASH, credit=Account.CASH, amount_minor=1))
    refused("entry_invalid", lambda: Movement(kind=MovementKind.DRAW, currency="CNY", business_on=ON, postings=()))
    posting = Posting(debit=Account.PRINCIPAL, credit=Account.CASH, amount_minor=1)
    refused(
        "entry_invalid",
        lambda: Movement(kind=MovementKind.REVERSAL, currency="CNY", business_on=ON, postings=(posting,)),
    )
