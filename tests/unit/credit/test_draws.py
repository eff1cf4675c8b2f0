"""Draws: right margins, right dependence, and nothing that depends on who asks."""

from dataclasses import replace

import numpy as np
import pytest

from agrocredit.credit.draws import harvest_parts, named_scores, price_scores, regional_scores
from agrocredit.domain.estimate import QUANTILE_LEVELS

DRAWS = 2_048
QUANTILES = np.array([1.0, 2.0, 3.0, 5.0, 6.0, 8.0, 9.0])


@pytest.fixture
def simulation(desk):
    return desk.policy.on(desk.plot()["as_of"]).simulation


def harvests(quantiles, simulation, *, crop="maize", season="2024", version="2024.1"):
    parts = harvest_parts(crop, season=season, version=version, simulation=simulation)
    return np.diff(quantiles[: len(parts)], prepend=0.0) @ parts


def test_every_source_uses_each_stratum_once(simulation):
    for scores in (
        named_scores(DRAWS, "luck", "maize", "2024", "v"),
        named_scores(4_096, "luck", "maize", "2024", "v"),
        price_scores("maize", season="2024", version="v", simulation=simulation),
    ):
        np.testing.assert_array_equal(np.sort(scores), regional_scores(len(scores)))
    assert abs(regional_scores(DRAWS).mean()) < 1e-12
    assert regional_scores(DRAWS).std() == pytest.approx(1.0, abs=0.002)


def test_each_block_of_the_region_meets_each_stratum_of_luck_once():
    ranks = np.searchsorted(regional_scores(DRAWS), named_scores(DRAWS, "luck", "maize", "2024", "v"))
    strata = (ranks // 64).reshape(64, 32)
    np.testing.assert_array_equal(np.sort(strata, axis=1), np.tile(np.arange(32), (64, 1)))


def test_a_separator_in_a_name_cannot_merge_two_names():
    assert not np.array_equal(named_scores(DRAWS, "a", "bc"), named_scores(DRAWS, "ab", "c"))


def test_sources_are_nearly_uncorrelated():
    scores = np.array([regional_scores(DRAWS), *(named_scores(DRAWS, f"source {i}") for i in range(100))])
    correlation = np.corrcoef(scores)
    assert np.abs(correlation[0, 1:]).max() < 0.01
    off = correlation[1:, 1:][np.triu_indices(100, 1)]
    assert abs(off.mean()) < 0.002
    assert np.abs(off).max() < 0.1


def test_the_order_of_draws_never_changes():
    scores = named_scores(DRAWS, "luck", "winter_wheat", "2024", "2024.1")
    np.testing.assert_allclose(scores[:3], [-0.018972201696905746, -0.646328852408865, 0.04836446213791336], rtol=1e-12)


def test_the_quantiles_come_back_up_to_the_level_that_counts(simulation):
    draws = np.array([harvests(QUANTILES, simulation, version=f"v{i}") for i in range(50)])
    found = np.quantile(draws, QUANTILE_LEVELS[:4], axis=1).mean(axis=1)
    np.testing.assert_allclose(found, QUANTILES[:4], atol=0.03)
    assert draws.min() >= 0.0
    assert draws.max() == pytest.approx(5.0)


def test_below_the_lowest_quantile_a_harvest_falls_straight_to_nothing(simulation):
    region_alone = replace(simulation, regional_share=1.0)
    draws = harvests(QUANTILES, region_alone)
    scores = regional_scores(DRAWS)
    lowest, zero = -1.6448536269514722, -3.2905267314919255
    tail = scores < lowest
    np.testing.assert_allclose(draws[tail], np.maximum((scores[tail] - zero) / (lowest - zero), 0.0), atol=1e-9)
    assert draws[0] == 0.0
    assert (np.diff(draws) >= 0).all()


def test_a_harvest_moves_with_its_region_as_far_as_the_policy_says(simulation):
    normal_yields = 3.29 + np.array([-1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645])
    whole = replace(simulation, yield_counted_to=0.95)
    found = [
        np.corrcoef(harvests(normal_yields, whole, crop="maize"), harvests(normal_yields, whole, crop=f"crop {i}"))[
            0, 1
        ]
        for i in range(30)
    ]
    assert np.mean(found) == pytest.approx(simulation.regional_share, abs=0.02)
