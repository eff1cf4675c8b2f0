from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from agrocredit.weather import (
    hargreaves_evapotranspiration,
    penman_monteith_evapotranspiration,
    reference_evapotranspiration,
)
from agrocredit.weather.evapotranspiration import net_radiation, psychrometric_constant, saturation_vapour_pressure


@pytest.mark.parametrize(("temperature_c", "expected_kpa"), [(24.5, 3.075), (15.0, 1.705)])
def test_saturated_air_is_that_of_example_3(temperature_c, expected_kpa):
    assert saturation_vapour_pressure(temperature_c) == pytest.approx(expected_kpa, abs=5e-4)


def test_the_psychrometric_constant_of_1800_m_is_that_of_example_2():
    assert psychrometric_constant(1800) == pytest.approx(0.054, abs=5e-4)


def uccle(**more):
    # FAO-56 example 18: Uccle, 6 July, 100 m; wind 2.078 m/s at 2 m, vapour pressure 1.409 kPa
    row = {
        "date": pd.to_datetime(["2019-07-06"]),
        "tmin_c": [12.3],
        "tmax_c": [21.5],
        "radiation_mj_m2": [22.07],
        "wind_m_s": [2.078],
        "vapour_pressure_kpa": [1.409],
    }
    return pd.DataFrame({**row, **more})


def test_net_radiation_of_uccle_is_that_of_example_18():
    found = net_radiation(
        radiation_mj_m2=np.array([22.07]),
        clear_sky_mj_m2=np.array([30.90]),
        tmin_c=np.array([12.3]),
        tmax_c=np.array([21.5]),
        vapour_pressure_kpa=np.array([1.409]),
    )
    assert found[0] == pytest.approx(13.28, abs=0.02)


def test_evapotranspiration_of_uccle_is_that_of_example_18():
    assert reference_evapotranspiration(uccle(), latitude_deg=50.8, elevation_m=100)[0] == pytest.approx(3.88, abs=0.03)


def test_evapotranspiration_of_bangkok_is_that_of_example_17():
    # April, net radiation 14.33 less 0.14 into the soil
    found = penman_monteith_evapotranspiration(
        tmin_c=25.6, tmax_c=34.8, net_radiation_mj_m2=14.19, vapour_pressure_kpa=2.85, wind_m_s=2.0, elevation_m=2
    )
    assert found == pytest.approx(5.72, abs=0.02)


def test_hargreaves_of_lyon_is_that_of_example_20():
    found = hargreaves_evapotranspiration(tmin_c=14.8, tmax_c=26.6, extraterrestrial_mj_m2=40.55)
    assert found == pytest.approx(5.0, abs=0.05)


def test_without_radiation_the_temperature_formula_is_taken():
    table = uccle(radiation_mj_m2=[np.nan])
    low, high = table["tmin_c"].to_numpy(), table["tmax_c"].to_numpy()
    expected = hargreaves_evapotranspiration(tmin_c=low, tmax_c=high, extraterrestrial_mj_m2=41.09)
    assert reference_evapotranspiration(table, latitude_deg=50.8)[0] == pytest.approx(expected[0], abs=0.01)


def test_dry_air_and_wind_evaporate_more():
    calm = reference_evapotranspiration(uccle(wind_m_s=[0.5]), latitude_deg=50.8)
    windy = reference_evapotranspiration(uccle(wind_m_s=[5.0], vapour_pressure_kpa=[0.8]), latitude_deg=50.8)
    assert windy[0] > calm[0]


def test_a_frozen_night_gives_no_negative_water():
    cold = uccle(tmin_c=[-35.0], tmax_c=[-25.0], radiation_mj_m2=[0.5], vapour_pressure_kpa=[0.02])
    assert reference_evapotranspiration(cold, latitude_deg=60.0)[0] >= 0
