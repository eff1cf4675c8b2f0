"""Each baseline against a plain recomputation, and none of them sees the year it answers."""

from dataclasses import replace

import numpy as np
import pytest

from agrocredit.domain.estimate import QUANTILE_LEVELS
from agrocredit.yields.area.rows import AreaRows
from agrocredit.yields.rolling_baselines import rolling_baselines

NAMES = {"climatology", "mean", "pooled_trend", "county_trend", "ridge", "gradient_boosting"}


def harvests(units=12, first=2000, last=2014, seed=4):
    """Counties of two states whose yields rise, with one feature that moves them and one that was never measured."""
    rng = np.random.default_rng(seed)
    years = np.arange(first, last + 1)
    unit, year = (grid.ravel() for grid in np.meshgrid(np.arange(units), years, indexing="ij"))
    weather = rng.standard_normal(unit.size)
    yields = 4 + 0.1 * unit + 0.08 * (year - first) + 0.5 * weather + 0.2 * rng.standard_normal(unit.size)
    return AreaRows(
        units=np.array([f"u{k:02d}" for k in unit], dtype=object),
        regions=np.array([f"state {k % 2}" for k in unit], dtype=object),
        harvest_years=year.astype(np.int64),
        longitude_deg=np.full(unit.size, np.nan),
        latitude_deg=np.full(unit.size, np.nan),
        features=np.column_stack([weather, np.full(unit.size, np.nan)]),
        names=("weather", "unmeasured"),
        yields_t_ha=yields,
    )


@pytest.fixture(scope="module")
def rows():
    return harvests()


@pytest.fixture(scope="module")
def answers(rows):
    return rolling_baselines(rows, years=[2013, 2014])


def test_every_baseline_answers_the_years_asked_about_and_no_other(rows, answers):
    assert set(answers) == NAMES
    asked = rows.harvest_years >= 2013
    for quantiles in answers.values():
        assert quantiles.shape == (len(rows), len(QUANTILE_LEVELS))
        assert np.isfinite(quantiles[asked]).all()
        assert np.isnan(quantiles[~asked]).all()
        assert (np.diff(quantiles[asked], axis=1) >= 0).all()


def test_what_a_year_brought_and_what_came_after_changes_none_of_its_answers(rows, answers):
    later = rows.harvest_years >= 2013
    spoiled = replace(rows, yields_t_ha=np.where(later, 99.0, rows.yields_t_ha))
    again = rolling_baselines(spoiled, years=[2013])
    for name, quantiles in again.items():
        of_year = rows.harvest_years == 2013
        assert np.array_equal(quantiles[of_year], answers[name][of_year]), name


def test_the_mean_is_that_of_the_units_earlier_years(rows, answers):
    one = (rows.units == "u03") & (rows.harvest_years < 2014)
    asked = (rows.units == "u03") & (rows.harvest_years == 2014)
    assert answers["mean"][asked, 3] == pytest.approx(rows.yields_t_ha[one].mean())


def test_the_climatology_is_the_quantiles_of_the_regions_earlier_years(rows, answers):
    one = (rows.regions == "state 1") & (rows.harvest_years < 2014)
    asked = (rows.units == "u03") & (rows.harvest_years == 2014)
    assert answers["climatology"][asked][0] == pytest.approx(np.quantile(rows.yields_t_ha[one], QUANTILE_LEVELS))


def test_the_pooled_trend_is_least_squares_with_a_mean_a_unit_and_one_slope(rows, answers):
    past, now = rows.take(rows.harvest_years < 2014), rows.take(rows.harvest_years == 2014)
    names = sorted(set(past.units))
    design = [np.column_stack([part.units == name for name in names] + [part.harvest_years]) for part in (past, now)]
    solved, *_ = np.linalg.lstsq(design[0].astype(float), past.yields_t_ha, rcond=None)
    assert answers["pooled_trend"][rows.harvest_years == 2014, 3] == pytest.approx(design[1].astype(float) @ solved)


def test_the_county_trend_is_each_units_own_line(rows, answers):
    one = (rows.units == "u05") & (rows.harvest_years < 2014)
    line = np.polyfit(rows.harvest_years[one] - 2000, rows.yields_t_ha[one], 1)
    asked = (rows.units == "u05") & (rows.harvest_years == 2014)
    assert answers["county_trend"][asked, 3] == pytest.approx(np.polyval(line, 14))


def test_regression_and_boosting_learn_what_the_weather_does(rows, answers):
    asked = rows.harvest_years >= 2013
    error = {name: np.abs(rows.yields_t_ha - quantiles[:, 3])[asked].mean() for name, quantiles in answers.items()}
    assert error["ridge"] < 0.7 * error["pooled_trend"]
    assert error["gradient_boosting"] < error["mean"]


def test_intervals_are_the_errors_of_earlier_years_each_answered_from_its_own_past(rows, answers):
    errors = []
    for year in range(2004, 2014):
        means = {u: rows.yields_t_ha[(rows.units == u) & (rows.harvest_years < year)].mean() for u in set(rows.units)}
        now = rows.harvest_years == year
        errors.append(rows.yields_t_ha[now] - np.array([means[u] for u in rows.units[now]]))
    # Yields rise, so the mean was always too low; it stays the middle all the same.
    low, high = np.quantile(np.concatenate(errors), [0.05, 0.95])
    low = min(low, 0.0)
    asked = (rows.units == "u07") & (rows.harvest_years == 2014)
    middle = answers["mean"][asked, 3]
    assert answers["mean"][asked, 0] == pytest.approx(middle + low)
    assert answers["mean"][asked, 6] == pytest.approx(middle + high)


def test_a_unit_never_seen_takes_its_regions_mean(rows):
    names = np.where((rows.units == "u03") & (rows.harvest_years == 2014), "new", rows.units).astype(object)
    found = rolling_baselines(replace(rows, units=names), years=[2014])["mean"][names == "new", 3]
    past = (rows.regions == "state 1") & (rows.harvest_years < 2014)
    assert found == pytest.approx(rows.yields_t_ha[past].mean())


def test_fields_cut_once_do_not_find_their_own_yield_in_the_mean_they_learn_from(rows):
    fields = replace(rows, units=np.array([f"f{k}" for k in range(len(rows))], dtype=object))
    noise = np.random.default_rng(1).standard_normal(len(rows))
    answers = rolling_baselines(replace(fields, features=noise[:, None], names=("noise",)), years=[2014])
    asked = rows.harvest_years == 2014
    for name in ("mean", "ridge", "gradient_boosting"):
        width = answers[name][asked, 6] - answers[name][asked, 0]
        assert width.min() > 0.6 * (np.quantile(rows.yields_t_ha, 0.95) - np.quantile(rows.yields_t_ha, 0.05))


def test_one_earlier_year_answers_nothing(rows):
    few = rows.take(rows.harvest_years <= 2001)
    assert all(np.isnan(quantiles).all() for quantiles in rolling_baselines(few, years=[2001]).values())


def test_the_same_rows_give_the_same_answers(rows, answers):
    again = rolling_baselines(rows, years=[2013, 2014])
    assert all(np.array_equal(quantiles, answers[name], equal_nan=True) for name, quantiles in again.items())
