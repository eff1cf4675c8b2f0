from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.estimate import QUANTILE_LEVELS
from agrocredit.yields.credibility import (
    AreaOutlook,
    CredibilityConfig,
    area_outlook,
    area_outlooks,
    blend,
    model_variance,
    outlook_for,
    weight,
)

CONFIG = CredibilityConfig(w_max=0.5, within_region_cv=0.2, within_region_cv_source="for tests")
OUTLOOK = AreaOutlook(expected_t_ha=5.0, s2_year=0.25, s2_plot=1.0, years=20)
NORMAL = stats.norm.ppf(QUANTILE_LEVELS)


def test_the_published_example_gives_a_fifth():
    assert float(weight(0.09, 0.36, w_max=0.5)) == pytest.approx(0.2)


def test_weight_is_capped_and_nothing_known_means_no_weight():
    assert float(weight(1.0, 0.0, w_max=0.5)) == 0.5
    assert float(weight(0.0, 1.0, w_max=0.5)) == 0.0
    assert float(weight(0.0, 0.0, w_max=0.5)) == 0.0
    assert float(weight(1.0, np.inf, w_max=0.5)) == 0.0
    assert float(weight(1.0, np.nan, w_max=0.5)) == 0.0


def test_the_variance_of_a_normal_interval_is_found_again():
    assert model_variance((4.0 + 0.7 * NORMAL)[None, :]) == pytest.approx([0.49])


def test_where_the_pixels_say_nothing_the_plot_falls_back_to_its_region():
    config = CredibilityConfig(w_max=0.0, within_region_cv=0.2, within_region_cv_source="for tests")
    model = (3.0 + NORMAL * 0.1)[None, :]
    assert blend(model, [OUTLOOK], config=config)[0] == pytest.approx(OUTLOOK.quantiles_t_ha, abs=0)


def test_without_a_history_the_model_stands_alone_and_its_neighbour_is_still_blended():
    model = np.stack([3.0 + NORMAL, 3.0 + NORMAL])
    joined = blend(model, [None, OUTLOOK], config=CONFIG)
    assert np.array_equal(joined[0], model[0])
    assert not np.array_equal(joined[1], model[1])
    assert np.array_equal(blend(model, [None, None], config=CONFIG), model)


@given(
    st.floats(0.3, 12.0),
    st.floats(0.01, 4.0),
    st.floats(0.5, 10.0),
    st.floats(0.0, 4.0),
    st.floats(0.01, 4.0),
    st.integers(5, 60),
)
@settings(max_examples=150, deadline=None)
def test_blended_quantiles_rise_stay_above_zero_and_are_never_narrower_than_independent_errors_allow(
    middle, spread, expected, s2_year, s2_plot, years
):
    outlook = AreaOutlook(expected_t_ha=expected, s2_year=s2_year, s2_plot=s2_plot, years=years)
    model = np.maximum(middle + spread * NORMAL, 0.0)[None, :]
    joined = blend(model, [outlook], config=CONFIG)[0]
    assert (joined >= 0).all()
    assert (np.diff(joined) >= 0).all()
    area = np.array(outlook.quantiles_t_ha)
    assert (joined >= np.minimum(model[0], area) - 1e-12).all()
    assert (joined <= np.maximum(model[0], area) + 1e-12).all()
    if model[0, 0] > 0 and area[0] > 0:
        w = float(weight(outlook.s2_area, model_variance(model)[0], w_max=CONFIG.w_max))
        independent = np.sqrt((w * spread) ** 2 + (1 - w) ** 2 * outlook.s2_area)
        assert joined[5] - joined[1] >= (NORMAL[5] - NORMAL[1]) * independent * (1 - 1e-9)


def test_a_trend_is_followed_and_one_failed_harvest_does_not_tilt_it():
    years = np.arange(2000, 2020)
    yields = 4.0 + 0.05 * (years - 2000)
    yields[-2] = 0.8
    outlook = area_outlook(years, yields, harvest_year=2020, config=CONFIG)
    assert outlook.expected_t_ha == pytest.approx(5.0, abs=0.02)
    assert outlook.s2_year > 0.4
    assert outlook.s2_plot == pytest.approx((0.2 * outlook.expected_t_ha) ** 2)


def test_the_spread_between_years_grows_with_the_reach_of_the_trend():
    rng = np.random.default_rng(1)
    years = np.arange(1990, 2010)
    yields = 4 + 0.3 * rng.standard_normal(20)
    near, far = (area_outlook(years, yields, harvest_year=year, config=CONFIG).s2_year for year in (2010, 2030))
    assert far > 1.5 * near > 0


