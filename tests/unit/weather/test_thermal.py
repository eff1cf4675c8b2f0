from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.domain.errors import InputUnusableError
from agrocredit.weather import thermal_time

DAYS = st.lists(st.floats(-40, 50), min_size=1, max_size=40)


def test_three_days_by_hand():
    assert thermal_time([10.0, 5.0, 30.0], base_c=8.0, upper_c=25.0).tolist() == [2.0, 2.0, 19.0]


@given(DAYS, st.floats(-5, 15))
def test_thermal_time_never_falls(days, base_c):
    total = thermal_time(days, base_c=base_c)
    assert np.all(np.diff(total) >= 0)
    assert total[0] >= 0


@given(DAYS)
def test_a_higher_base_never_gives_more(days):
    assert thermal_time(days, base_c=10.0)[-1] <= thermal_time(days, base_c=0.0)[-1]


def test_many_places_are_summed_each_on_its_own():
    both = thermal_time([[1.0, 2.0], [3.0, 4.0]], base_c=0.0)
    assert both.tolist() == [[1.0, 3.0], [3.0, 7.0]]


def test_a_day_without_temperature_is_refused():
    with pytest.raises(InputUnusableError) as caught:
        thermal_time([1.0, np.nan], base_c=0.0)
    assert caught.value.code == "weather_gap"


def test_limits_out_of_order_are_refused():
    with pytest.raises(InputUnusableError, match="above the base"):
        thermal_time([1.0], base_c=10.0, upper_c=5.0)
