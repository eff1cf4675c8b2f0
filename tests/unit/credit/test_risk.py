"""Price of risk: published formulas to the digit, and the laws that any price of risk obeys."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from statistics import NormalDist

import numpy as np
import pytest

from agrocredit.credit.risk import asset_correlation, rate_that_covers, retail_capital, risk_of_loans, score

PD = np.array([0.03])


@pytest.fixture(scope="module")
def risk(desk):
    found = desk.policy.on(date(2024, 4, 15)).risk
    return replace(found, lgd=0.45, funding=Decimal("0.05"), hurdle=Decimal("0.12"))


def test_the_worked_vector_holds_to_its_last_digit(risk):
    capital = retail_capital(PD, risk=risk)
    assert round(float(asset_correlation(PD, risk=risk)[0]), 6) == 0.075492
    assert round(float(capital[0]), 6) == 0.050233
    rate = rate_that_covers(PD, capital=capital, opex_share=np.array([0.02]), days=np.array([365]), risk=risk)
    assert round(float(rate[0]), 6) == 0.092297


def test_capital_agrees_with_the_formula_written_out_with_another_normal_distribution(risk):
    normal = NormalDist()
    for pd in (0.0005, 0.01, 0.2, 0.9):
        together = float(asset_correlation(np.array([pd]), risk=risk)[0])
        shifted = (normal.inv_cdf(pd) + together**0.5 * normal.inv_cdf(0.999)) / (1 - together) ** 0.5
        expected = 0.45 * (normal.cdf(shifted) - pd)
        assert retail_capital(np.array([pd]), risk=risk)[0] == pytest.approx(expected, abs=1e-9)


def test_the_correlation_runs_from_high_to_low(risk):
    assert asset_correlation(np.array([0.0, 1.0]), risk=risk).tolist() == pytest.approx([0.16, 0.03])
    assert (np.diff(asset_correlation(np.linspace(0, 1, 50), risk=risk)) < 0).all()


def test_a_riskier_loan_costs_more_and_scores_less(risk):
    pd = np.linspace(0.001, 0.5, 40)
    loans = risk_of_loans(pd, limit_minor=np.full(40, 100_000), days=np.full(40, 120), risk=risk)
    assert (np.diff(loans.rate) > 0).all()
    assert (np.diff(loans.score) < 0).all()
    assert (np.diff(loans.expected_loss_minor) > 0).all()


def test_work_on_a_small_or_short_loan_weighs_more(risk):
    small, large = risk_of_loans(
        np.array([0.02, 0.02]), limit_minor=np.array([50_000, 500_000]), days=np.array([120, 120]), risk=risk
    ).rate
    short, long = risk_of_loans(
        np.array([0.02, 0.02]), limit_minor=np.array([50_000, 50_000]), days=np.array([90, 365]), risk=risk
    ).rate
    assert small > large
    assert short > long


def test_twice_the_odds_are_worth_the_points_that_double_them(risk):
    even, double = score(np.array([0.5, 1 / 3]), risk=risk)
    assert even == pytest.approx(risk.score_offset)
    assert double - even == pytest.approx(risk.score_doubling)


def test_exposure_is_what_is_drawn_and_a_share_of_what_may_be(risk):
    half = replace(risk, drawn_share=0.5, ccf=0.4)
    found = risk_of_loans(np.array([0.1]), limit_minor=np.array([100_000]), days=np.array([100]), risk=half)
    assert found.ead_minor.tolist() == [70_000]
    assert found.expected_loss_minor.tolist() == [round(0.1 * 0.45 * 70_000)]


def test_a_loan_that_never_or_always_fails_in_the_draws_still_has_a_price(risk):
    found = risk_of_loans(np.array([0.0, 1.0]), limit_minor=np.array([1_000, 1_000]), days=np.array([9, 9]), risk=risk)
    assert found.pd.tolist() == [risk.pd_floor, 1 - risk.pd_floor]
    assert np.isfinite(found.rate).all()
    assert np.isfinite(found.score).all()
