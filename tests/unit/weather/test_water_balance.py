from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.domain.errors import InputUnusableError
from agrocredit.weather import water_balance

WATER = st.lists(st.floats(0, 60), min_size=1, max_size=60)


def test_stress_begins_when_the_readily_available_water_is_gone():
    # TAW 160 mm, p 0.4: no stress up to Dr = 64 mm; at Dr = 112 mm half of the rest is left: Ks = 48 / 96
    def first_stress(depletion_mm):
        return water_balance(
            [0.0],
            et0_mm=[5.0],
            crop_coefficient=1.0,
            available_water_mm=160,
            depletion_fraction=0.4,
            initial_depletion_mm=depletion_mm,
        )["water_stress"][0]

    assert first_stress(64.0) == pytest.approx(1.0)
    assert first_stress(112.0) == pytest.approx(0.5)
    assert first_stress(160.0) == 0.0


def test_rain_beyond_field_capacity_drains():
    table = water_balance([50.0], et0_mm=[4.0], crop_coefficient=1.2, available_water_mm=100, initial_depletion_mm=10)
    assert table["depletion_mm"][0] == 0
    assert table["evapotranspiration_mm"][0] == pytest.approx(4.8)
    assert table["drainage_mm"][0] == pytest.approx(50 - 10 - 4.8)


@given(WATER, st.floats(2, 300), st.floats(0.0, 0.95))
def test_no_water_is_made_or_lost(rain, taw, p):
    table = water_balance(
        rain, et0_mm=np.full(len(rain), 4.0), crop_coefficient=1.1, available_water_mm=taw, depletion_fraction=p
    )
    flows = sum(rain) - table["evapotranspiration_mm"].sum() - table["drainage_mm"].sum()
    assert -table["depletion_mm"].iloc[-1] == pytest.approx(flows, abs=1e-6)
    assert table["depletion_mm"].between(0, taw).all()


@pytest.mark.parametrize(
    "change",
    [{"available_water_mm": 0.0}, {"depletion_fraction": 1.0}, {"initial_depletion_mm": 200.0}],
)
def test_an_impossible_soil_is_refused(change):
    soil = {"available_water_mm": 100.0, "depletion_fraction": 0.5, "initial_depletion_mm": 0.0, **change}
    with pytest.raises(InputUnusableError) as caught:
        water_balance([1.0], et0_mm=[1.0], crop_coefficient=1.0, **soil)
    assert caught.value.code == "water_balance_invalid"


def test_a_day_without_rain_value_is_refused():
    with pytest.raises(InputUnusableError) as caught:
        water_balance([np.nan], et0_mm=[1.0], crop_coefficient=1.0, available_water_mm=100)
    assert caught.value.code == "weather_gap"
