from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.domain.errors import InputUnusableError
from agrocredit.report.looks import NO_LOOKS, Looks, date_of, gaps, looks_by_plot, number_of


def make_looks(days, fractions=None, values=None) -> Looks:
    return Looks(
        days=np.array(days, dtype=np.int64),
        fractions=np.array(fractions if fractions is not None else [1.0] * len(days)),
        values=np.array(values if values is not None else [0.5] * len(days)),
    )


def rows(**columns) -> pd.DataFrame:
    size = len(columns["plot_id"])
    return pd.DataFrame({"scene_id": ["s"] * size, "pixel_count": [9.0] * size, **columns})


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)))
def test_dates_survive_as_numbers(on):
    assert date_of(number_of(on)) == on


def test_a_clouded_spring_is_one_gap_named_by_its_clear_ends():
    looks = make_looks([0, 5, 12, 20, 39, 44], fractions=[1, 0.9, 0.2, 0.1, 0.95, 1])
    (gap,) = gaps(looks, window=(0, 44), clear_fraction_min=0.5, gap_days_min=20)
    assert (gap.first_day, gap.last_day, gap.length_days) == (5, 39, 34)


def test_a_look_without_a_value_ends_no_gap():
    looks = make_looks([0, 20, 40], values=[0.4, np.nan, 0.4])
    (gap,) = gaps(looks, window=(0, 40), clear_fraction_min=0.5, gap_days_min=30)
    assert gap.length_days == 40


def test_a_plot_never_seen_has_one_gap_as_long_as_the_run():
    (gap,) = gaps(NO_LOOKS, window=(100, 200), clear_fraction_min=0.5, gap_days_min=20)
    assert (gap.first_day, gap.last_day) == (100, 200)


@given(st.lists(st.integers(0, 300), max_size=30), st.integers(1, 60))
def test_gaps_are_exactly_the_long_stretches_without_a_clear_day(days, gap_days_min):
    found = gaps(make_looks(sorted(days)), window=(0, 300), clear_fraction_min=0.5, gap_days_min=gap_days_min)
    for gap in found:
        assert gap.length_days >= gap_days_min
        assert not any(gap.first_day < day < gap.last_day for day in days)
    inside = {day for gap in found for day in range(gap.first_day, gap.last_day)}
    for start in set(range(300)) - inside:
        near = [day for day in [0, *days, 300] if day > start]
        assert min(near) - max(day for day in [0, *days, 300] if day <= start) < gap_days_min


def test_rows_are_sorted_into_plots_whatever_their_order():
    frame = rows(
        plot_id=["b", "a", "b"],
        acquired_at=pd.to_datetime(["2026-05-02T23:59Z", "2026-05-01T10:00Z", "2026-04-01T00:00Z"]),
        valid_fraction=[0.5, 1.0, 0.0],
        ndvi=[0.7, 0.8, None],
    )
    found = looks_by_plot(frame, index="ndvi")
    assert set(found) == {"a", "b"}
    assert [date_of(day) for day in found["b"].days] == [date(2026, 4, 1), date(2026, 5, 2)]
    assert found["b"].seen
    assert found["b"].clear(0.0).tolist() == [False, True]
    assert looks_by_plot(pa.Table.from_pandas(frame), index="ndvi")["a"].fractions.tolist() == [1.0]


@pytest.mark.parametrize("table", [None, pd.DataFrame(), pa.table({})])
def test_no_observations_are_no_looks(table):
    assert looks_by_plot(table, index="ndvi") == {}


def test_an_index_that_the_table_lacks_is_named():
    frame = rows(plot_id=["a"], acquired_at=pd.to_datetime(["2026-05-02T00:00Z"]), valid_fraction=[1.0], evi=[0.5])
    with pytest.raises(InputUnusableError, match=r"column_missing: observations: no index ndvi; found .*evi"):
        looks_by_plot(frame, index="ndvi")


def test_a_column_of_the_wrong_type_is_named():
    frame = rows(plot_id=["a"], acquired_at=["yesterday"], valid_fraction=[1.0], ndvi=[0.5])
    with pytest.raises(InputUnusableError, match="column_type_invalid: observations: column acquired_at"):
        looks_by_plot(frame, index="ndvi")
