"""Draws: right margins, right dependence, and nothing that depends on order."""

from dataclasses import replace

import numpy as np
import pytest

from agrocredit.credit.draws import (
    harvests_t,
    normal_scores,
    own_orders,
    own_scores,
    price_scores,
    regional_scores,
    shuffled_scores,
)
from agrocredit.domain.estimate import QUANTILE_LEVELS

DRAWS = 2_048
QUANTILES = np.array([[1.0, 2.0, 3.0, 5.0, 6.0, 8.0, 9.0]])


@pytest.fixture
def simulation(desk):
    return desk.policy.on(desk.plot()["as_of"]).simulation


def own(names, version="2024.1"):
    return own_scores(own_orders(names, version=version), draws=DRAWS, version=version)


def test_every_source_uses_each_stratum_once():
    scores = [
        regional_scores(DRAWS, season="2024", version="v"),
        price_scores(DRAWS, crop="maize", season="2024", version="v"),
        own([("f1", "maize", "2024")])[0],
    ]
    for each in scores:
        np.testing.assert_array_equal(np.sort(each), normal_scores(DRAWS))
    assert abs(normal_scores(DRAWS).mean()) < 1e-12
    assert normal_scores(DRAWS).std() == pytest.approx(1.0, abs=0.002)


def test_names_decide_draws_and_company_does_not():
    alone = own([("f1", "maize", "2024")])
    among = own([("f0", "maize", "2024"), ("f1", "maize", "2024"), ("f1", "rice", "2024")])
    np.testing.assert_array_equal(alone[0], among[1])
    assert not np.array_equal(among[1], among[2])


def test_a_separator_in_a_name_cannot_merge_two_names():
    assert not np.array_equal(shuffled_scores(DRAWS, "a", "bc"), shuffled_scores(DRAWS, "ab", "c"))


def test_farmers_draw_nearly_independently():
    scores = own([(f"f{i}", "maize", "2024") for i in range(200)])
    correlation = np.corrcoef(scores)
    off = correlation[np.triu_indices(200, 1)]
    assert abs(off.mean()) < 0.005
    assert off.std() < 0.04
    with_region = [np.corrcoef(row, regional_scores(DRAWS, season="2024", version="2024.1"))[0, 1] for row in scores]
    assert abs(np.mean(with_region)) < 0.01


def test_the_quantiles_come_back_up_to_the_level_that_counts(simulation):
    names = [(f"f{i}", "maize", "2024") for i in range(300)]
    draws = harvests_t(
        np.repeat(QUANTILES, 300, axis=0),
        regional=regional_scores(DRAWS, season="2024", version="2024.1"),
        own=own(names),
        simulation=simulation,
    )
    found = np.quantile(draws, QUANTILE_LEVELS[:4], axis=1).mean(axis=1)
    np.testing.assert_allclose(found, QUANTILES[0, :4], atol=0.08)
    assert draws.min() >= 0.0
    assert draws.max() == pytest.approx(5.0)


def test_below_the_lowest_quantile_a_harvest_falls_straight_to_nothing(simulation):
    own_luck = np.array([[-1.6448536269514722, -3.2905267314919255, -6.0, -2.4676901792]])
    draws = harvests_t(QUANTILES, regional=np.zeros(4), own=own_luck.copy(), simulation=simulation)
    scale = np.sqrt(1 - simulation.regional_share)
    straight = harvests_t(QUANTILES, regional=np.zeros(4), own=own_luck / scale, simulation=simulation)
    np.testing.assert_allclose(straight, [[1.0, 0.0, 0.0, 0.5]], atol=1e-6)
    assert (draws >= straight - 1e-12).all()


def test_neighbours_share_the_region_as_far_as_the_policy_says(simulation):
    names = [(f"f{i}", "maize", "2024") for i in range(100)]
    normal_yields = 3.29 + np.array([[-1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645]])
    draws = harvests_t(
        np.repeat(normal_yields, 100, axis=0),
        regional=regional_scores(DRAWS, season="2024", version="2024.1"),
        own=own(names),
        simulation=replace(simulation, yield_counted_to=0.95),
    )
    off = np.corrcoef(draws)[np.triu_indices(100, 1)].mean()
    assert off == pytest.approx(simulation.regional_share, abs=0.03)
