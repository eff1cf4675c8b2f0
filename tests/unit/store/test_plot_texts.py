from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.store.plot_texts import areas, identifiers, rises, texts


def shape_of(found):
    values, faults = found
    values = [
        "nan" if isinstance(v, float) and math.isnan(v) else v for v in getattr(values, "tolist", values.to_pylist)()
    ]
    return values, {row: (error.code, error.detail) for row, error in faults.items()}


@given(st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=12) | st.just("x" * 201), max_size=8))
def test_a_column_of_texts_is_read_as_its_values_are(values):
    for kind in (pa.string(), pa.large_string()):
        column = pa.chunked_array([pa.array(values, kind)])
        assert shape_of(texts(column, "crop")) == shape_of(texts(values, "crop"))
        assert shape_of(identifiers(column)) == shape_of(identifiers(values))


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=8))
def test_a_column_of_whole_numbers_is_read_as_its_values_are(values):
    column = pa.chunked_array([pa.array(values, pa.int64())])
    assert shape_of(identifiers(column)) == shape_of(identifiers(values))


@given(st.lists(st.none() | st.floats(), max_size=8))
def test_a_column_of_areas_is_read_as_its_values_are(values):
    column = pa.chunked_array([pa.array(values, pa.float64())])
    np.testing.assert_array_equal(areas(column)[0], areas(values)[0])


@pytest.mark.parametrize("kind", [pa.bool_(), pa.date32(), pa.timestamp("s")])
def test_a_column_that_holds_no_text_is_refused_value_by_value(kind):
    column = pa.chunked_array([pa.array([1, None], pa.int32() if kind == pa.date32() else pa.int64()).cast(kind)])
    found, faults = texts(column, "crop")
    assert found.to_pylist() == [None, None]
    assert [(row, error.code) for row, error in faults.items()] == [(0, "text_invalid")]


@given(st.lists(st.none() | st.text(max_size=2), max_size=4))
def test_texts_rise_where_they_are_sorted_and_none_is_there_twice(values):
    column = pa.chunked_array([pa.array(["", *values], pa.string())]).combine_chunks()[1:]  # not from its first value
    known = [value for value in values if value is not None]
    expected = values == sorted(set(known), key=str.encode)
    assert rises(column) == (expected or len(values) == 1)  # one is not compared


def test_a_part_of_a_column_is_read_for_itself():
    column = pa.chunked_array([pa.array(["two words", "word", "x" * 201], pa.string())[1:2]])
    assert shape_of(texts(column, "crop")) == (["word"], {})
