"""A portfolio loses together what its loans lose alone, shares its season, and never depends on the order of rows."""

import re
from statistics import fmean

import numpy as np
import pytest

from agrocredit.credit import parse_policy, portfolio, price
from agrocredit.credit.concentration import concentration
from agrocredit.domain.errors import InputUnusableError


def farms(desk, count=60, *, spread=1.1):
    rng = np.random.default_rng(11)
    return [
        desk.plot(
            f"p{i:02}",
            farmer_id=f"f{i:02}",
            area_m2=float(rng.uniform(2_500, 6_000)),
            median=float(rng.uniform(2.2, 3.6)),
            spread=spread,
            crop="winter_wheat" if i % 3 else "maize",
            grade="A",
        )
        for i in range(count)
    ]


def of(desk, plots, *, function=portfolio, policy=None, **more):
    return function(desk.case_tables(plots, policy=policy), **more)


def test_shares_of_a_half_three_and_two_tenths_count_as_two_point_six_three():
    found = concentration({"a": 50, "b": 30, "c": 20})
    assert (round(found.hhi, 2), round(found.effective_count, 2)) == (0.38, 2.63)
    assert concentration({"a": 7, "b": 7, "c": 7, "d": 0}).effective_count == pytest.approx(3.0)
    assert concentration({}).effective_count == 0.0


def test_the_expected_loss_is_the_sum_of_the_loans_own(desk):
    plots = farms(desk)
    alone = of(desk, plots, function=price).prices.to_pylist()
    together = of(desk, plots)
    assert together.loans == len(alone) > 40
    assert together.limit_minor == sum(row["limit_minor"] for row in alone)
    assert fmean(row["pd"] for row in alone) > 0.01
    assert together.expected_loss_minor == pytest.approx(sum(row["expected_loss_minor"] for row in alone), rel=0.15)


def test_bad_seasons_lose_more_than_the_mean_and_their_mean_more_than_their_edge(desk):
    found = of(desk, farms(desk))
    assert 0 < found.expected_loss_minor < found.value_at_risk_minor <= found.expected_shortfall_minor
    assert found.expected_shortfall_minor <= found.limit_minor


def test_a_shared_season_makes_bad_seasons_worse_while_luck_alone_spreads_out(desk):
    plots = farms(desk, 120)
    alone = of(desk, plots, policy=desk.with_values(simulation__regional_share=0))
    shared = of(desk, plots, policy=desk.with_values(simulation__regional_share=0.8))
    assert shared.value_at_risk_minor / shared.expected_loss_minor > 2 * (
        alone.value_at_risk_minor / alone.expected_loss_minor
    )


def test_drought_lower_prices_and_flood_each_cost_more_than_the_season_as_drawn(desk):
    plots = farms(desk)
    found = of(desk, plots, flooded_plots=[plot["plot_id"] for plot in plots[:20]])
    assert set(found.stressed_loss_minor) == {"drought", "price_fall", "flood"}
    assert min(found.stressed_loss_minor.values()) > found.expected_loss_minor


def test_a_flood_over_every_plot_loses_the_whole_exposure(desk):
    plots = farms(desk, 12)
    found = of(desk, plots, flooded_plots=[plot["plot_id"] for plot in plots])
    assert found.stressed_loss_minor["flood"] == pytest.approx(0.45 * found.limit_minor, abs=len(plots))


def test_a_flood_elsewhere_is_refused(desk):
    with pytest.raises(InputUnusableError, match=r"plot_unknown.*nowhere"):
        of(desk, farms(desk, 3), flooded_plots=["nowhere"])


def test_order_of_rows_and_size_of_chunks_change_nothing(desk):
    plots = farms(desk, 30)
    found = of(desk, plots)
    shuffled = [plots[i] for i in np.random.default_rng(2).permutation(len(plots))]
    assert of(desk, shuffled, cases_at_once=7) == found


def test_principal_is_counted_by_farmer_crop_and_region(desk):
    plots = farms(desk, 30)
    regions = {plot["farmer_id"]: "north" if i % 2 else "south" for i, plot in enumerate(plots)}
    found = of(desk, plots, region_by_farmer=regions)
    assert 20 < found.by_farmer.effective_count <= found.loans
    assert 1.5 < found.by_crop.effective_count < 2
    assert found.by_region.effective_count == pytest.approx(2, rel=0.02)
    assert of(desk, plots).by_region is None
    with pytest.raises(InputUnusableError, match="region_missing"):
        of(desk, plots, region_by_farmer={})


def test_nobody_loses_nothing(desk):
    found = of(desk, [])
    assert (found.loans, found.limit_minor, found.value_at_risk_minor) == (0, 0, 0)


def test_a_pack_without_stresses_is_asked_nothing(desk):
    plain = parse_policy(re.sub(r"\[stress\..*\]\n(.*\n)*?values = .*\n", "", desk.text), source="plain.toml")
    with pytest.raises(InputUnusableError, match=r"policy_prices_no_risk.*\[stress\]"):
        of(desk, farms(desk, 2), policy=plain)


def by_region(plots, regions):
    return {plot["farmer_id"]: f"region {i % regions}" for i, plot in enumerate(plots)}


def test_one_season_for_all_regions_is_one_region(desk):
    plots = farms(desk)
    policy = desk.with_values(stress__season_shared=1)
    together = of(desk, plots, policy=policy)
    apart = of(desk, plots, policy=policy, region_by_farmer=by_region(plots, 4))
    assert apart.value_at_risk_minor == together.value_at_risk_minor
    assert apart.stressed_loss_minor == together.stressed_loss_minor


def test_the_less_regions_share_the_less_a_bad_year_costs_and_the_mean_stays(desk):
    plots = farms(desk, 90)
    found = [
        of(
            desk,
            plots,
            policy=desk.with_values(stress__season_shared=share),
            region_by_farmer=by_region(plots, 6),
        )
        for share in (1, 0.5, 0)
    ]
    worst = [portfolio.expected_shortfall_minor for portfolio in found]
    assert worst[0] > worst[1] > worst[2]
    means = [portfolio.expected_loss_minor for portfolio in found]
    assert means == pytest.approx([means[0]] * 3, rel=0.2)


def test_a_drought_reaches_every_region(desk):
    plots = farms(desk)
    one = of(desk, plots)
    six = of(desk, plots, region_by_farmer=by_region(plots, 6))
    assert six.stressed_loss_minor["drought"] == one.stressed_loss_minor["drought"]


def test_regions_in_any_order_lose_the_same(desk):
    plots = farms(desk)
    regions = by_region(plots, 5)
    again = of(desk, plots[::-1], region_by_farmer=dict(reversed(regions.items())), cases_at_once=7)
    assert again == of(desk, plots, region_by_farmer=regions)
