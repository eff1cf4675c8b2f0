from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agrocredit.domain.errors import InputUnusableError
from agrocredit.yields.area.features import FeatureConfig, SeriesRows, feature_names, feature_table


def a_series(values, *, days=None, row=None):
    days = np.array(days if days is not None else [f"2015-04-{k + 1:02d}" for k in range(len(values))], "datetime64[D]")
    return SeriesRows(
        row=np.zeros(len(values), dtype=np.int64) if row is None else np.asarray(row),
        month=days.astype("datetime64[M]").astype(np.int64) % 12 + 1,
        step=np.full(len(values), -1),
        days=days,
        values={"t_max_c": np.asarray(values, dtype=np.float32)},
    )


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [("mean", 30.0), ("sum", 90.0), ("max", 34.0), ("min", 26.0), ("excess", 4 / 3), ("shortfall", 4 / 3)],
)
def test_each_statistic_gives_the_number_a_hand_would(statistic, expected):
    feature = FeatureConfig(name="x", variable="t_max_c", statistic=statistic, threshold=30.0, months=(4,))
    assert feature_table(a_series([26.0, 30.0, 34.0]), n=1, features=[feature])[0, 0] == pytest.approx(expected)


def test_a_root_is_taken_of_the_statistic_and_not_of_the_days():
    feature = FeatureConfig(name="x", variable="t_max_c", statistic="sum", scale="root")
    assert feature_table(a_series([9.0, 16.0]), n=1, features=[feature])[0, 0] == 5.0


def test_a_month_with_too_few_days_is_unknown_and_so_is_a_variable_nobody_measured():
    features = [
        FeatureConfig(name="x", variable="t_max_c", months=(4, 5), rows_min=3),
        FeatureConfig(name="y", variable="rain_sum_mm"),
    ]
    table = feature_table(a_series([1.0, 2.0, np.nan, 3.0]), n=2, features=features)
    assert feature_names(features) == ("x_04", "x_05", "y")
    assert table[0, 0] == 2.0
    assert np.isnan(np.delete(table, 0)).all()


def test_nothing_dated_after_the_day_of_knowledge_enters():
    days = ["2015-04-01", "2015-04-02", "2015-04-03"]
    feature = FeatureConfig(name="x", variable="t_max_c")
    known = a_series([1.0, 3.0, 500.0], days=days).until(np.array(["2015-04-02"], dtype="datetime64[D]"))
    assert feature_table(known, n=1, features=[feature])[0, 0] == 2.0


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-30, 45, width=32)), min_size=1, max_size=40))
@settings(deadline=None)
def test_every_area_year_is_computed_as_if_it_were_alone(drawn):
    row, values = np.array([r for r, _ in drawn]), [v for _, v in drawn]
    days = ["2015-04-02"] * len(values)
    feature = FeatureConfig(name="x", variable="t_max_c", statistic="excess", threshold=5.0)
    together = feature_table(a_series(values, days=days, row=row), n=4, features=[feature])[:, 0]
    for one in range(4):
        own = [v for r, v in drawn if r == one]
        expected = np.mean(np.maximum(np.array(own) - 5.0, 0.0)) if own else np.nan
        np.testing.assert_allclose(together[one], expected, rtol=1e-6, atol=1e-6)


def test_a_feature_stated_twice_is_refused():
    twice = [FeatureConfig(name="x", variable="t_max_c"), FeatureConfig(name="x", variable="t_min_c")]
    with pytest.raises(InputUnusableError, match="stated twice: x"):
        feature_names(twice)


@pytest.mark.parametrize("wrong", [{"statistic": "mode"}, {"months": (13,)}, {"rows_min": 0}, {"scale": "cube"}])
def test_a_feature_that_means_nothing_is_refused(wrong):
    with pytest.raises(InputUnusableError, match="config_invalid"):
        FeatureConfig(name="x", variable="t_max_c", **wrong)
