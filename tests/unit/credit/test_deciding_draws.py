"""Draws left out of a quantile never change it, not by a bit."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agrocredit.credit.cashflow import _LINES_TO_SELECT_FOR, cash_quantiles
from agrocredit.credit.deciding_draws import deciding_draws
from agrocredit.credit.lines import Lines


def summed(weights, steps):
    total = np.zeros(steps.shape[1])
    for weight, row in zip(weights, steps, strict=True):
        total += weight * row
    return total


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 4),
    draws=st.integers(1, 600),
    levels=st.integers(1, 40),
    where=st.floats(0, 1, exclude_max=True),
)
def test_the_draws_left_hold_the_quantile_of_every_farm(seed, rows, draws, levels, where):
    rng = np.random.default_rng(seed)
    steps = rng.integers(0, levels, (rows, draws)) / 7.0  # few levels: many draws are equal
    place = int(where * draws)
    chosen, place_left = deciding_draws(steps, place=place)
    for weights in rng.lognormal(0, 3, (5, rows)) * rng.integers(0, 2, (5, rows)):
        assert np.sort(summed(weights, steps[:, chosen]))[place_left] == np.sort(summed(weights, steps))[place]


def test_of_one_rising_step_a_single_draw_is_left():
    chosen, place = deciding_draws(np.arange(1_000.0)[None, :], place=307)
    assert (chosen.tolist(), place) == ([307], 0)


def test_few_farms_and_many_get_the_same_bits(desk):
    terms = desk.policy.on(desk.plot()["as_of"])
    rng = np.random.default_rng(5)
    farms = _LINES_TO_SELECT_FOR
    quantiles = np.sort(rng.lognormal(0, 1, (2 * farms, 7)), axis=1)

    def lines(first, last):
        count = last - first
        return Lines(
            case=np.repeat(np.arange(count), 2),
            rank=np.tile([0, 1], count),
            names=[("winter_wheat", "2024"), ("maize", "2024")] * count,
            due=np.tile([1, 2], count),
            quantiles_t=quantiles[2 * first : 2 * last],
        )

    together = cash_quantiles(lines(0, farms), terms=terms)
    alone = [cash_quantiles(lines(farm, farm + 1), terms=terms) for farm in range(0, farms, 37)]
    assert np.array_equal(np.concatenate(alone), together.reshape(-1, 2)[::37].ravel())
