from __future__ import annotations

import numpy as np
import pytest

from agrocredit.features import Smoothing, whittaker_smooth
from agrocredit.features.knots import draw_curves

PURE = Smoothing(tension_day=0.0)


def draw(values, weights, days, steps, *, smoothing: Smoothing = PURE, length_days: float = 200.0) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    steps = np.broadcast_to(np.asarray(steps, dtype=float), (values.shape[0], len(steps)))
    return draw_curves(
        values,
        np.asarray(weights, dtype=float),
        np.asarray(days, dtype=float),
        np.ascontiguousarray(steps),
        length_days=length_days,
        smoothing=smoothing,
    )


def dense_oracle(values, weights, days, steps, *, smoothing: Smoothing, length_days: float) -> np.ndarray:
    """Solve one series from the written-out matrices of knots, differences and looks."""
    step = smoothing.knot_days
    knots = np.arange(0, np.ceil(length_days / step) + 1)
    bend, slope = np.diff(np.eye(knots.size), 2, axis=0), np.diff(np.eye(knots.size), 1, axis=0)
    tents = np.maximum(0, 1 - np.abs(days[:, None] / step - knots))
    stiff = smoothing.penalty_day3 / step**3 * bend.T @ bend + smoothing.tension_day / step * slope.T @ slope
    z = np.linalg.solve(tents.T @ (weights[:, None] * tents) + stiff, tents.T @ (weights * values))
    return np.maximum(0, 1 - np.abs(steps[:, None] / step - knots)) @ z


def test_with_a_look_on_every_knot_it_is_the_whittaker_smoother() -> None:
    rng = np.random.default_rng(0)
    days = np.arange(0.0, 201.0, 5.0)
    values, weights = rng.random((7, days.size, 3)), rng.uniform(0.1, 1, (7, days.size))
    curves = draw(values, weights, days, days)
    for channel in range(3):
        expected = whittaker_smooth(values[:, :, channel], weights, penalty=PURE.penalty_day3 / 125)
        np.testing.assert_allclose(curves[:, :, channel], expected, atol=1e-6)


@pytest.mark.parametrize("tension_day", [0.0, 1.0, 20.0])
@pytest.mark.parametrize("penalty_day3", [10.0, 500.0, 1e5])
def test_looks_between_knots_agree_with_the_written_out_matrices(penalty_day3: float, tension_day: float) -> None:
    rng = np.random.default_rng(1)
    smoothing = Smoothing(penalty_day3=penalty_day3, tension_day=tension_day)
    days = np.sort(rng.uniform(0, 200, 30))
    values, weights = rng.random((40, 30, 1)), rng.uniform(0.05, 1, (40, 30))
    steps = np.sort(rng.uniform(days[0], days[-1], 36))
    curves = draw(values, weights, days, steps, smoothing=smoothing)
    for p in range(40):
        expected = dense_oracle(values[p, :, 0], weights[p], days, steps, smoothing=smoothing, length_days=200.0)
        np.testing.assert_allclose(curves[p, :, 0], expected, atol=1e-5)


def test_outside_the_looks_the_nearest_value_is_held_and_then_nothing_is_said() -> None:
    days, steps = [50.0, 70.0, 90.0], [39.9, 40.0, 50.0, 90.0, 100.0, 100.1, np.nan]
    curve = draw(np.array([[[0.2], [0.4], [0.6]]]), np.ones((1, 3)), days, steps)[0, :, 0]
    np.testing.assert_allclose(curve, [np.nan, 0.2, 0.2, 0.6, 0.6, np.nan, np.nan], atol=1e-5)


@pytest.mark.parametrize("seen", [0, 1])
def test_fewer_than_two_looks_draw_nothing_and_leave_neighbours_alone(seen: int) -> None:
    days = np.arange(0.0, 200.0, 10.0)
    values, weights = np.full((3, 20, 1), 0.5), np.ones((3, 20))
    weights[1] = 0
    weights[1, :seen] = 1
    curves = draw(values, weights, days, days)
    assert np.isnan(curves[1]).all()
    np.testing.assert_allclose(curves[[0, 2]], 0.5, atol=1e-6)


def test_a_channel_with_its_own_holes_does_not_touch_the_others() -> None:
    days = np.arange(0.0, 200.0, 10.0)
    values = np.random.default_rng(2).random((2, 20, 2))
    holed = values.copy()
    holed[:, 3:9, 1] = np.nan
    plain, other = draw(values, np.ones((2, 20)), days, days), draw(holed, np.ones((2, 20)), days, days)
    np.testing.assert_array_equal(plain[:, :, 0], other[:, :, 0])
    assert not np.array_equal(plain[:, :, 1], other[:, :, 1])


def test_tension_keeps_a_long_gap_from_swinging_over() -> None:
    days = np.array([0.0, 10.0, 20.0, 120.0, 130.0, 140.0])
    values = np.array([0.2, 0.5, 0.8, 0.8, 0.5, 0.2])[None, :, None]
    steps = np.arange(20.0, 121.0, 5.0)
    loose = draw(values, np.ones((1, 6)), days, steps, smoothing=Smoothing(tension_day=0.0))
    taut = draw(values, np.ones((1, 6)), days, steps, smoothing=Smoothing())
    assert loose.max() - 0.8 > 0.6
    assert taut.max() - 0.8 < 0.5 * (loose.max() - 0.8)
