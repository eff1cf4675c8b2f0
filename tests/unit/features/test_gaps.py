from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agrocredit.features.gaps import measure_gaps


def gaps_of(weights, days, steps, *, evidence_days: float = 10.0):
    return measure_gaps(
        np.atleast_2d(np.asarray(weights, dtype=float)),
        np.asarray(days, dtype=float),
        np.atleast_2d(np.asarray(steps, dtype=float)),
        evidence_days=evidence_days,
    )


def test_distances_and_lengths_are_those_of_the_looks_around_a_step() -> None:
    gaps = gaps_of([1, 0, 0.5, 1], [10, 20, 30, 80], [0, 10, 14, 29, 50, 80, 85])
    np.testing.assert_array_equal(gaps.gap_days[0], [10, 0, 4, 1, 20, 0, 5])
    np.testing.assert_array_equal(gaps.gap_length_days[0], [np.inf, 0, 20, 20, 50, 0, np.inf])


def test_evidence_falls_to_nothing_with_distance_and_never_passes_one() -> None:
    gaps = gaps_of([0.5, 1, 1], [10, 40, 41], [10, 15, 20, 25, 40.5])
    np.testing.assert_allclose(gaps.seen[0], [0.5, 0.25, 0, 0, 1], atol=1e-6)


def test_a_plot_without_looks_has_no_distance_and_no_evidence() -> None:
    gaps = gaps_of([0, 0], [10, 20], [5, 15])
    assert np.isnan(gaps.gap_days).all()
    assert np.isnan(gaps.gap_length_days).all()
    assert (gaps.seen == 0).all()


def test_a_step_without_a_day_has_no_distance() -> None:
    gaps = gaps_of([1, 1], [10, 20], [np.nan, 15])
    np.testing.assert_array_equal(gaps.gap_days[0], [np.nan, 5])
    assert gaps.seen[0, 0] == 0


@settings(max_examples=50, deadline=None)
@given(
    looks=st.dictionaries(st.integers(0, 200), st.floats(0.05, 1), min_size=1, max_size=30),
    step=st.floats(0, 200),
)
def test_distance_is_the_smallest_over_all_looks(looks: dict[int, float], step: float) -> None:
    days = sorted(looks)
    gaps = gaps_of([looks[day] for day in days], days, [step])
    assert gaps.gap_days[0, 0] == pytest.approx(min(abs(day - step) for day in days), abs=1e-4)
    if days[0] <= step <= days[-1]:
        assert gaps.gap_length_days[0, 0] <= 2 * max(np.diff(days), default=0) + 1e-4
        assert gaps.gap_length_days[0, 0] >= gaps.gap_days[0, 0]
