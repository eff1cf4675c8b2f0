"""Dates and splits."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.credit.rounding import floor_to_minor, simple_interest_minor, split_by_largest_remainder
from agrocredit.credit.schedule import bullets, due_on


def test_interest_on_fifty_thousand_at_seven_percent_for_180_days():
    assert simple_interest_minor(5_000_000, rate=Decimal("0.07"), days=180) == 172_603


def test_due_date_is_a_quantile_of_the_window_and_time_to_sell():
    found = due_on(date(2024, 6, 1), harvest_end_on=date(2024, 6, 21), harvest_quantile=0.8, marketing_days=45)
    assert found == date(2024, 8, 1)


@given(total=st.integers(0, 10**12), weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=8))
def test_parts_sum_to_the_whole_and_stay_within_one_unit(total, weights):
    if not sum(weights):
        with pytest.raises(ValueError, match="positive sum"):
            split_by_largest_remainder(total, weights=weights)
        return
    parts = split_by_largest_remainder(total, weights=weights)
    assert sum(parts) == total
    assert all(
        abs(part * sum(weights) - total * weight) < sum(weights) for part, weight in zip(parts, weights, strict=True)
    )


def test_bullets_follow_the_crops():
    found = bullets(1_001, crops=[("wheat", date(2024, 8, 1), 300), ("maize", date(2024, 12, 1), 100)])
    assert [b.principal_minor for b in found] == [751, 250]


def test_floating_noise_does_not_cost_a_cent_and_fractions_do_not_give_one():
    amounts = np.array([0.1 + 0.2, 0.29, 0.2999, 4.35])
    assert floor_to_minor(amounts, minor_per_major=100).tolist() == [30, 29, 29, 435]
    assert floor_to_minor(np.array([1234.9]), minor_per_major=1).tolist() == [1234]


def test_two_crops_fall_due_one_after_the_other(desk):
    plots = [desk.plot("p1", crop="winter_wheat"), desk.plot("p2", crop="maize")]
    decision, record = desk.one(plots)
    parts = record["result"]["bullets"]
    assert [part["crop"] for part in parts] == ["winter_wheat", "maize"]
    assert sum(part["principal_minor"] for part in parts) == decision.limit_minor
    assert parts[-1]["due_on"] == decision.due_on.isoformat()


def test_a_late_crop_that_adds_little_does_not_stretch_the_loan(desk):
    plots = [desk.plot("p1", area_m2=4_000.0), desk.plot("p2", area_m2=10.0, crop="maize", median=0.1, spread=0.01)]
    decision, record = desk.one(plots)
    assert decision.due_on == date(2024, 8, 1)
    assert len(record["result"]["bullets"]) == 1
