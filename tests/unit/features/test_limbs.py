from __future__ import annotations

import numpy as np
import pytest

from agrocredit.features.limbs import area_above, fall_day, rise_day, summit

DAYS = np.array([0.0, 10.0, 30.0, 40.0, 60.0])
CURVE = np.array([0.1, 0.5, 0.9, 0.6, 0.2])


def test_the_summit_of_a_parabola_is_found_on_uneven_days() -> None:
    parabola = 0.8 - ((DAYS - 27.0) / 50) ** 2
    assert summit(DAYS, parabola, int(np.argmax(parabola))) == pytest.approx((27.0, 0.8))


@pytest.mark.parametrize("curve", [[0.1, 0.2, 0.3, 0.4, 0.5], [0.5, 0.4, 0.3, 0.2, 0.1], [0.3, 0.3, 0.3, 0.3, 0.3]])
def test_a_summit_at_an_end_or_on_a_plain_stays_where_it_is(curve: list[float]) -> None:
    top = int(np.argmax(curve))
    assert summit(DAYS, np.array(curve), top) == (DAYS[top], curve[top])


def test_limbs_are_crossed_on_straight_lines_between_points() -> None:
    assert rise_day(DAYS, CURVE, 2, 0.3) == pytest.approx(5.0)
    assert rise_day(DAYS, CURVE, 2, 0.7) == pytest.approx(20.0)
    assert fall_day(DAYS, CURVE, 2, 0.4) == pytest.approx(50.0)


def test_a_level_that_a_limb_never_reaches_gives_nan() -> None:
    assert np.isnan(rise_day(DAYS, CURVE, 2, 0.05))
    assert np.isnan(fall_day(DAYS, CURVE, 2, 0.1))


def test_area_above_a_level_counts_only_what_stands_above_it() -> None:
    assert area_above(DAYS, CURVE, 0.0) == pytest.approx(10 * 0.3 + 20 * 0.7 + 10 * 0.75 + 20 * 0.4)
    # From day 5 (0.3) to day 55 (0.3): two trapezoids and the two triangles at the feet.
    assert area_above(DAYS, CURVE, 0.3) == pytest.approx(5 * 0.2 / 2 + 20 * 0.4 + 10 * 0.45 + 15 * 0.3 / 2)
    assert area_above(DAYS, CURVE, 1.0) == 0
