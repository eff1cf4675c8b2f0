"""A forecast knows nothing of its own year or later ones, learns from its place, and says how unsure it is."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.estimate import QUANTILE_LEVELS
from agrocredit.yields import rolling_forecasts

MEDIAN = QUANTILE_LEVELS.index(0.5)


def harvests(units=40, years=14, *, seed=1, regions=2, placed=True):
    """Counties on a grid: a region's level, a county's own offset, the year's weather, and luck."""
    rng = np.random.default_rng(seed)
    offset, weather = rng.normal(0, 0.6, units), rng.normal(0, 0.4, (regions, years))
    unit, year = np.repeat(np.arange(units), years), np.tile(np.arange(years), units)
    brought = 4.0 + offset[unit] + weather[unit % regions, year] + rng.normal(0, 0.3, units * years)
    return pd.DataFrame(
        {
            "unit": [f"u{i:03d}" for i in unit],
            "region": [f"r{i % regions}" for i in unit],
            "harvest_year": 2000 + year,
            "yield_t_ha": np.maximum(brought, 0.0),
            "longitude": -100.0 + 0.5 * (unit % 7) if placed else np.nan,
            "latitude": 38.0 + 0.5 * (unit // 7) if placed else np.nan,
        }
    )


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(2004, 2012))
def test_no_later_harvest_changes_a_forecast(seed, cut):
    rows = harvests(12, seed=seed)
    until = rows["harvest_year"].to_numpy() <= cut
    changed = rows.assign(yield_t_ha=np.where(rows["harvest_year"] >= cut, 0.1, rows["yield_t_ha"]))
    before = rolling_forecasts(rows)[until]
    np.testing.assert_array_equal(rolling_forecasts(changed)[until], before)
    np.testing.assert_allclose(rolling_forecasts(rows[until]), before, rtol=1e-12)


def test_the_order_of_rows_changes_nothing():
    rows = harvests()
    order = np.random.default_rng(3).permutation(len(rows))
    np.testing.assert_array_equal(rolling_forecasts(rows.iloc[order]), rolling_forecasts(rows)[order])


def test_quantiles_rise_and_are_never_below_zero():
    quantiles = rolling_forecasts(harvests().assign(yield_t_ha=lambda t: t["yield_t_ha"] * 0.05))
    known = quantiles[np.isfinite(quantiles[:, 0])]
    assert len(known) > 300
    assert (np.diff(known, axis=1) >= 0).all()
    assert (known >= 0).all()


def test_the_truth_lies_below_each_quantile_about_as_often_as_it_says():
    rows = harvests(60, 40, seed=5)
    quantiles = rolling_forecasts(rows)
    late = (rows["harvest_year"] >= 2012).to_numpy()
    below = (rows["yield_t_ha"].to_numpy()[late, None] < quantiles[late]).mean(axis=0)
    # 28 years with a weather of their own in each of two regions: some 56 independent draws, one standard error .067
    # in the middle.
    np.testing.assert_allclose(below, QUANTILE_LEVELS, atol=0.14)


def test_a_place_that_always_brings_more_is_expected_to_bring_more():
    rows = harvests(units=20, seed=2)
    rich = rows["unit"] == "u004"
    rows.loc[rich, "yield_t_ha"] += 2.0
    medians = pd.Series(rolling_forecasts(rows)[:, MEDIAN])
    last = rows["harvest_year"] == 2013
    ours = medians[(last & rich).to_numpy()].item()
    assert ours > medians[last.to_numpy()].median() + 1.0


def test_fields_seen_once_learn_from_fields_nearby():
    """Like crop cuts: no field twice, rich land in the west, poor land 100 km further east."""
    rng = np.random.default_rng(8)
    parts = []
    for year in range(2015, 2020):
        west = rng.random(200) < 0.5
        parts.append(
            pd.DataFrame(
                {
                    "unit": [f"{year}-{i}" for i in range(200)],
                    "region": "Kenya",
                    "harvest_year": year,
                    "yield_t_ha": np.where(west, 4.0, 2.0) + rng.normal(0, 0.5, 200),
                    "longitude": np.where(west, 34.0, 35.0) + rng.normal(0, 0.05, 200),
                    "latitude": rng.normal(0.5, 0.05, 200),
                }
            )
        )
    rows = pd.concat(parts, ignore_index=True)
    medians = rolling_forecasts(rows)[:, MEDIAN]
    last, west = (rows["harvest_year"] == 2019).to_numpy(), (rows["longitude"] < 34.5).to_numpy()
    assert medians[last & west].mean() > 3.5
    assert medians[last & ~west].mean() < 2.5


def test_few_years_say_nothing():
    one = harvests(years=1)
    assert np.isnan(rolling_forecasts(one)).all()
    alone = harvests(units=1, years=4, regions=1, placed=False)
    assert np.isnan(rolling_forecasts(alone)).all()  # three errors are needed, and the first year makes none
    longer = harvests(units=1, years=5, regions=1, placed=False)
    assert np.isfinite(rolling_forecasts(longer)).all(axis=1).tolist() == [False] * 4 + [True]


def test_a_level_of_two_years_can_be_computed_by_hand():
    rows = pd.DataFrame(
        {
            "unit": ["a", "b"] * 3,
            "region": ["r"] * 6,
            "harvest_year": [2001, 2001, 2002, 2002, 2003, 2003],
            "yield_t_ha": [4.0, 2.0, 5.0, 1.0, 4.0, 2.0],
            "longitude": [0.0, 5.0] * 3,
            "latitude": [1.0] * 6,
        }
    )
    medians = rolling_forecasts(rows)[-2:, MEDIAN]
    # Both years' means are 3; a was 1 and 2 above: 3 + 3 / (2 + 1). The errors of 2002 cancel within their year, so the
    # years' share of the variance is nil and the tails are known.
    np.testing.assert_allclose(medians, [4.0, 2.0])


def test_two_yields_of_one_unit_and_year_are_refused():
    rows = harvests(2, 3)
    with pytest.raises(InputUnusableError) as caught:
        rolling_forecasts(pd.concat([rows, rows.iloc[:1]]))
    assert caught.value.code == "history_invalid"
    with pytest.raises(InputUnusableError) as caught:
        rolling_forecasts(rows.drop(columns="region"))
    assert caught.value.code == "column_missing"
