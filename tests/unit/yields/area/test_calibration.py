from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.estimate import QUANTILE_LEVELS
from agrocredit.yields.area.calibration import AreaCalibration, fit_shifts, fit_trust, fit_widths, trusting

NARROW = np.array([-0.2, -0.15, -0.05, 0.0, 0.05, 0.15, 0.2])


def years_with_weather(years, rows, seed=0, shock=0.5):
    """Truth around 3 t/ha: each year its own shock, each row its own noise."""
    rng = np.random.default_rng(seed)
    shocks = shock * rng.standard_normal(years)
    truth = 3.0 + np.repeat(shocks, rows) + 0.3 * rng.standard_normal(years * rows)
    return truth, np.repeat(np.arange(2000, 2000 + years), rows)


def first_stage(n):
    return {"stage": np.zeros(n, dtype=np.int64), "regions": np.full(n, "A", dtype=object)}


def corrected(shifts, n):
    one = AreaCalibration(
        trust=(1.0,), shifts=(shifts,), widths={}, strangeness_max=(9.0,), climate_distance_max=1.0, years=()
    )
    return one.apply(3.0 + np.tile(NARROW, (n, 1)), np.full(n, 3.0), **first_stage(n))


def test_intervals_hold_what_they_say_in_new_years_on_average_over_many_tries():
    held = []
    for seed in range(40):
        truth, years = years_with_weather(16, 60, seed=seed)
        known = years < 2012
        shifts = fit_shifts(3.0 + np.tile(NARROW, (int(known.sum()), 1)), truth[known], years[known])
        quantiles = corrected(shifts, int((~known).sum()))
        held.append(np.mean((truth[~known] >= quantiles[:, 0]) & (truth[~known] <= quantiles[:, 6])))
    assert 0.86 < np.mean(held) < 0.95


def test_fewer_years_give_wider_intervals_because_less_is_known_of_a_new_one():
    few, many = [], []
    for seed in range(20):
        for years, widths in ((5, few), (40, many)):
            truth, of_year = years_with_weather(years, 40, seed=seed)
            shifts = fit_shifts(3.0 + np.tile(NARROW, (truth.size, 1)), truth, of_year)
            widths.append(corrected(shifts, 1)[0, 6] - corrected(shifts, 1)[0, 0])
    assert np.mean(few) > np.mean(many)


def test_a_year_with_many_rows_counts_no_more_than_one_with_few():
    truth = np.concatenate([np.full(1000, 3.0), np.full(10, 4.0), np.full(10, 2.0)])
    years = np.concatenate([np.full(1000, 2000), np.full(10, 2001), np.full(10, 2002)])
    shifts = fit_shifts(3.0 + np.tile(NARROW, (truth.size, 1)), truth, years)
    assert corrected(shifts, 1)[0, 0] <= 2.0
    assert corrected(shifts, 1)[0, 6] >= 4.0


def test_the_median_is_not_shifted():
    truth, years = years_with_weather(6, 20)
    assert fit_shifts(3.0 + np.tile(NARROW, (truth.size, 1)), truth + 1.0, years)[3] == 0.0


def test_trust_is_the_share_of_the_anomaly_that_served_best_between_0_and_1():
    rng = np.random.default_rng(0)
    network, years = rng.standard_normal(500), np.repeat(np.arange(5), 100)
    assert fit_trust(network, 0.4 * network, years) == pytest.approx(0.4)
    assert fit_trust(network, -network, years) == 0.0
    assert fit_trust(network, 3 * network, years) == 1.0
    assert fit_trust(np.zeros(500), network, years) == 0.0


def test_no_trust_leaves_the_level_and_the_width_as_they_were():
    quantiles = np.array([[2.0, 2.2, 2.6, 3.0, 3.4, 3.8, 4.0]])
    moved = trusting(quantiles, np.array([2.5]), 0.0)
    assert moved[0, 3] == 2.5
    np.testing.assert_allclose(np.diff(moved), np.diff(quantiles))


@given(
    st.lists(st.floats(-0.6, 0.6), min_size=7, max_size=7),
    st.lists(st.floats(0, 8), min_size=7, max_size=7),
    st.floats(0, 8),
    st.floats(0, 1),
)
@settings(deadline=None)
def test_corrected_quantiles_rise_and_stay_at_or_above_0(shifts, raw, level, trust):
    one = AreaCalibration(
        trust=(trust,), shifts=(tuple(shifts),), widths={}, strangeness_max=(1.0,), climate_distance_max=1.0, years=()
    )
    quantiles = one.apply(np.sort(raw)[None, :], np.array([level]), **first_stage(1))
    assert (np.diff(quantiles) >= 0).all()
    assert quantiles.min() >= 0


def errors_by_region(years, rows=40):
    """Rows around 3 t/ha: region B errs twice as far as A, and C is known of two years alone."""
    rng = np.random.default_rng(0)
    regions = np.tile(np.repeat(np.array(["A", "B", "C"], dtype=object), rows), years)
    of_year = np.repeat(np.arange(2000, 2000 + years), 3 * rows)
    spread = np.where(regions == "B", 0.4, 0.2)
    kept = (regions != "C") | (of_year < 2002)
    truth = 3.0 + spread * rng.standard_normal(regions.size)
    return {"truth": truth[kept], "years": of_year[kept], "regions": regions[kept]}


def widths_of(rows, half_years):
    return fit_widths(
        3.0 + np.tile(NARROW, (rows["truth"].size, 1)),
        rows["truth"],
        years=rows["years"],
        regions=rows["regions"],
        half_years=half_years,
    )


def test_a_region_that_errs_twice_as_far_is_twice_as_wide_and_one_with_two_years_stays_pooled():
    found = widths_of(errors_by_region(12), half_years=0.0)
    assert set(found) == {"A", "B"}
    assert found["B"] / found["A"] == pytest.approx(2.0, rel=0.1)


def test_a_regions_own_errors_count_the_less_the_fewer_its_years():
    few, many = (widths_of(errors_by_region(years), half_years=12.0)["B"] for years in (3, 48))
    own = widths_of(errors_by_region(48), half_years=0.0)["B"]
    assert 1.0 < few < many < own
    assert np.log(many) == pytest.approx(48 / 60 * np.log(own))


def test_two_held_out_years_are_too_few_to_calibrate():
    truth, years = years_with_weather(2, 20)
    with pytest.raises(InputUnusableError, match="2 calibration years"):
        fit_shifts(3.0 + np.tile(NARROW, (truth.size, 1)), truth, years)


def test_a_trust_beyond_1_is_refused():
    with pytest.raises(InputUnusableError, match="model_invalid"):
        AreaCalibration(
            trust=(1.2,),
            shifts=((0.0,) * len(QUANTILE_LEVELS),),
            widths={},
            strangeness_max=(1.0,),
            climate_distance_max=1.0,
            years=(),
        )
