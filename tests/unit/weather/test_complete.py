from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.weather import check_weather, complete_weather, hargreaves_radiation
from agrocredit.weather.radiation import extraterrestrial_radiation


def table(**columns):
    days = len(next(iter(columns.values())))
    return check_weather(pd.DataFrame({"date": pd.date_range("2024-06-01", periods=days), **columns}))


def test_what_is_measured_stays():
    measured = table(tmin_c=[10.0], tmax_c=[20.0], tmean_c=[15.5], prec_mm=[2.0], radiation_mj_m2=[17.0])
    complete = complete_weather(measured, latitude_deg=47.0)
    pd.testing.assert_frame_equal(complete[measured.columns], measured)
    assert complete["et0_mm"][0] > 0


def test_radiation_comes_from_the_temperature_range():
    complete = complete_weather(table(tmin_c=[10.0], tmax_c=[20.0], tmean_c=[15.0], prec_mm=[0.0]), latitude_deg=47.0)
    above = extraterrestrial_radiation(153, latitude_deg=47.0)
    assert complete["radiation_mj_m2"][0] == pytest.approx(
        hargreaves_radiation(10.0, 20.0, extraterrestrial_mj_m2=above)
    )


def test_with_the_mean_alone_rain_makes_a_darker_day_and_nothing_is_empty():
    complete = complete_weather(table(tmean_c=[15.0, 15.0], prec_mm=[0.0, 12.0]), latitude_deg=47.0)
    assert not complete.isna().any().any()
    dry, wet = complete["radiation_mj_m2"]
    above = extraterrestrial_radiation(np.array([153, 154]), latitude_deg=47.0)
    assert dry / above[0] == pytest.approx(0.52)
    assert wet / above[1] == pytest.approx(0.30)
    assert (complete["tmin_c"] + complete["tmax_c"]).tolist() == pytest.approx([30.0, 30.0])


def test_rain_is_never_made_up():
    with pytest.raises(InputUnusableError, match="2024-06-02") as caught:
        complete_weather(table(tmean_c=[15.0, 15.0], prec_mm=[0.0, np.nan]), latitude_deg=47.0)
    assert caught.value.code == "weather_gap"
