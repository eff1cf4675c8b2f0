from datetime import date, timedelta
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.domain.entry import MovementKind
from agrocredit.domain.loan import Loan, LoanStatus
from agrocredit.ledger import FIRST_CARRY, accrue
from agrocredit.ledger.interest import one_day

START = date(2028, 2, 20)


def loan(principal_minor, *, rate_ppm=70_000, status=LoanStatus.ACTIVE):
    return Loan(
        id="l",
        limit_id="i",
        farmer_id="f",
        currency="CNY",
        status=status,
        rate_ppm=rate_ppm,
        due_on=date(2030, 1, 1),
        last_on=START,
        interest_through_on=START - timedelta(days=1),
        interest_carry=FIRST_CARRY,
        principal_minor=principal_minor,
    )


def through(days):
    return START + timedelta(days=days - 1)


@pytest.mark.parametrize(
    ("principal_minor", "rate_ppm", "days", "interest_minor"),
    [
        (5_000_000, 70_000, 180, 172_603),
        (5_000_000, 70_000, 365, 350_000),
        (100, 1_000_000, 366, 100),
        (0, 70_000, 9, 0),
    ],
)
def test_days_add_up_to_the_interest_of_the_stretch(principal_minor, rate_ppm, days, interest_minor):
    after, movements = accrue(loan(principal_minor, rate_ppm=rate_ppm), through_on=through(days), principal_changes={})
    assert after.interest_minor == sum(m.postings[0].amount_minor for m in movements) == interest_minor
    assert after.interest_through_on == through(days)


@given(principal=st.integers(0, 10**15), rate=st.integers(0, 10**7), stretches=st.lists(st.integers(1, 40), max_size=8))
def test_however_a_stretch_is_cut_into_runs_the_sum_is_rounded_half_up_once(principal, rate, stretches):
    state = loan(principal, rate_ppm=rate)
    for end in range(1, len(stretches) + 1):
        state, _ = accrue(state, through_on=through(sum(stretches[:end])), principal_changes={})
    exact = Fraction(principal * rate * sum(stretches), 365 * 10**6)
    assert state.interest_minor == floor(exact + Fraction(1, 2))


def test_a_day_posted_already_is_passed_over():
    once, _ = accrue(loan(5_000_000), through_on=through(3), principal_changes={})
    assert accrue(once, through_on=through(3), principal_changes={}) == (once, [])
    assert accrue(once, through_on=through(1), principal_changes={}) == (once, [])


def test_one_posting_a_day_also_on_29_february():
    _, movements = accrue(loan(5_000_000), through_on=date(2028, 3, 1), principal_changes={})
    days = [movement.business_on for movement in movements]
    assert days == [START + timedelta(days=n) for n in range(11)]
    assert date(2028, 2, 29) in days
    assert {movement.kind for movement in movements} == {MovementKind.INTEREST}


def test_principal_counts_from_the_day_it_changed():
    """1,000 for three days, then 3,000 for two, at a thousandth a day: 3 + 6."""
    after, _ = accrue(
        loan(3_000, rate_ppm=365_000),
        through_on=through(5),
        principal_changes={START: 1_000, START + timedelta(days=3): 2_000},
    )
    assert after.interest_minor == 9


@pytest.mark.parametrize("status", [LoanStatus.APPLIED, LoanStatus.APPROVED, LoanStatus.CLOSED, LoanStatus.WRITTEN_OFF])
def test_a_loan_that_can_owe_nothing_bears_nothing(status):
    idle = loan(0, status=status)
    assert accrue(idle, through_on=through(9), principal_changes={}) == (idle, [])


def test_the_carry_is_never_a_whole_unit():
    carry = FIRST_CARRY
    for _ in range(1_000):
        _, carry = one_day(123_457, rate_ppm=69_999, carry=carry)
        assert 0 <= carry < 365 * 10**6
