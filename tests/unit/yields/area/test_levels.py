from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agrocredit.yields.area.levels import LevelConfig, levels

CONFIG = LevelConfig(
    decay=0.9,
    growth_per_year=0.0,
    growth_years=0,
    unit_years=1.0,
    clip_sigmas=2.5,
    deviation_years=8.0,
    years_min=5,
)


def level_of(history, unit, year, **changes):
    found = levels(
        history.before(year),
        units=np.array([unit], dtype=object),
        regions=np.array([unit[0]], dtype=object),
        year=year,
        config=replace(CONFIG, **changes),
    )
    return float(found.expected_t_ha[0])


def test_a_straight_line_is_carried_on_to_the_year_asked_about(a_history):
    line = {year: 2.0 + 0.1 * (year - 2000) for year in range(2000, 2010)}
    assert level_of(a_history({"A1": line, "A2": line}), "A1", 2012) == pytest.approx(3.2)


def test_a_slope_out_of_a_short_history_gives_way_to_the_long_run_growth(a_history):
    line = {year: 2.0 + 0.1 * (year - 2000) for year in range(2000, 2006)}
    history = a_history({"A1": line})
    assert level_of(history, "A1", 2006) == pytest.approx(2.6)
    weights = 0.9 ** np.arange(5, -1, -1)
    weighted_mean = float(np.average(list(line.values()), weights=weights))
    assert level_of(history, "A1", 2006, growth_years=1000) == pytest.approx(weighted_mean, abs=0.001)


def test_a_unit_with_one_year_of_its_own_stands_halfway_to_its_region(a_history):
    flat = dict.fromkeys(range(2000, 2020), 4.0)
    history = a_history({"A1": flat, "A2": {2019: 2.0}})
    region = (4.0 * sum(0.9**k for k in range(20)) + 2.0) / (sum(0.9**k for k in range(20)) + 1)
    assert level_of(history, "A2", 2020, clip_sigmas=1e6) == pytest.approx(0.5 * 2.0 + 0.5 * region, rel=1e-3)


def test_an_area_that_nobody_has_harvested_takes_its_regions_level_and_without_a_region_none(a_history):
    history = a_history({"A1": dict.fromkeys(range(2000, 2010), 3.0)})
    assert level_of(history, "A9", 2010) == pytest.approx(3.0)
    assert np.isnan(level_of(history, "B1", 2010))


def test_a_history_shorter_than_the_least_gives_no_level(a_history):
    assert np.isnan(level_of(a_history({"A1": dict.fromkeys(range(2000, 2004), 3.0)}), "A1", 2004))


def test_one_failed_harvest_moves_the_level_far_less_than_a_mean_would(a_history):
    good = {year: 3.0 + 0.05 * (-1) ** year for year in range(2000, 2012)}
    units = {f"A{k}": good for k in range(20)}
    failed = a_history({**units, "A1": {**good, 2011: 0.0}})
    calm = level_of(a_history(units), "A1", 2012)
    assert calm - level_of(failed, "A1", 2012) < 0.3 * (calm - level_of(failed, "A1", 2012, clip_sigmas=1e6))


@given(st.lists(st.floats(0, 12), min_size=8, max_size=8), st.floats(0, 100))
@settings(deadline=None)
def test_the_year_asked_about_and_later_ones_change_nothing(a_history, brought, later):
    earlier = dict(zip(range(2000, 2008), brought, strict=True))
    alone = level_of(a_history({"A1": earlier}), "A1", 2008)
    with_later = level_of(a_history({"A1": {**earlier, 2008: later, 2009: later}}), "A1", 2008)
    assert alone == with_later
    assert alone >= 0


def test_an_area_that_swings_more_than_its_neighbours_has_a_wider_usual_deviation(a_history):
    calm = {year: 3.0 + 0.1 * (-1) ** year for year in range(2000, 2012)}
    wild = {year: 3.0 + 0.3 * (-1) ** year for year in range(2000, 2012)}
    history = a_history({"A1": calm, "A2": wild})
    found = levels(
        history,
        units=np.array(["A1", "A2", "A3"], dtype=object),
        regions=np.array(["A"] * 3, dtype=object),
        year=2012,
        config=CONFIG,
    ).deviation_t_ha
    assert found[0] < found[2] < found[1]
    assert found[2] == pytest.approx(0.2, abs=0.02)
