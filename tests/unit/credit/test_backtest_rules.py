"""Flat rules are scaled until they lose what the policy loses; what is left over is what knowing the farm is worth."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from agrocredit.credit.backtest import lend_again
from agrocredit.credit.backtest_compare import compare
from agrocredit.credit.backtest_rules import RULES, gain_over, keep_book, lent_at, lent_by_policy, size_by

YEARS = range(2012, 2022)
PERFECT, ALIKE = "perfect", "alike"


def replayed(desk, *, farms=40, kind, seed=1, years=YEARS, policy=None, area_m2=3_000.0, bad=(2014, 2019)):
    """Seasons of farms that differ by a factor of three; `kind` says whether the estimate knows it."""
    rng = np.random.default_rng(seed)
    level = np.linspace(2.5, 7.5, farms)
    seasons = []
    for year in years:
        weather = 0.6 if year in bad else 1.0
        truth = level * weather * rng.uniform(0.85, 1.15, farms)
        known = level if kind == PERFECT else np.full(farms, 5.0)
        as_of = date(year - 1, 9, 20)
        plots = [
            desk.plot(
                f"p{i:02d}", farmer_id=f"p{i:02d}", area_m2=area_m2, median=known[i], spread=0.25 * known[i],
                as_of=as_of, season=str(year), harvest_year=year,
            )
            for i in range(farms)
        ]  # fmt: skip
        estimates, table = desk.tables(plots)
        season = lend_again(
            estimates,
            table.select(["plot_id", "area_m2", "latitude_deg"]),
            yields_t_ha=truth,
            regions=["low" if i < farms // 2 else "high" for i in range(farms)],
            policy=policy or desk.policy_always,
            crops=desk.crops,
            as_of=as_of,
            price_over_expected=None,
        )
        seasons.append(season)
    return seasons


@pytest.fixture(scope="module")
def lender(desk):
    """The desk with a pack in force on every day, in which the harvest alone sets the limit."""
    from agrocredit.credit.held_terms import held_terms

    loose = {f"evidence__grade_{grade}": 5_000 for grade in "abc"}
    loose["crop__winter_wheat__costs__tillage_and_sowing__amount"] = 5_000
    desk.policy_always = held_terms(desk.with_values(product__maximum=60_000, **loose))
    return desk


@pytest.fixture(scope="module")
def knowing(lender):
    return compare(replayed(lender, kind=PERFECT))


def test_every_flat_rule_loses_just_what_the_policy_loses(knowing):
    rates = knowing.book.loss_rate()
    assert 0.001 < rates[0] < 0.2
    np.testing.assert_allclose(rates[1:], rates[0], rtol=1e-6)


def test_knowing_the_farm_lends_more_at_equal_loss(knowing):
    flat, by_region, own = (knowing.gains[rule].credit_share for rule in (RULES[0], *RULES[2:]))
    assert flat > 0.1
    assert flat > by_region > own  # the more a rule knows, the less is left to gain over it
    for rule in RULES:
        gain = knowing.gains[rule]
        assert gain.credit_low <= gain.credit_share <= gain.credit_high
        place = knowing.rules.index(rule)
        credit = knowing.book.credit.sum(axis=0)
        assert gain.credit_share == pytest.approx(credit[0] / credit[place] - 1.0)
    assert knowing.toughest in RULES[:2]


def test_a_policy_that_tells_nobody_apart_gains_nothing(lender):
    """All estimates alike: the policy is a flat rule too, but for the rounding and each season's own draws."""
    comparison = compare(replayed(lender, kind=ALIKE))
    for rule in RULES:
        assert abs(comparison.gains[rule].credit_share) < 0.02
        assert comparison.gains[rule].farmers_share == 0.0


def test_one_year_has_a_gain_and_no_interval(lender):
    gain = compare(replayed(lender, kind=PERFECT, years=[2014])).gains["flat_limit"]
    assert gain.credit_share is not None
    assert gain.credit_low is None
    assert gain.farmers_high is None


def test_nothing_depends_on_the_order_of_seasons(lender, knowing):
    seasons = replayed(lender, kind=PERFECT)
    shuffled = compare(seasons[::-1])
    for rule in RULES:
        assert shuffled.gains[rule].credit_share == pytest.approx(knowing.gains[rule].credit_share, rel=1e-9)
        assert shuffled.gains[rule].credit_low == pytest.approx(knowing.gains[rule].credit_low, rel=1e-9)


def test_equal_inputs_give_equal_numbers(lender, knowing):
    assert compare(replayed(lender, kind=PERFECT)).gains == knowing.gains


def test_a_resample_of_each_year_once_finds_the_scale_that_was_solved(knowing):
    from agrocredit.credit import backtest_rules as rules

    for rule in RULES:
        once = np.ones((1, len(knowing.book.years)))
        rate = knowing.book.loss_rate()[:1]
        credit, approved = rules._solve_on_ladder(knowing.ladders[rule], once, loss_rate=rate)
        place = knowing.rules.index(rule)
        assert credit[0] == pytest.approx(knowing.book.credit[:, place].sum(), rel=2e-3)
        assert approved[0] == pytest.approx(knowing.book.approved[:, place].sum(), rel=2e-3)


def test_flat_rules_sell_the_same_product(lender):
    season = replayed(lender, kind=PERFECT, years=[2020], policy=lender.policy_always)[0]
    season = replace(season, area_eff_m2=np.linspace(100.0, 40_000.0, len(season.farmers)))
    lent = lent_at(season, rule="flat_scale_of_finance", scales=np.array([0.5, 1e9]))
    assert ((lent[0] == 0) | (lent[0] >= 300.0)).all()  # the smallest ticket
    assert (lent[0] == 0).any()
    assert lent[0].max() == pytest.approx(0.5 * 40_000.0)
    assert (lent[1] == 20_000.0).all()  # the exposure maximum, since the product's own is higher


def test_a_rule_that_nobody_can_afford_is_said_to_reach_no_scale(lender):
    """Where nothing grows even the smallest loan is lost, so no flat rule loses as little as lending nothing."""
    seasons = [replace(s, harvest_t=np.zeros(len(s.farmers))) for s in replayed(lender, kind=ALIKE, years=[2015, 2016])]
    careful = keep_book(seasons, [lent_by_policy(season) * 0.0 for season in seasons])
    ladder = keep_book(seasons, [lent_at(s, rule="flat_limit", scales=np.array([300.0, 600.0])) for s in seasons])
    gain = gain_over(careful, careful, ladder)
    assert gain.credit_share is None
    assert gain.credit_low is None
    comparison = compare([replace(s, limit=s.limit, fixed=s.fixed) for s in seasons])
    assert comparison.book.loss_rate()[0] == pytest.approx(1.0)


def test_what_each_rule_scales_can_be_computed_by_hand(lender):
    season = replayed(lender, farms=4, kind=PERFECT, years=[2020], area_m2=10_000.0)[0]
    tonnes = 0.92 * np.array([2.5, 2.5 + 5 / 3, 2.5 + 10 / 3, 7.5])
    np.testing.assert_allclose(size_by("flat_scale_of_finance", season), 9_200.0)
    np.testing.assert_allclose(size_by("flat_limit", season), 1.0)
    np.testing.assert_allclose(size_by("share_of_expected_harvest", season), tonnes)
    means = np.repeat([tonnes[:2].mean(), tonnes[2:].mean()], 2)
    np.testing.assert_allclose(size_by("scale_by_region", season), means)
