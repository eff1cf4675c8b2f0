"""A past season is lent to by `assess` itself, and what came back is plain arithmetic on the measured harvest."""

from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agrocredit.credit import CaseTables, assess, price
from agrocredit.credit.backtest import lend_again
from agrocredit.domain.errors import InputUnusableError

AS_OF = date(2023, 9, 20)


def tables(desk, farms, **more):
    """Estimates and plots of farms given as (area in m2, median, spread), each plot its own farmer."""
    plots = [
        desk.plot(f"p{i}", farmer_id=f"p{i}", area_m2=area, median=median, spread=spread, as_of=AS_OF, **more)
        for i, (area, median, spread) in enumerate(farms)
    ]
    estimates, table = desk.tables(plots)
    return estimates, table.select(["plot_id", "area_m2", "latitude_deg"])


def lent(desk, farms, yields, *, ratio=1.0, policy=None, **more):
    estimates, plots = tables(desk, farms, **more)
    return lend_again(
        estimates,
        plots,
        yields_t_ha=np.array(yields, dtype=float),
        regions=["here"] * len(farms),
        policy=policy or desk.policy,
        crops=desk.crops,
        as_of=AS_OF,
        price_over_expected=ratio,
    )


FARMS = [(4_000.0, 6.0, 0.8), (2_500.0, 3.0, 1.2), (9_000.0, 4.5, 0.6), (300.0, 5.0, 0.5)]


def test_limits_and_outcomes_are_those_of_assess(desk):
    estimates, plots = tables(desk, FARMS)
    known = {"policy": desk.policy, "crops": desk.crops, "as_of": AS_OF}
    decisions = assess(CaseTables(estimates=estimates, plots=plots, **known)).decisions.to_pylist()
    season = lent(desk, FARMS, [5.0] * 4)
    assert list(season.farmers) == [row["farmer_id"] for row in decisions]
    assert season.limit.tolist() == [row["limit_minor"] / 100 for row in decisions]
    assert list(season.outcomes) == [row["outcome"] for row in decisions]
    assert "approved" in season.outcomes
    assert len(set(season.outcomes)) > 1
    for row, growth in zip(decisions, season.growth, strict=True):
        if row["due_on"]:
            assert growth == pytest.approx(1 + 0.075 * (row["due_on"] - AS_OF).days / 365)


def test_the_predicted_default_is_the_one_that_prices_the_loan(desk):
    estimates, plots = tables(desk, FARMS)
    season = lent(desk, FARMS, [5.0] * 4)
    known = {"policy": desk.policy, "crops": desk.crops, "as_of": AS_OF}
    priced = price(CaseTables(estimates=estimates, plots=plots, **known)).prices.to_pylist()
    predicted = dict(
        zip(season.farmers, season.predicted_default((season.limit * season.growth)[None])[0], strict=True)
    )
    assert len(priced) >= 2
    for row in priced:
        assert max(predicted[row["farmer_id"]], 0.0005) == pytest.approx(row["pd"], abs=1.5 / 2_048)


def test_cash_and_loss_can_be_computed_by_hand(desk):
    """At the expected price a tonne leaves 2,340 * .96 * .9 - 150 = 1,871.76 yuan; the household needs 240."""
    season = lent(desk, [(10_000.0, 6.0, 0.8)], [2.0])
    assert season.left_a_tonne.tolist() == pytest.approx([1_871.76])
    cash = 0.92 * 2.0 * 1_871.76 - 240.0
    default, loss = season.realised(np.array([[cash - 1.0], [cash + 100.0], [cash + 5_000.0]]))
    assert default[:, 0].tolist() == [0.0, 1.0, 1.0]
    np.testing.assert_allclose(loss[:, 0], [0.0, 100.0, 5_000.0], atol=1e-6)


def test_a_field_that_bore_nothing_loses_all_that_is_due_and_no_more(desk):
    season = lent(desk, [(10_000.0, 6.0, 0.8)], [0.0])
    default, loss = season.realised(np.array([[1_000.0], [3_000.0]]))
    assert default[:, 0].tolist() == [1.0, 1.0]
    assert loss[:, 0].tolist() == [1_000.0, 3_000.0]


@pytest.fixture(scope="module")
def desk_season(desk):
    return lent(desk, FARMS[:3], [5.0] * 3, ratio=None)


@settings(max_examples=40, deadline=None)
@given(
    harvest=st.lists(st.floats(0.0, 12.0), min_size=3, max_size=3),
    due=st.floats(0.0, 20_000.0),
    fixed=st.floats(-2_000.0, 2_000.0),
)
def test_unknown_prices_give_the_mean_over_the_policys_own(desk_season, harvest, due, fixed):
    season = replace(desk_season, harvest_t=np.array(harvest), fixed=np.full(3, fixed))
    default, loss = season.realised(np.full((1, 3), due))
    cash = np.array(harvest)[:, None] * season.left_a_tonne + fixed
    np.testing.assert_allclose(loss[0], np.clip(due - cash, 0.0, due).mean(axis=1), atol=1e-6 * max(due, 1.0))
    edge = np.isclose(cash, due, rtol=1e-9).mean(axis=1)
    assert (np.abs(default[0] - (cash < due).mean(axis=1)) <= edge).all()


def test_a_higher_price_never_loses_more(desk):
    due = np.full((1, 4), 4_000.0)
    losses = [lent(desk, FARMS, [2.0, 1.0, 0.5, 3.0], ratio=ratio).realised(due)[1] for ratio in (0.6, 1.0, 1.4)]
    assert (losses[0] >= losses[1]).all()
    assert (losses[1] >= losses[2]).all()
    assert losses[0].sum() > losses[2].sum()


def test_who_qualifies_is_decided_by_the_true_harvest_and_not_by_the_estimate(desk):
    season = lent(desk, [(4_000.0, 1.0, 0.5), (4_000.0, 9.0, 0.5)], [6.0, 0.3])
    assert season.qualified().tolist() == [True, False]


def test_impossible_prices_and_mixed_seasons_are_refused(desk):
    for ratio in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(InputUnusableError) as caught:
            lent(desk, FARMS, [5.0] * 4, ratio=ratio)
        assert caught.value.code == "price_invalid"
    estimates, plots = tables(desk, FARMS)
    crops = pa.array(["winter_wheat", "maize", "maize", "maize"])
    mixed = estimates.set_column(estimates.schema.get_field_index("crop"), "crop", crops)
    with pytest.raises(InputUnusableError) as caught:
        lend_again(
            mixed, plots, yields_t_ha=np.ones(4), regions=["here"] * 4, policy=desk.policy, crops=desk.crops,
            as_of=AS_OF, price_over_expected=None,
        )  # fmt: skip
    assert caught.value.code == "season_invalid"
