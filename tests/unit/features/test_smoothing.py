from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import solveh_banded
from whittaker_eilers import WhittakerSmoother

from agrocredit.domain.errors import WrongUsageError
from agrocredit.features.lanes import LANES
from agrocredit.features.smoothing import whittaker_smooth


def banded_oracle(values: np.ndarray, weights: np.ndarray, penalty: float) -> np.ndarray:
    """Solve one series by SciPy from the definition of the penalty."""
    steps = values.size
    difference = np.diff(np.eye(steps), 2, axis=0)
    system = penalty * difference.T @ difference + np.diag(weights)
    bands = np.zeros((3, steps))
    for k in range(3):
        bands[2 - k, k:] = np.diag(system, k)
    return solveh_banded(bands, weights * np.where(weights > 0, values, 0.0))


def noisy_series(count: int, steps: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = 0.5 + 0.3 * np.sin(np.arange(steps) / 6) + rng.normal(0, 0.05, (count, steps))
    weights = np.where(rng.random((count, steps)) < 0.4, 0.0, rng.uniform(0.05, 1.0, (count, steps)))
    weights[:, [1, -1]] = 1.0
    return values, weights


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("steps", [3, 4, 5, 36, 73, 200])
@pytest.mark.parametrize("penalty", [0.1, 10.0, 1e4])
def test_smoothing_agrees_with_the_banded_solver(steps: int, penalty: float, dtype: type) -> None:
    values, weights = noisy_series(2 * LANES + 7, steps, seed=steps)
    smooth = whittaker_smooth(values.astype(dtype), weights, penalty=penalty)
    expected = np.stack([banded_oracle(v, w, penalty) for v, w in zip(values, weights, strict=True)])
    assert smooth.dtype == dtype
    np.testing.assert_allclose(smooth, expected, atol=1e-4, rtol=0)


def test_smoothing_agrees_with_whittaker_eilers() -> None:
    values, weights = noisy_series(20, 60, seed=1)
    smooth = whittaker_smooth(values, weights, penalty=50.0)
    for row, weight, got in zip(values, weights, smooth, strict=True):
        other = WhittakerSmoother(lmbda=50.0, order=2, data_length=60, weights=list(weight))
        np.testing.assert_allclose(got, other.smooth(list(row)), atol=1e-4, rtol=0)


def test_a_series_has_the_same_bytes_alone_and_in_any_batch() -> None:
    values, weights = noisy_series(3 * LANES + 5, 48, seed=2)
    together = whittaker_smooth(values, weights, penalty=20.0)
    order = np.random.default_rng(3).permutation(values.shape[0])
    shuffled = whittaker_smooth(values[order], weights[order], penalty=20.0)
    assert shuffled.tobytes() == together[order].tobytes()
    for s in (0, LANES - 1, LANES, values.shape[0] - 1):
        alone = whittaker_smooth(values[s : s + 1], weights[s : s + 1], penalty=20.0)
        assert alone.tobytes() == together[s].tobytes()


@pytest.mark.parametrize("seen", [(), (4,)])
def test_fewer_than_two_weighted_steps_give_nan_and_leave_neighbours_alone(seen: tuple[int, ...]) -> None:
    values, weights = noisy_series(5, 20, seed=4)
    expected = whittaker_smooth(values, weights, penalty=10.0)
    weights[2] = 0.0
    weights[2, list(seen)] = 1.0
    smooth = whittaker_smooth(values, weights, penalty=10.0)
    assert np.isnan(smooth[2]).all()
    others = [0, 1, 3, 4]
    np.testing.assert_array_equal(smooth[others], expected[others])


def test_two_weighted_steps_are_joined_by_their_line() -> None:
    values, weights = np.zeros((1, 11)), np.zeros((1, 11))
    values[0, [2, 7]], weights[0, [2, 7]] = (0.2, 0.7), (1.0, 0.05)
    smooth = whittaker_smooth(values, weights, penalty=100.0)
    np.testing.assert_allclose(smooth[0], 0.1 * np.arange(11), atol=1e-9)


def test_values_that_are_not_finite_count_as_gaps() -> None:
    values, weights = noisy_series(1, 30, seed=5)
    gap = weights.copy()
    gap[0, [5, 9]] = 0.0
    broken = values.copy()
    broken[0, [5, 9]] = (np.nan, np.inf)
    np.testing.assert_array_equal(
        whittaker_smooth(broken, weights, penalty=5.0), whittaker_smooth(values, gap, penalty=5.0)
    )


@settings(max_examples=40, deadline=None)
@given(
    level=st.floats(-1, 1),
    slope=st.floats(-0.1, 0.1),
    penalty=st.floats(0.01, 1e5),
    seen=st.sets(st.integers(0, 39), min_size=2, max_size=40),
)
def test_a_straight_line_stays_as_it_is(level: float, slope: float, penalty: float, seen: set[int]) -> None:
    line = (level + slope * np.arange(40))[None]
    weights = np.zeros((1, 40))
    weights[0, sorted(seen)] = 1.0
    np.testing.assert_allclose(whittaker_smooth(line, weights, penalty=penalty), line, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(factor=st.floats(-3, 3), shift=st.floats(-2, 2), seed=st.integers(0, 1000))
def test_scaling_and_shifting_values_scales_and_shifts_the_curve(factor: float, shift: float, seed: int) -> None:
    values, weights = noisy_series(3, 36, seed=seed)
    plain = whittaker_smooth(values, weights, penalty=30.0)
    moved = whittaker_smooth(factor * values + shift, weights, penalty=30.0)
    np.testing.assert_allclose(moved, factor * plain + shift, atol=1e-8)


def test_more_penalty_never_bends_more() -> None:
    values, weights = noisy_series(10, 36, seed=6)
    bends = [
        np.square(np.diff(whittaker_smooth(values, weights, penalty=p), 2, axis=1)).sum(axis=1)
        for p in (0.1, 1.0, 10.0, 100.0)
    ]
    assert all((loose >= stiff).all() for loose, stiff in pairwise(bends))


@pytest.mark.parametrize(
    ("values", "weights", "penalty"),
    [
        (np.zeros((2, 2)), np.ones((2, 2)), 1.0),
        (np.zeros(5), np.ones(5), 1.0),
        (np.zeros((2, 5)), np.ones((2, 4)), 1.0),
        (np.zeros((2, 5)), np.ones((2, 5)), 0.0),
        (np.zeros((2, 5)), np.ones((2, 5)), np.nan),
        (np.zeros((2, 5)), -np.ones((2, 5)), 1.0),
        (np.zeros((2, 5)), np.full((2, 5), np.nan), 1.0),
    ],
)
def test_wrong_shapes_weights_and_penalties_are_refused(values, weights, penalty: float) -> None:
    with pytest.raises(WrongUsageError, match="smoothing_invalid"):
        whittaker_smooth(values, weights, penalty=penalty)


def test_no_series_give_no_series() -> None:
    assert whittaker_smooth(np.zeros((0, 12)), np.zeros((0, 12)), penalty=1.0).shape == (0, 12)
