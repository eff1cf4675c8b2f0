from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.estimate import QUANTILE_LEVELS
from agrocredit.yields.calibration import GROUPS, Calibration, fit_calibration, group_of, in_order, uncorrected
from agrocredit.yields.inputs import season_inputs

from .conftest import bell_season

NORMAL = stats.norm.ppf(QUANTILE_LEVELS)


def overconfident(n, seed, *, spread):
    """Truth scattered around 3 by 1, and a network that states `spread` of that; middles differ by row."""
    rng = np.random.default_rng(seed)
    middle = rng.uniform(2, 4, n)
    return middle[:, None] + spread * NORMAL, middle + rng.standard_normal(n)


@pytest.mark.parametrize("spread", [0.4, 1.0, 2.5])
def test_after_correction_the_truth_lies_below_each_quantile_as_often_as_its_level_says(spread):
    quantiles, truth = overconfident(20_000, 1, spread=spread)
    groups = np.zeros(truth.size, dtype=np.int64)
    calibration = fit_calibration(quantiles, truth, groups=groups, harvest_years=np.full(truth.size, 2014))
    fresh, new_truth = overconfident(20_000, 2, spread=spread)
    corrected = calibration.apply(fresh, groups)
    shares = (new_truth[:, None] <= corrected).mean(axis=0)
    assert shares == pytest.approx(QUANTILE_LEVELS, abs=0.012)


def test_groups_are_corrected_each_for_itself_and_small_ones_with_the_pool():
    quantiles, truth = overconfident(4000, 1, spread=1.0)
    truth[:2000] += 5.0
    groups = np.repeat([0, 1], 2000)
    groups[-50:] = 2
    calibration = fit_calibration(quantiles, truth, groups=groups, harvest_years=np.full(4000, 2015))
    assert calibration.shifts[GROUPS[0]][3] > 1.5
    assert abs(calibration.shifts[GROUPS[1]][3]) < 0.1
    assert GROUPS[2] not in calibration.shifts
    small = calibration.apply(quantiles[-1:], np.array([2]))
    pooled = calibration.apply(quantiles[-1:], np.array([5]))
    assert np.array_equal(small, pooled)


def test_ranks_are_rounded_away_from_the_median():
    quantiles = np.tile(NORMAL, (9, 1))
    truth = np.arange(9.0)
    width = NORMAL[5] - NORMAL[1]
    shifts = fit_calibration(quantiles, truth, groups=np.zeros(9, np.int64), harvest_years=np.full(9, 2014)).shifts[
        "pooled"
    ]
    # n + 1 = 10: the 10 % quantile takes the first value, the 90 % the ninth, the median the fifth.
    assert np.array(shifts)[[1, 3, 5]] * width + NORMAL[[1, 3, 5]] == pytest.approx([0.0, 4.0, 8.0])


@given(arrays(np.float64, (5, 7), elements=st.floats(-10, 10)), st.lists(st.floats(-3, 3), min_size=7, max_size=7))
@settings(max_examples=80, deadline=None)
def test_whatever_the_shifts_corrected_quantiles_rise_and_stay_above_zero(quantiles, shifts):
    calibration = Calibration(shifts={"pooled": tuple(shifts)}, rows={"pooled": 1}, years=(2014,))
    corrected = calibration.apply(np.sort(np.abs(quantiles), axis=1), np.zeros(5, dtype=np.int64))
    assert (corrected >= 0).all()
    assert (np.diff(corrected, axis=1) >= 0).all()


def test_putting_in_order_keeps_the_median_and_widens_nothing():
    mixed = np.array([[3.0, 1.0, 2.5, 2.0, 1.5, 4.0, 3.5]])
    assert in_order(mixed).tolist() == [[1.0, 1.0, 2.0, 2.0, 2.0, 4.0, 4.0]]


def test_no_correction_changes_nothing():
    quantiles = np.sort(np.random.default_rng(1).uniform(0, 5, (4, 7)), axis=1)
    assert np.array_equal(uncorrected().apply(quantiles, np.zeros(4, np.int64)), quantiles)


def test_groups_tell_axis_level_and_stage_apart():
    from datetime import date

    names = set()
    for axis in ("calendar", "thermal"):
        for level in (np.nan, 4.0):
            for as_of in (date(2021, 12, 1), date(2022, 5, 1), date(2022, 8, 1)):
                season = bell_season([0.8], axis=axis, as_of=as_of)
                inputs = season_inputs(season, pixel_counts=9.0, levels_t_ha=level, reference_t_ha=4.0)
                names.add(GROUPS[group_of(inputs)[0]])
    assert names == set(GROUPS)


@pytest.mark.parametrize(
    "shifts", [{}, {"pooled": (0.0,) * 6}, {"pooled": (np.nan,) * 7}, {"pooled": (0.0,) * 7, "autumn": (0.0,) * 7}]
)
def test_a_calibration_of_another_make_is_refused(shifts):
    with pytest.raises(InputUnusableError, match="model_invalid"):
        Calibration(shifts=shifts, rows={}, years=())


def test_no_calibration_season_is_an_error():
    with pytest.raises(InputUnusableError, match="training_data_invalid"):
        fit_calibration(
            np.empty((0, 7)), np.empty(0), groups=np.empty(0, np.int64), harvest_years=np.empty(0, np.int64)
        )
