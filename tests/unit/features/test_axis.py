from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from agrocredit.domain.errors import InputUnusableError, WrongUsageError
from agrocredit.features import calendar_axis, thermal_axis

END = date(2024, 1, 1)


def thermal(season, daily, *, days_before: int = 0) -> pd.Series:
    start = pd.Timestamp(season.start_on) - pd.Timedelta(days=days_before)
    return pd.Series(np.cumsum(daily), index=pd.date_range(start, periods=len(daily)))


def axis_of(season, series, *, total: float = 1000.0, steps: int = 10, as_of: date = END):
    return thermal_axis(season, thermal_time=series, total_c_day=total, steps=steps, as_of=as_of)


def test_calendar_steps_are_the_middles_of_equal_parts(season) -> None:
    axis = calendar_axis(season, steps=4)
    np.testing.assert_allclose(axis.day, np.array([1, 3, 5, 7]) * 214 / 8)
    assert axis.kind == "calendar"
    assert axis.thermal_time_c_day is None


def test_thermal_steps_fall_on_the_days_that_reach_them(season) -> None:
    axis = axis_of(season, thermal(season, [10.0] * 214))
    np.testing.assert_allclose(axis.thermal_time_c_day, 50 + 100 * np.arange(10))
    np.testing.assert_allclose(axis.day, 5 + 10 * np.arange(10))


def test_days_of_frost_hold_no_step(season) -> None:
    daily = [10.0] * 22 + [0.0] * 60 + [10.0] * 132
    day = axis_of(season, thermal(season, daily)).day
    np.testing.assert_allclose(day[:2], [5, 15])
    np.testing.assert_allclose(day[2:], 85 + 10 * np.arange(8))


def test_a_step_reached_exactly_when_frost_begins_stands_on_its_first_day(season) -> None:
    day = axis_of(season, thermal(season, [10.0] * 25 + [0.0] * 60 + [10.0] * 129)).day
    assert day[2] == 25


def test_stages_that_the_season_never_reaches_have_no_day(season) -> None:
    day = axis_of(season, thermal(season, [2.0] * 214)).day
    np.testing.assert_allclose(day[:4], [25, 75, 125, 175])
    assert np.isnan(day[4:]).all()


def test_weather_after_the_day_of_knowledge_changes_nothing(season) -> None:
    as_of = season.start_on + timedelta(days=29)
    known = axis_of(season, thermal(season, [10.0] * 214), as_of=as_of)
    other = axis_of(season, thermal(season, [10.0] * 30 + [np.nan] * 184), as_of=as_of)
    np.testing.assert_array_equal(known.day, other.day)
    assert np.isfinite(known.day).sum() == 3


def test_what_was_reached_before_the_season_is_taken_off(season) -> None:
    early = axis_of(season, thermal(season, [10.0] * 314, days_before=100))
    np.testing.assert_allclose(early.day, axis_of(season, thermal(season, [10.0] * 214)).day)


def test_dates_may_be_plain_dates(season) -> None:
    series = thermal(season, [10.0] * 214)
    plain = series.set_axis([stamp.date() for stamp in series.index])
    np.testing.assert_array_equal(axis_of(season, plain).day, axis_of(season, series).day)


def test_before_the_season_no_step_has_a_day(season) -> None:
    axis = axis_of(season, thermal(season, [10.0] * 214), as_of=season.start_on - timedelta(days=1))
    assert np.isnan(axis.day).all()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda series: series.iloc[::-1],
        lambda series: pd.concat([series.iloc[:1], series]),
        lambda series: series.where(series.index != series.index[40]),
        lambda series: series - 30.0,
        lambda series: series.iloc[5:],
        lambda series: series.tz_localize("UTC"),
    ],
    ids=["backwards", "repeated", "missing", "falls from 0", "begins late", "instants"],
)
def test_thermal_time_that_cannot_be_cumulative_is_refused(season, spoil) -> None:
    with pytest.raises(InputUnusableError, match="thermal_time_invalid"):
        axis_of(season, spoil(thermal(season, [10.0] * 214)))


@pytest.mark.parametrize("options", [{"total": 0.0}, {"total": np.nan}, {"steps": 0}])
def test_a_thermal_axis_needs_a_total_and_steps(season, options: dict) -> None:
    with pytest.raises(WrongUsageError, match="axis_invalid"):
        axis_of(season, thermal(season, [10.0] * 214), **options)
