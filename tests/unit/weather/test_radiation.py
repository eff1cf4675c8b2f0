from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.weather import extraterrestrial_radiation, hargreaves_radiation


@pytest.mark.parametrize(
    ("day_of_year", "latitude_deg", "expected"),
    [(246, -20.0, 32.2), (187, 50.8, 41.09), (105, 13.73, 38.06)],  # FAO-56 examples 8, 18 and 17
)
def test_radiation_above_the_air_is_that_of_the_guideline(day_of_year, latitude_deg, expected):
    assert extraterrestrial_radiation(day_of_year, latitude_deg=latitude_deg) == pytest.approx(expected, abs=0.06)


def test_the_polar_night_is_dark_and_the_polar_day_is_not():
    assert extraterrestrial_radiation(355, latitude_deg=80.0) == pytest.approx(0, abs=1e-9)
    assert extraterrestrial_radiation(172, latitude_deg=80.0) > 40


def test_radiation_of_lyon_in_july_is_that_of_the_guideline():
    # FAO-56 example 15: 26.6 and 14.8 degrees C, Ra 40.6, interior
    assert hargreaves_radiation(14.8, 26.6, extraterrestrial_mj_m2=40.6) == pytest.approx(22.3, abs=0.05)


@given(st.floats(-30, 40), st.floats(0, 40), st.floats(0, 45))
def test_estimated_radiation_stays_below_a_clear_sky(low, span, above):
    estimated = hargreaves_radiation(low, low + span, extraterrestrial_mj_m2=above)
    assert 0 <= estimated <= 0.75 * above + 1e-9


@given(st.integers(1, 366), st.floats(-66, 66))
def test_radiation_is_the_same_in_both_hemispheres_half_a_year_apart(day, latitude_deg):
    here = extraterrestrial_radiation(day, latitude_deg=latitude_deg)
    there = extraterrestrial_radiation(day + 182.5, latitude_deg=-latitude_deg)
    assert np.isclose(here, there, atol=3.2)  # but for the Earth's changing distance, 3.3 percent each way
