"""Caps with numbers one can check by hand."""

import json

import numpy as np
import pytest

from agrocredit.credit import load_policy, parse_policy
from agrocredit.credit.area import declared_differs, effective_area_m2
from agrocredit.credit.caps import bullet_capacity
from agrocredit.credit.kisan_credit_card import short_term_limit
from agrocredit.credit.policy import PACKS
from agrocredit.credit.rounding import floor_to_minor
from agrocredit.domain.units import area_to_m2

MU = area_to_m2(1, "mu")


def test_ten_thousand_of_cash_repays_7553_03():
    capacity = bullet_capacity(np.array([10_000.0]), dscr_min=1.25, rate=0.12, days=np.array([180]))
    assert round(float(capacity[0]), 2) == 7_553.03
    assert floor_to_minor(capacity, minor_per_major=100).tolist() == [755_302]


def test_working_capital_need_is_the_share_of_costs_still_fundable(desk):
    decision = desk.decide([desk.plot(area_m2=10 * MU, grade="A")])
    costs = 100 + 250 + 130 + 45
    assert decision.caps["working_capital_need"] == int(costs * 10 * 0.92 * 0.75 * 100)


def test_costs_paid_too_long_ago_do_not_count(desk):
    strict = desk.with_values(need__lookback=0)
    decision = desk.decide([desk.plot(area_m2=10 * MU)], policy=strict)
    assert decision.caps["working_capital_need"] == round(45 * 10 * 0.92 * 0.75 * 100)


def test_evidence_grade_adds_plot_by_plot(desk):
    plots = [desk.plot("p1", area_m2=2 * MU, grade="A"), desk.plot("p2", area_m2=3 * MU, grade="C")]
    assert desk.decide(plots).caps["evidence_grade"] == round((2 * 800 + 3 * 380) * 0.92 * 100)


def test_exposure_is_what_other_loans_leave(desk):
    decision = desk.decide([desk.plot()], finances=desk.finances(owed=1_950_000))
    assert decision.caps["exposure"] == 50_000
    assert desk.decide([desk.plot()], finances=desk.finances(owed=9_000_000)).caps["exposure"] == 0


def test_a_tenant_is_eligible_with_a_share(desk):
    whole, half = desk.decide([desk.plot()]), desk.decide([desk.plot(share=0.5)])
    assert half.limit_minor > 0
    assert half.caps["evidence_grade"] == whole.caps["evidence_grade"] // 2


def test_the_smaller_of_declared_and_drawn_area_counts():
    area = effective_area_m2(
        np.array([100.0, 100.0, 100.0]),
        declared_area_m2=np.array([80.0, 120.0, np.nan]),
        tenure_share=np.array([1.0, 0.5, 1.0]),
        cropped_fraction_low=0.9,
    )
    np.testing.assert_allclose(area, [72.0, 45.0, 90.0])


def test_the_flag_is_raised_beyond_the_tolerance_and_not_at_it():
    drawn = np.full(4, 100.0)
    declared = np.array([115.0, 115.5, 84.0, np.nan])
    assert declared_differs(drawn, declared_area_m2=declared, tolerance=0.15).tolist() == [False, True, True, False]


@pytest.fixture
def card(desk):
    return load_policy("kisan-credit-card-in").on(desk.plot()["as_of"])


CARD_YEARS = [6_500_000, 7_150_000, 7_865_000, 8_651_500, 9_516_650]


@pytest.mark.parametrize(("year", "scale_of_finance_minor"), enumerate(CARD_YEARS, start=1))
def test_the_kisan_credit_card_example_year_by_year(desk, card, year, scale_of_finance_minor):
    """25,000 rupees an acre on two acres: a tenth and a fifth on top, then a tenth more each year."""
    text = (PACKS / "kisan-credit-card-in.toml").read_text(encoding="utf-8")
    given = "[scale_of_finance.card_year]"
    head, tail = text.split(given)
    later = parse_policy(head + given + tail.replace("2018-07-04 = 1 ", f"2018-07-04 = {year} ", 1), source="card.toml")
    two_acres_m2 = area_to_m2(2, "acre") / card.area.cropped_fraction_low
    plots = [desk.plot(area_m2=two_acres_m2, median=12.0, spread=0.4)]
    decision = desk.decide(plots, policy=later)
    assert decision.caps["scale_of_finance"] == scale_of_finance_minor
    assert decision.binding_cap == "scale_of_finance"
    assert decision.limit_minor == scale_of_finance_minor // 10_000 * 10_000


def test_the_yearly_increase_may_stand_on_the_crop_part_alone(card):
    from dataclasses import replace

    rule = replace(card.scale_of_finance, increase_on="crop_part")
    assert float(short_term_limit(np.array([50_000.0]), rule=rule, year=2)[0]) == pytest.approx(70_000.0)


def test_every_cap_stands_in_the_table_as_text(desk):
    row = desk.assess([desk.plot()]).decisions.to_pylist()[0]
    assert list(json.loads(row["caps"])) == [str(cap) for cap in desk.policy.caps]
