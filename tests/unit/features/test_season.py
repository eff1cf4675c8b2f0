from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from agrocredit.domain.errors import InputUnusableError, WrongUsageError
from agrocredit.features import assemble_season

INDICES = ("ndvi", "ndmi")


def assemble(observations, season, **options):
    options = {"plot_ids": ["a"], "indices": INDICES, "as_of": date(2024, 1, 1)} | options
    return assemble_season(observations, season=season, **options)


def same_bytes(one, other) -> bool:
    return all(one[name].to_numpy().tobytes() == other[name].to_numpy().tobytes() for name in one.data_vars)


def bell(days) -> np.ndarray:
    return 0.2 + 0.6 * np.exp(-(((np.asarray(days, dtype=float) - 100) / 40) ** 2))


def test_a_dense_clear_season_comes_back_as_its_curve(season, observe) -> None:
    days = np.arange(0, 214, 3)
    dataset = assemble(observe("a", days, bell(days)), season)
    assert dataset["curve"].dims == ("plot", "step", "channel")
    assert dataset["curve"].dtype == np.float32
    np.testing.assert_allclose(dataset["curve"].sel(plot="a", channel="ndvi"), bell(dataset["day"]), atol=0.02)
    assert int(dataset["clear_observations"].sel(plot="a")) == days.size
    assert not dataset["long_gap"].any()


def test_rows_in_any_order_give_the_same_bytes(season, observe) -> None:
    days = np.arange(2, 200, 7)
    rows = pd.concat([observe(p, days, bell(days)) for p in ("a", "b")] + [observe("a", days, 0.3, hour=11)])
    plain = assemble(rows, season, plot_ids=["b", "a"])
    shuffled = assemble(rows.sample(frac=1, random_state=1), season, plot_ids=["b", "a"])
    assert same_bytes(plain, shuffled)


def test_a_plot_has_the_same_bytes_whoever_stands_beside_it(season, observe) -> None:
    rows = observe("a", np.arange(2, 200, 9), 0.4)
    others = [observe(f"p{i}", np.arange(i % 5, 210, 4), 0.1 * i) for i in range(9)]
    alone = assemble(rows, season)
    together = assemble(pd.concat([*others, rows]), season, plot_ids=[*(f"p{i}" for i in range(9)), "a"])
    assert same_bytes(alone.sel(plot="a"), together.sel(plot="a"))


def test_nothing_acquired_after_the_day_of_knowledge_enters(season, observe) -> None:
    days = np.arange(0, 200, 6)
    rows = observe("a", days, bell(days))
    as_of = season.start_on + timedelta(days=96)
    later = rows.copy()
    later.loc[days > 96, ["ndvi", "ndmi", "valid_fraction"]] = (0.99, -0.99, 0.3)
    known = assemble(rows, season, as_of=as_of)
    changed = assemble(later, season, as_of=as_of)
    cut = assemble(rows[days <= 96], season, as_of=as_of)
    assert same_bytes(known, changed)
    assert same_bytes(known, cut)
    after = known["day"].to_numpy() > 96
    assert after.any()
    assert np.isnan(known["curve"].to_numpy()[:, after]).all()
    assert np.isfinite(known["curve"].to_numpy()[:, ~after]).all()


def test_a_look_on_the_day_of_knowledge_counts_and_one_on_the_last_day_of_the_season_does_not(season, observe) -> None:
    length_days = (season.end_on - season.start_on).days
    rows = observe("a", [-1, 0, 50, 60, length_days - 1, length_days], 0.5, hour=23)
    on_day_60 = assemble(rows, season, as_of=season.start_on + timedelta(days=60))
    assert int(on_day_60["clear_observations"][0]) == 3
    assert int(assemble(rows, season)["clear_observations"][0]) == 4
    assert on_day_60["last_clear"].to_numpy()[0] == np.datetime64(season.start_on) + 60


@pytest.mark.parametrize("as_of", [date(2023, 2, 28), date(2020, 1, 1)])
def test_before_the_season_nothing_is_known(season, observe, as_of: date) -> None:
    dataset = assemble(observe("a", np.arange(0, 200, 5), 0.5), season, as_of=as_of)
    assert np.isnan(dataset["curve"]).all()
    assert int(dataset["clear_observations"][0]) == 0
    assert np.isnat(dataset["first_clear"].to_numpy()[0])


def test_a_plot_without_rows_is_all_nan_with_no_observations(season, observe) -> None:
    dataset = assemble(observe("a", [10, 20, 30], 0.5), season, plot_ids=["ghost", "a"])
    ghost = dataset.sel(plot="ghost")
    assert np.isnan(ghost["curve"]).all()
    assert np.isnan(ghost["gap_days"]).all()
    assert (ghost["seen"] == 0).all()
    assert int(ghost["observations"]) == int(ghost["clear_observations"]) == 0
    assert np.isnan(ghost["pixel_count"])
    assert np.isfinite(dataset.sel(plot="a")["curve"]).any()


