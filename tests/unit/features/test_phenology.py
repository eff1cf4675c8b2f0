from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from agrocredit.domain.errors import WrongUsageError
from agrocredit.features import Thresholds, phenology

DAYS = np.arange(0.0, 241.0, 4.0)
TRIANGLE_DAYS = np.array([0.0, 50.0, 100.0, 180.0, 240.0])
TRIANGLE = np.array([0.2, 0.2, 0.8, 0.2, 0.2])


def season_of(*curves, days=DAYS, last_clear="2023-06-20", as_of="2023-07-01") -> xr.Dataset:
    stacked = np.stack([np.asarray(curve, dtype=np.float32) for curve in curves])
    clear = np.full(len(curves), np.datetime64(last_clear, "ns"))
    return xr.Dataset(
        {"curve": (("plot", "step", "channel"), stacked[:, :, None]), "last_clear": (("plot",), clear)},
        coords={
            "plot": [f"p{i}" for i in range(len(curves))],
            "channel": ["ndvi"],
            "day": ("step", np.asarray(days, dtype=float)),
        },
        attrs={"as_of": as_of},
    )


def triangle(days=DAYS, *, peak_day: float = 100.0) -> np.ndarray:
    return np.interp(days, TRIANGLE_DAYS + peak_day - 100.0, TRIANGLE)


def double_logistic(days, *, rise: float, fall: float, base: float = 0.15, height: float = 0.7) -> np.ndarray:
    return base + height * (1 / (1 + np.exp(-(days - rise) / 6)) - 1 / (1 + np.exp(-(days - fall) / 9)))


def measure(*curves, **options):
    thresholds = options.pop("thresholds", Thresholds())
    return phenology(season_of(*curves, **options), thresholds=thresholds)


def test_a_triangle_has_the_measures_of_its_drawing() -> None:
    row = measure(triangle()).loc["p0"]
    # The summit is that of the parabola through 0.752, 0.8 and 0.77, 4 days apart.
    bend, slope = (-0.03 / 4 - 0.048 / 4) / 8, (0.77 - 0.752) / 8
    assert row["peak_day"] == pytest.approx(100 - slope / (2 * bend), abs=1e-4)
    assert row["peak"] == pytest.approx(0.8 - slope**2 / (4 * bend), abs=1e-6)
    height = row["peak"] - 0.2
    assert row["base"] == pytest.approx(0.2, abs=1e-6)
    assert row["amplitude"] == pytest.approx(height, abs=1e-6)
    assert row["start_day"] == pytest.approx(50 + 0.2 * height / 0.012, abs=1e-3)
    assert row["half_rise_day"] == pytest.approx(50 + 0.5 * height / 0.012, abs=1e-3)
    assert row["end_day"] == pytest.approx(180 - 0.2 * height / 0.0075, abs=1e-3)
    assert row["length_days"] == pytest.approx(row["end_day"] - row["start_day"])
    assert row["rise_per_day"] == pytest.approx(0.6 / 50, rel=1e-4)
    assert row["fall_per_day"] == pytest.approx(0.6 / 80, rel=1e-4)
    assert row["integral_above_base_index_days"] == pytest.approx(0.6 * 130 / 2, rel=1e-3)
    assert row["integral_index_days"] == pytest.approx(0.2 * 240 + 0.6 * 130 / 2, rel=1e-3)
    assert row["complete"]
    assert row["days_since_clear"] == 11


def test_a_double_logistic_crosses_half_at_its_inflections() -> None:
    row = measure(double_logistic(DAYS, rise=70, fall=170)).loc["p0"]
    assert row["half_rise_day"] == pytest.approx(70, abs=0.5)
    assert row["half_fall_day"] == pytest.approx(170, abs=0.5)
    # 1 / (1 + exp(-x)) = 0.2 at x = -ln 4.
    assert row["start_day"] == pytest.approx(70 - 6 * np.log(4), abs=0.7)
    assert row["end_day"] == pytest.approx(170 + 9 * np.log(4), abs=0.7)
    assert row["peak"] == pytest.approx(0.85, abs=0.01)
    # The area between two equal logistics is height times their distance.
    assert row["integral_above_base_index_days"] == pytest.approx(0.7 * 100, rel=0.01)


