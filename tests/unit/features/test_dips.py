from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agrocredit.features import Smoothing
from agrocredit.features.dips import dip_trust

SETTINGS = Smoothing()


def trust_of(guide, days, weights=None) -> np.ndarray:
    guide = np.atleast_2d(np.asarray(guide, dtype=float))
    weights = np.ones(guide.shape) if weights is None else np.atleast_2d(np.asarray(weights, dtype=float))
    return dip_trust(guide, weights, np.asarray(days, dtype=float), smoothing=SETTINGS)[0]


def test_a_look_far_under_both_its_sides_loses_all_weight() -> None:
    np.testing.assert_array_equal(trust_of([0.7, 0.75, 0.3, 0.8, 0.8], [0, 5, 10, 15, 20]), [1, 1, 0, 1, 1])


def test_two_hazy_looks_in_a_row_both_lose_weight() -> None:
    np.testing.assert_array_equal(trust_of([0.75, 0.8, 0.3, 0.4, 0.8, 0.8], [0, 5, 10, 15, 20, 25]), [1, 1, 0, 0, 1, 1])


def test_half_way_between_tolerance_and_full_depth_the_bisquare_stands() -> None:
    depth = (SETTINGS.dip_tolerance + SETTINGS.dip_depth_full) / 2
    assert trust_of([0.8, 0.8 - depth, 0.8], [0, 5, 10])[1] == pytest.approx((1 - 0.25) ** 2)


def test_a_dip_as_shallow_as_noise_keeps_its_weight() -> None:
    assert trust_of([0.8, 0.75, 0.8], [0, 5, 10])[1] == pytest.approx(1, abs=1e-12)


def test_harvest_keeps_its_day() -> None:
    np.testing.assert_array_equal(trust_of([0.8, 0.8, 0.2, 0.22, 0.2], [0, 5, 10, 15, 20]), 1)


def test_a_meadow_that_grows_back_after_mowing_keeps_nearly_all_weight() -> None:
    trust = trust_of([0.8, 0.8, 0.3, 0.33, 0.42, 0.55, 0.7], [0, 5, 10, 20, 32, 45, 57])
    assert trust[2] == 1
    assert trust.min() > 0.8


@pytest.mark.parametrize("at", [0, -1])
def test_the_first_and_the_last_look_are_never_judged(at: int) -> None:
    guide = np.full(6, 0.8)
    guide[at] = 0.1
    np.testing.assert_array_equal(trust_of(guide, np.arange(6) * 5), 1)


def test_recovery_later_than_the_window_is_growth() -> None:
    assert trust_of([0.8, 0.3, 0.8], [0, 21, 42])[1] == 1
    assert trust_of([0.8, 0.3, 0.8], [0, 20, 40])[1] == 0


def test_looks_without_weight_or_value_are_no_neighbours() -> None:
    weights = [1, 0, 1, 0, 1]
    assert trust_of([0.3, 0.9, 0.3, 0.9, 0.3], [0, 5, 10, 15, 20], weights)[2] == 1
    assert trust_of([0.3, np.nan, 0.3, np.nan, 0.3], [0, 5, 10, 15, 20])[2] == 1


@settings(max_examples=60, deadline=None)
@given(
    rise=st.lists(st.floats(-0.2, 1), min_size=0, max_size=15),
    fall=st.lists(st.floats(-0.2, 1), min_size=1, max_size=15),
)
def test_a_curve_that_rises_and_falls_once_is_never_touched(rise: list[float], fall: list[float]) -> None:
    guide = [*sorted(rise), *sorted(fall, reverse=True)]
    np.testing.assert_array_equal(trust_of(guide, np.arange(len(guide)) * 3.0), 1)
