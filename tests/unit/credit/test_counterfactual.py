"""What would have to change really would have changed it, and a little less would not."""

import pytest

from agrocredit.credit import what_would_change
from agrocredit.credit.counterfactual import Lever, moved
from agrocredit.credit.decide import decide
from agrocredit.credit.record import case_of
from agrocredit.domain.decision import Outcome


def outcome(record, desk, lever, value):
    case = case_of(record)
    tried, terms = moved(case, terms=desk.policy.on(case.as_of), lever=lever, value=value)
    return decide([tried], terms=terms)[0].decision.outcome


CASES = {
    "too little land": ({"area_m2": 400.0}, {}, {Lever.AREA}),
    "a poor field": ({"median": 1.0, "spread": 0.3}, {}, {Lever.AREA, Lever.YIELD, Lever.PRICE}),
    "much other debt": ({}, {"debt": 600_000}, {Lever.EXISTING_DEBT_SERVICE, Lever.YIELD}),
    "much owed": ({}, {"owed": 1_990_000}, {Lever.OUTSTANDING}),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_named_flips_the_outcome_and_one_step_less_does_not(desk, name):
    plot, money, helps = CASES[name]
    decision, record = desk.one([desk.plot(**plot)], finances=desk.finances(**money))
    assert decision.outcome is not Outcome.APPROVED
    found = what_would_change(record, policy=desk.policy)
    assert helps <= {change.lever for change in found}
    for change in found:
        back = -1 if change.needed > change.now else 1
        assert change.needed != change.now
        assert outcome(record, desk, change.lever, change.needed) is Outcome.APPROVED
        assert outcome(record, desk, change.lever, change.needed + back) is not Outcome.APPROVED


def test_land_alone_cannot_lift_what_other_loans_hold_down(desk):
    _, record = desk.one([desk.plot()], finances=desk.finances(owed=1_990_000))
    assert {change.lever for change in what_would_change(record, policy=desk.policy)} == {Lever.OUTSTANDING}


def test_the_land_needed_for_the_smallest_loan_follows_from_the_grade(desk):
    policy = desk.with_values(repayment__household_floor=0)
    _, record = desk.one([desk.plot(area_m2=400.0)], policy=policy)
    (area,) = (c for c in what_would_change(record, policy=policy) if c.lever is Lever.AREA)
    by_hand = 300 / (380 * 15 / 10_000) / 0.92 / 400.0
    assert area.needed - 1 < by_hand * 1_000 <= area.needed


def test_an_approval_needs_nothing(desk):
    assert what_would_change(desk.one([desk.plot()])[1], policy=desk.policy) == ()


def test_what_nobody_has_seen_needs_pictures_and_no_number(desk):
    assert what_would_change(desk.one([desk.plot(reason="not_observed")])[1], policy=desk.policy) == ()
    differs = desk.one([desk.plot(declared_area_m2=9_000.0)])[1]
    assert what_would_change(differs, policy=desk.policy) == ()