@settings(max_examples=30, deadline=None)
@given(shift=st.floats(-30, 30))
def test_a_shift_in_time_shifts_every_date_and_nothing_else(shift: float) -> None:
    table = measure(double_logistic(DAYS, rise=70, fall=150), double_logistic(DAYS, rise=70 + shift, fall=150 + shift))
    here, there = table.loc["p0"], table.loc["p1"]
    for name in ("start_day", "half_rise_day", "peak_day", "half_fall_day", "end_day"):
        assert there[name] - here[name] == pytest.approx(shift, abs=1.0), name
    for name in ("peak", "amplitude", "length_days", "integral_above_base_index_days"):
        assert there[name] == pytest.approx(here[name], rel=0.02), name


@settings(max_examples=30, deadline=None)
@given(factor=st.floats(0.5, 2.0))
def test_scaling_scales_heights_and_areas_and_keeps_dates(factor: float) -> None:
    curve = double_logistic(DAYS, rise=70, fall=150)
    table = measure(curve, factor * curve)
    for name in ("base", "peak", "amplitude", "rise_per_day", "fall_per_day", "integral_index_days"):
        assert table.loc["p1", name] == pytest.approx(factor * table.loc["p0", name], rel=1e-4), name
    for name in ("start_day", "peak_day", "end_day"):
        assert table.loc["p1", name] == pytest.approx(table.loc["p0", name], abs=0.01), name


def test_a_season_still_open_has_no_end() -> None:
    curve = triangle()
    curve[DAYS > 110] = np.nan
    row = measure(curve).loc["p0"]
    assert not row["complete"]
    assert np.isnan(row[["end_day", "half_fall_day", "length_days", "fall_per_day"]].to_numpy(dtype=float)).all()
    assert row["start_day"] == pytest.approx(60, abs=0.5)
    assert row["rise_per_day"] == pytest.approx(0.012, rel=1e-3)


def test_a_dent_after_a_rise_seen_late_is_no_harvest() -> None:
    curve = triangle()
    curve[(DAYS < 90) | (DAYS > 120)] = np.nan
    assert not measure(curve).loc["p0", "complete"]


def test_a_fall_without_its_rise_has_an_end_but_no_start() -> None:
    curve = np.where(DAYS < 100, np.nan, triangle())
    row = measure(curve).loc["p0"]
    assert row["complete"]
    assert np.isnan(row["start_day"])
    assert row["base"] == pytest.approx(0.2, abs=1e-6)
    assert row["end_day"] == pytest.approx(164, abs=0.5)


def test_the_rise_that_leads_to_the_peak_counts_when_a_catch_crop_came_before() -> None:
    curve = np.maximum(triangle(peak_day=140.0), 0.2 + 0.4 * np.exp(-(((DAYS - 30) / 12) ** 2)))
    assert measure(curve).loc["p0", "start_day"] == pytest.approx(100, abs=1)


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_a_constant_curve_has_no_season(value: float) -> None:
    row = measure(np.full(DAYS.size, value)).loc["p0"]
    assert row["base"] == row["peak"] == pytest.approx(value)
    assert row["amplitude"] == 0
    assert not row["complete"]
    assert np.isnan(row[["start_day", "end_day", "rise_per_day"]].to_numpy(dtype=float)).all()
    assert row["integral_index_days"] == pytest.approx(240 * value, rel=1e-6)
    assert row["integral_above_base_index_days"] == 0


@pytest.mark.parametrize("known", [0, 1, 2])
def test_too_few_steps_give_nan_and_not_complete(known: int) -> None:
    curve = np.full(DAYS.size, np.nan)
    curve[:known] = 0.4
    row = measure(curve, last_clear="NaT").loc["p0"]
    assert row.drop("complete").isna().all()
    assert not row["complete"]


def test_steps_of_unequal_length_are_measured_in_days() -> None:
    days = np.sort(np.random.default_rng(0).uniform(0, 240, 120))
    row = measure(double_logistic(days, rise=70, fall=170), days=days).loc["p0"]
    assert row["half_rise_day"] == pytest.approx(70, abs=1)
    assert row["half_fall_day"] == pytest.approx(170, abs=1)


def test_an_unknown_channel_is_named() -> None:
    with pytest.raises(WrongUsageError, match=r"channel_unknown: no channel evi; found ndvi"):
        phenology(season_of(triangle()), channel="evi")


@pytest.mark.parametrize(
    "wrong", [{"start_share": 0.9}, {"slope_share": 1.0}, {"fall_min": 0.0}, {"complete_share": 0.0}]
)
def test_thresholds_out_of_order_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(WrongUsageError, match="thresholds_invalid"):
        Thresholds(**wrong)
