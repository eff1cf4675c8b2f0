from __future__ import annotations

import numpy as np
import pytest

from agrocredit.growth import SoilParameters
from agrocredit.growth.soil_water import SoilWater, next_day, surface_wetness, water_stress
from agrocredit.growth.stress import temperature_stress, trailing_mean, wakefulness


def test_the_temperature_factor_is_1_at_the_optimum_and_0_at_the_limits(wheat):
    found = temperature_stress(np.array([-5.0, 0.0, 10.0, 20.0, 28.5, 37.0, 45.0]), crop=wheat.usual())
    assert found.tolist() == pytest.approx([0, 0, 0.75, 1, 0.75, 0, 0])


def test_the_trailing_mean_of_the_first_days_uses_the_days_there_are():
    assert trailing_mean(np.array([2.0, 4.0, 9.0, 1.0]), window=2).tolist() == [2.0, 3.0, 6.5, 5.0]
    assert trailing_mean(np.array([2.0, 4.0]), window=10).tolist() == [2.0, 3.0]


def test_wheat_wakes_between_2_and_8_degrees(wheat):
    assert wakefulness(np.array([-3.0, 2.0, 5.0, 8.0, 20.0]), crop=wheat.usual()).tolist() == [0, 0, 0.5, 1, 1]


def water_after(wheat, *, lai, prec_mm, depletion=0.3, irrigations=0.0):
    soil = SoilParameters(available_water_mm=100.0, initial_depletion=depletion, irrigations=irrigations)
    before = SoilWater.start(soil, 1)
    after = next_day(
        before,
        lai=np.array([lai]),
        growing=np.array([1.0]),
        prec_mm=np.array([prec_mm]),
        et0_mm=np.array([4.0]),
        soil=soil,
        crop=wheat.usual(),
    )
    return before, after, soil


def test_a_full_canopy_takes_its_coefficient_times_the_demand(wheat):
    before, after, _ = water_after(wheat, lai=12.0, prec_mm=0.0)
    assert after.root_depletion_mm - before.root_depletion_mm == pytest.approx([1.1 * 4.0], rel=1e-3)


def test_a_bare_wet_soil_evaporates_at_the_ceiling(wheat):
    before, after, _ = water_after(wheat, lai=0.0, prec_mm=0.0, depletion=0.0)
    assert after.surface_depletion_mm - before.surface_depletion_mm == pytest.approx([1.2 * 4.0])


def test_heavy_rain_fills_the_soil_and_no_more(wheat):
    _, after, soil = water_after(wheat, lai=3.0, prec_mm=200.0)
    assert after.root_depletion_mm == 0
    assert surface_wetness(after, soil=soil) == 1


def test_a_thirsty_plot_is_irrigated_once_for_each_turn_it_has(wheat):
    before, after, _ = water_after(wheat, lai=3.0, prec_mm=0.0, depletion=0.7, irrigations=1.0)
    assert after.root_depletion_mm[0] < before.root_depletion_mm[0]
    assert after.irrigations_left[0] == 0


def test_water_stress_begins_beyond_the_depletion_fraction(wheat):
    crop = wheat.usual()

    def stress(depletion):
        soil = SoilParameters(available_water_mm=100.0, initial_depletion=depletion)
        return float(water_stress(SoilWater.start(soil, 1), soil=soil, crop=crop)[0])

    assert stress(0.55) == pytest.approx(1.0)
    assert stress(0.775) == pytest.approx(0.5)
    assert stress(1.0) == 0
