from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.report.nice_numbers import class_edges, class_of, step_at_least, step_at_most

positive = st.floats(1e-6, 1e12)
amounts = st.lists(st.floats(0, 1e15), max_size=60)


@given(positive)
def test_steps_are_one_two_or_five_and_lie_on_their_side_of_the_value(value):
    for step in (step_at_least(value), step_at_most(value)):
        leading = step / 10 ** math.floor(math.log10(step * (1 + 1e-9)))
        assert min(abs(leading - one) for one in (1, 2, 5)) < 1e-6
    assert step_at_least(value) >= value * (1 - 1e-9)
    assert step_at_least(value) <= 2.5 * value * (1 + 1e-9)
    assert step_at_most(value) <= value * (1 + 1e-9)
    assert step_at_most(value) >= value / 2.5 * (1 - 1e-9)


@given(amounts)
def test_class_edges_rise_and_every_class_between_them_is_within_the_values(values):
    edges = class_edges(values, classes=6)
    assert len(edges) <= 5
    assert list(edges) == sorted(set(edges))
    assert all(min(values) < edge <= max(values) for edge in edges)


@given(amounts, st.floats(0, 1e15))
def test_the_class_of_a_value_counts_the_edges_up_to_it(values, value):
    edges = class_edges(values, classes=6)
    assert class_of(value, edges) == sum(edge <= value for edge in edges)


def test_one_huge_value_does_not_push_all_others_into_one_class():
    values = [*range(100, 200), 10**12]
    edges = class_edges(values, classes=6)
    assert len({class_of(value, edges) for value in values[:-1]}) >= 5


@pytest.mark.parametrize("values", [[], [5.0, 5.0], [math.nan, math.inf], [math.nan, 3.0]])
def test_values_that_do_not_differ_have_no_edges(values):
    assert class_edges(values, classes=6) == ()