def test_an_empty_table_and_no_plots_are_seasons_too(season, observe) -> None:
    empty = observe("a", [10], 0.5).iloc[:0]
    assert np.isnan(assemble(empty, season)["curve"]).all()
    assert assemble(empty, season, plot_ids=[])["curve"].shape == (0, 36, 2)


def test_cloudy_looks_are_observations_but_not_clear_ones(season, observe) -> None:
    rows = pd.concat(
        [
            observe("a", [10, 20, 30], 0.5),
            observe("a", [40, 50], np.nan, valid_fraction=0.0),
            observe("a", [60], 0.5, valid_fraction=0.4),
        ]
    )
    dataset = assemble(rows, season)
    assert int(dataset["observations"][0]) == 6
    assert int(dataset["clear_observations"][0]) == 3
    assert int(assemble(rows, season, clear_fraction_min=0.4)["clear_observations"][0]) == 4
    assert float(dataset["pixel_count"][0]) == 40.0
    assert float(dataset["valid_fraction"][0]) == 1.0


def test_one_look_makes_no_curve_but_is_counted(season, observe) -> None:
    dataset = assemble(observe("a", [50], 0.5), season)
    assert np.isnan(dataset["curve"]).all()
    assert int(dataset["clear_observations"][0]) == 1
    assert np.nanmin(dataset["gap_days"]) < 5


def test_two_acquisitions_of_one_day_are_one_look_weighted_by_what_they_saw(season, observe) -> None:
    days = np.arange(0, 214, 5)
    double = pd.concat(
        [observe("a", days, 0.2, valid_fraction=0.25), observe("a", days, 0.6, valid_fraction=0.75, hour=11)]
    )
    dataset = assemble(double, season)
    assert int(dataset["clear_observations"][0]) == days.size
    np.testing.assert_allclose(dataset["curve"].sel(channel="ndvi"), 0.5, atol=1e-6)


def test_an_index_that_is_null_everywhere_leaves_the_others_alone(season, observe) -> None:
    rows = observe("a", np.arange(0, 200, 5), 0.5)
    dataset = assemble(rows.assign(ndmi=np.nan), season)
    assert np.isnan(dataset["curve"].sel(channel="ndmi")).all()
    plain = assemble(rows, season)
    np.testing.assert_array_equal(dataset["curve"].sel(channel="ndvi"), plain["curve"].sel(channel="ndvi"))


def test_every_variable_says_its_unit_or_is_a_date(season, observe) -> None:
    dataset = assemble(observe("a", [10, 20], 0.5), season)
    for name, variable in dataset.variables.items():
        assert variable.attrs["long_name"], name
        assert "units" in variable.attrs or variable.dtype.kind in "MO", name
    assert dataset.attrs["as_of"] == "2024-01-01"


def test_a_thermal_axis_sees_the_same_curve_in_a_warm_and_in_a_cool_year(season, observe) -> None:
    dates = pd.date_range(season.start_on, season.end_on, inclusive="left")
    curves = []
    for degrees_a_day in (10.0, 8.0):
        thermal_time = pd.Series(degrees_a_day * np.arange(1, dates.size + 1), index=dates)
        days = np.arange(0, 214, 4)
        rows = observe("a", days, bell(days * degrees_a_day / 10))
        curves.append(assemble(rows, season, thermal_time=thermal_time, thermal_total_c_day=1600.0)["curve"].to_numpy())
    np.testing.assert_allclose(curves[0], curves[1], atol=0.02)
    assert np.isfinite(curves[0]).all()


@pytest.mark.parametrize("column", ["plot_id", "acquired_at", "valid_fraction", "ndmi"])
def test_a_missing_column_is_named(season, observe, column: str) -> None:
    with pytest.raises(InputUnusableError, match=rf"column_missing.*{column}"):
        assemble(observe("a", [10], 0.5).drop(columns=column), season)


def test_columns_of_the_wrong_type_are_named(season, observe) -> None:
    rows = observe("a", [10], 0.5)
    with pytest.raises(InputUnusableError, match=r"column_type_invalid.*ndvi"):
        assemble(rows.assign(ndvi="high"), season)
    with pytest.raises(InputUnusableError, match=r"column_type_invalid.*acquired_at"):
        assemble(rows.assign(acquired_at="2023-05-01"), season)
    with pytest.raises(InputUnusableError, match=r"value_missing.*acquired_at"):
        assemble(rows.assign(acquired_at=pd.Series([pd.NaT], dtype="datetime64[us, UTC]")), season)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"plot_ids": ["a", "a"]}, "plot_id_repeated"),
        ({"indices": []}, "index_missing"),
        ({"steps": 0}, "axis_invalid"),
        ({"thermal_time": pd.Series(dtype=float)}, "axis_invalid"),
        ({"clear_fraction_min": 0.0}, "clear_fraction_invalid"),
    ],
)
def test_wrong_calls_are_refused(season, observe, options: dict, code: str) -> None:
    with pytest.raises(WrongUsageError, match=code):
        assemble(observe("a", [10], 0.5), season, **options)
