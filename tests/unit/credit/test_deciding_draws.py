"""Draws left out of a quantile never change it, not by a bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agrocredit.credit import deciding_draws
from agrocredit.credit.cashflow import cash_quantiles
from agrocredit.credit.deciding_draws import line_cash, order_statistics
from agrocredit.credit.lines import Lines

LEVELS, FARMS = 4, 200


def made_cash(rng, draws, *, distinct):
    """What a tonne of each step leaves: falling from step to step, with few distinct values many draws are equal."""
    prices = rng.integers(0, distinct, draws) / 7.0
    parts = -np.sort(-rng.integers(0, distinct, (LEVELS, draws)) / distinct, axis=0)
    return parts * prices


def made_farms(rng, kind):
    """Rising quantiles of farms that are alike, of any shape, or with harvests of nothing and next to nothing."""
    if kind == "alike":
        return np.sort(5.0 + rng.normal(0, 0.2, (FARMS, LEVELS)), axis=1) * rng.lognormal(0, 3, (FARMS, 1))
    farms = np.sort(rng.lognormal(0, 2, (FARMS, LEVELS)), axis=1)
    if kind == "vanishing":
        farms *= rng.choice([0.0, 5e-324, 1e-310, 1e-190, 1.0], (FARMS, 1))
        farms[:, 0] *= rng.integers(0, 2, FARMS)
    return farms


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    crops=st.integers(1, 3),
    draws=st.integers(1, 600),
    distinct=st.sampled_from([2, 9, 10_000]),
    kind=st.sampled_from(["alike", "any", "vanishing"]),
    where=st.floats(0, 1, exclude_max=True),
)
def test_the_order_statistic_of_every_farm_is_that_of_all_its_draws(seed, crops, draws, distinct, kind, where):
    rng = np.random.default_rng(seed)
    quantiles = [made_farms(rng, kind) for _ in range(crops)]
    a_tonne = [made_cash(rng, draws, distinct=distinct) for _ in range(crops)]
    place = int(where * draws)
    cash = line_cash(quantiles[0], a_tonne[0])
    for crop in range(1, crops):
        cash = cash + line_cash(quantiles[crop], a_tonne[crop])
    expected = np.sort(cash, axis=1)[:, place]
    np.testing.assert_array_equal(order_statistics(quantiles, a_tonne, place=place), expected)
    few = [array[:3] for array in quantiles]
    np.testing.assert_array_equal(order_statistics(few, a_tonne, place=place), expected[:3])


def test_of_farms_that_are_alike_few_draws_are_left(monkeypatch):
    rng = np.random.default_rng(1)
    left = []
    original = deciding_draws.line_cash

    def counted(quantiles_t, a_tonne):
        left.append(a_tonne.shape[1])
        return original(quantiles_t, a_tonne)

    monkeypatch.setattr(deciding_draws, "line_cash", counted)
    farms = np.array([[3.0, 4.0, 5.0, 6.0]]) * rng.lognormal(0, 1, (FARMS, 1))
    order_statistics([farms], [made_cash(rng, 2_048, distinct=10_000)], place=300)
    assert max(left) == 2_048  # of the bounds
    assert min(left) < 10


@pytest.mark.parametrize("farms", [7, 150])
def test_one_farm_alone_and_many_together_get_the_same_bits(desk, farms):
    terms = desk.policy.on(desk.plot()["as_of"])
    quantiles = np.sort(np.random.default_rng(5).lognormal(0, 1, (2 * farms, 7)), axis=1)

    def lines(first, last):
        count = last - first
        return Lines(
            case=np.repeat(np.arange(count), 2),
            rank=np.tile([0, 1], count),
            names=[("winter_wheat", "2024"), ("maize", "2024")] * count,
            due=np.tile([1, 2], count),
            quantiles_t=quantiles[2 * first : 2 * last],
        )

    together = cash_quantiles(lines(0, farms), terms=terms).reshape(-1, 2)
    for farm in range(0, farms, 3):
        np.testing.assert_array_equal(cash_quantiles(lines(farm, farm + 1), terms=terms), together[farm])
