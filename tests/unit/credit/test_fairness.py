"""Rates by group, against the group that fares best, with numbers that can be checked by hand."""

import numpy as np
import pytest

from agrocredit.credit.fairness import FairnessBench, fairness, fairness_bench, size_bands
from agrocredit.domain.errors import InputUnusableError


def outcomes(groups, approved, *, limit=None, area_ha=None, qualified=None):
    approved = np.array(approved, dtype=bool)
    found = fairness(
        groups,
        approved=approved,
        limit=np.where(approved, 100.0, 0.0) if limit is None else np.array(limit, dtype=float),
        area_ha=np.ones(len(groups)) if area_ha is None else np.array(area_ha, dtype=float),
        qualified=np.ones(len(groups), dtype=bool) if qualified is None else np.array(qualified, dtype=bool),
    )
    return {outcome.group: outcome for outcome in found}


def test_rates_and_ratios_by_hand():
    groups = ["large"] * 40 + ["small"] * 50
    approved = [True] * 30 + [False] * 10 + [True] * 15 + [False] * 35
    area = [2.0] * 40 + [0.5] * 50
    limit = np.where(approved, np.where(np.array(groups) == "large", 1_000.0, 200.0), 0.0)
    qualified = [True] * 36 + [False] * 4 + [True] * 20 + [False] * 30
    found = outcomes(groups, approved, limit=limit, area_ha=area, qualified=qualified)
    large, small = found["large"], found["small"]
    assert (large.approval_rate, small.approval_rate) == (0.75, 0.3)
    assert (large.approval_ratio, small.approval_ratio) == (1.0, pytest.approx(0.4))
    assert (large.limit_per_ha, small.limit_per_ha) == (500.0, 400.0)
    assert small.limit_ratio == pytest.approx(0.8)
    assert small.qualified_rate == 15 / 20
    assert small.qualified_gap == pytest.approx(30 / 36 - 15 / 20)
    assert large.holds
    assert not small.holds


def test_four_fifths_exactly_hold():
    groups = ["a"] * 50 + ["b"] * 50
    found = outcomes(groups, [True] * 50 + [True] * 40 + [False] * 10)
    assert found["b"].approval_ratio == pytest.approx(0.8)
    assert found["b"].holds


def test_few_farmers_are_listed_and_not_judged():
    few = fairness_bench().group_farmers_min - 1
    found = outcomes(["many"] * 60 + ["few"] * few, [True] * 60 + [False] * few)
    assert found["few"].approval_rate == 0.0
    assert found["few"].approval_ratio is None
    assert found["few"].qualified_gap is None
    assert found["few"].holds


def test_nobody_approved_anywhere_has_no_ratio():
    found = outcomes(["a"] * 40 + ["b"] * 40, [False] * 80)
    assert found["a"].approval_ratio is None
    assert found["a"].limit_per_ha is None


def test_sizes_fall_into_half_open_bands():
    bands = size_bands(np.array([0.05, 0.2, 0.49, 0.5, 1.0, 1.99, 2.0, 9.9, 10.0]))
    assert bands == [
        "under 0.2 ha", "0.2 to 0.5 ha", "0.2 to 0.5 ha", "0.5 to 1 ha", "1 to 2 ha", "1 to 2 ha", "2 to 5 ha",
        "5 to 10 ha", "10 ha and more",
    ]  # fmt: skip


@pytest.mark.parametrize("bands", [(), (1.0, 0.5), (0.0, 1.0), (1.0, 1.0)])
def test_a_bench_of_sizes_that_do_not_rise_is_refused(bands):
    with pytest.raises(InputUnusableError) as caught:
        FairnessBench(approval_ratio_min=0.8, group_farmers_min=30, size_bands_ha=bands)
    assert caught.value.code == "fairness_bench_invalid"