def test_years_from_the_harvest_on_zero_yields_and_missing_ones_are_not_used():
    years = np.arange(2010, 2020)
    yields = np.array([3.0, 0.0, 3.0, np.nan, 3.0, 3.0, 3.0, 99.0, 99.0, 99.0])
    outlook = area_outlook(years, yields, harvest_year=2017, config=CONFIG)
    assert outlook.years == 5
    assert outlook.expected_t_ha == pytest.approx(3.0)


def test_fewer_than_five_years_count_as_no_history():
    assert area_outlook([2001, 2002, 2003, 2004], [3, 3, 3, 3], harvest_year=2005, config=CONFIG) is None
    assert area_outlook([], [], harvest_year=2005, config=CONFIG) is None


def test_a_history_without_any_scatter_still_leaves_plots_their_spread():
    outlook = area_outlook(range(2000, 2010), [4.0] * 10, harvest_year=2010, config=CONFIG)
    assert outlook.quantiles_t_ha[3] == pytest.approx(4.0)
    assert outlook.quantiles_t_ha[5] - outlook.quantiles_t_ha[1] == pytest.approx(
        0.8 * (NORMAL[5] - NORMAL[1]), rel=1e-3
    )


def test_a_steep_trend_does_not_run_below_half_the_worst_year():
    outlook = area_outlook(range(2000, 2006), [6, 5, 4, 3, 2, 1], harvest_year=2012, config=CONFIG)
    assert outlook.expected_t_ha == pytest.approx(0.5)


def test_short_histories_have_heavier_tails():
    few, many = (
        AreaOutlook(expected_t_ha=50.0, s2_year=1.0, s2_plot=0.01, years=years).quantiles_t_ha for years in (5, 60)
    )
    assert few[0] < many[0]
    assert few[6] > many[6]


def test_outlooks_are_made_by_region_and_crop():
    years = list(range(2000, 2010))
    history = pd.DataFrame(
        {
            "region": ["a"] * 10 + ["b"] * 10 + ["c"] * 3 + [None] * 10,
            "crop": "winter_wheat",
            "harvest_year": years + years + years[:3] + years,
            "yield_t_ha": [3.0] * 10 + [6.0] * 10 + [9.0] * 3 + [5.0] * 10,
        }
    )
    outlooks = area_outlooks(history, crop="winter_wheat", harvest_year=2010, config=CONFIG)
    assert set(outlooks) == {"a", "b", None}
    assert outlooks["b"].expected_t_ha == pytest.approx(6.0)
    assert area_outlooks(history, crop="maize", harvest_year=2010, config=CONFIG) == {}
    assert outlook_for("b", outlooks) is outlooks["b"]
    assert outlook_for("c", outlooks) is outlooks[None]
    assert outlook_for(None, outlooks) is outlooks[None]


def test_a_single_region_speaks_for_plots_that_name_none_but_not_for_those_of_another():
    assert outlook_for(None, {"a": OUTLOOK}) is OUTLOOK
    assert outlook_for("b", {"a": OUTLOOK}) is None
    assert outlook_for(None, {"a": OUTLOOK, "b": OUTLOOK}) is None


def test_two_yields_of_one_region_and_year_are_refused():
    history = pd.DataFrame(
        {"region": ["a", "a"], "crop": "maize", "harvest_year": [2001, 2001], "yield_t_ha": [1.0, 2.0]}
    )
    with pytest.raises(InputUnusableError, match="history_invalid: two yields of maize in region a and year 2001"):
        area_outlooks(history, crop="maize", harvest_year=2010, config=CONFIG)


@pytest.mark.parametrize("wrong", [{"w_max": 1.5}, {"within_region_cv": 0.0}, {"within_region_cv_source": ""}])
def test_settings_out_of_range_are_refused(wrong):
    settings = {"w_max": 0.5, "within_region_cv": 0.2, "within_region_cv_source": "x"} | wrong
    with pytest.raises(InputUnusableError, match="config_invalid"):
        CredibilityConfig(**settings)


def test_a_slope_whose_sign_is_not_sure_is_not_drawn_on():
    years = np.arange(2004, 2024)
    yields = 5.0 + 0.01 * (years - 2004) + 0.8 * np.random.default_rng(4).standard_normal(20)
    low, high = stats.theilslopes(yields, years, alpha=0.95)[2:]
    assert low < 0 < high
    outlook = area_outlook(years, yields, harvest_year=2024, config=CONFIG)
    assert outlook.expected_t_ha == pytest.approx(np.median(yields))
