"""Cash at harvest, against a slow answer written out in full."""

import numpy as np
import pytest

from agrocredit.credit.cashflow import cash_quantiles, quantile_index
from agrocredit.credit.draws import named_scores, regional_scores
from agrocredit.credit.lines import Lines
from agrocredit.domain.estimate import QUANTILE_LEVELS


@pytest.fixture
def terms(desk):
    return desk.policy.on(desk.plot()["as_of"])


def lines_of(names, quantiles, cases, ranks):
    return Lines(
        case=np.array(cases),
        rank=np.array(ranks),
        names=names,
        due=np.array([700_000 + 30 * rank for rank in ranks]),
        quantiles_t=np.array(quantiles, dtype=float),
    )


def slow_quantiles(lines, terms):
    """One draw at a time, the way the formula is written."""
    from statistics import NormalDist

    normal, simulation, n = NormalDist(), terms.simulation, terms.simulation.draws
    levels = [simulation.yield_zero_level, *QUANTILE_LEVELS[:4]]
    knots = [normal.inv_cdf(level) for level in levels]
    result, total = [], None
    region = regional_scores(n)
    for line, (crop, season) in enumerate(lines.names):
        own = named_scores(n, "luck", crop, season, terms.version)
        market = named_scores(n, "price", crop, season, terms.version)
        rule = terms.crops[crop]
        cash = []
        for k in range(n):
            x = simulation.regional_share**0.5 * region[k] + (1 - simulation.regional_share) ** 0.5 * own[k]
            weight = float(np.interp(x, knots, [0.0, *lines.quantiles_t[line, :4]]))
            c = rule.price_correlation
            price = rule.price * np.exp(rule.price_volatility * (c * region[k] + (1 - c * c) ** 0.5 * market[k]))
            sold = (1 - rule.loss_after_harvest) * (1 - rule.own_consumption)
            cash.append(weight * max(price * sold - rule.cost_after_harvest, 0.0))
        total = np.array(cash) if lines.rank[line] == 0 else total + np.array(cash)
        result.append(sorted(total)[quantile_index(n, alpha=terms.repayment.alpha)])
    return result


def test_blocks_of_lines_give_what_the_formula_gives(terms):
    lines = lines_of(
        [("winter_wheat", "2024"), ("maize", "2024"), ("maize", "2024")],
        [[1, 2, 3, 4, 5, 6, 7], [0.1, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8], [0, 0, 1, 2, 3, 4, 5]],
        [0, 0, 1],
        [0, 1, 0],
    )
    np.testing.assert_allclose(cash_quantiles(lines, terms=terms), slow_quantiles(lines, terms), rtol=1e-12)


def test_a_case_is_never_cut_between_blocks(terms):
    names, quantiles, cases, ranks = [], [], [], []
    for farmer in range(90):
        for rank, crop in enumerate(("maize", "winter_wheat")):
            names.append((crop, "2024"))
            quantiles.append(np.linspace(0.5, 3.0, 7) * (1 + farmer))
            cases.append(farmer)
            ranks.append(rank)
    together = cash_quantiles(lines_of(names, quantiles, cases, ranks), terms=terms)
    for farmer in (0, 31, 32, 33, 89):
        pair = slice(2 * farmer, 2 * farmer + 2)
        alone = cash_quantiles(lines_of(names[pair], quantiles[pair], [0, 0], [0, 1]), terms=terms)
        np.testing.assert_array_equal(together[pair], alone)


def test_the_quantile_is_the_smallest_draw_with_alpha_of_all_at_or_below():
    for draws, alpha in ((10, 0.1), (10, 0.11), (2_048, 0.2), (2_048, 0.15)):
        place = quantile_index(draws, alpha=alpha)
        assert (place + 1) / draws >= alpha > place / draws


def test_a_poor_region_is_softened_by_a_higher_price(desk):
    hedged = desk.decide([desk.plot()], policy=desk.with_values(crop__winter_wheat__price_correlation=-0.6))
    exposed = desk.decide([desk.plot()], policy=desk.with_values(crop__winter_wheat__price_correlation=0.6))
    assert hedged.caps["repayment_capacity"] > exposed.caps["repayment_capacity"]
