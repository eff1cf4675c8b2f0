from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from agrocredit.domain.errors import InputUnusableError
from agrocredit.yields.baselines import folds, integral_line, regional_mean


def example(n=300, seed=1):
    rng = np.random.default_rng(seed)
    regions = rng.choice(["a", "b", "c"], n).astype(object)
    years = rng.choice([2016, 2017, 2018], n)
    integrals = rng.uniform(50, 150, n)
    truth = 1 + 0.03 * integrals + (regions == "b") + 0.3 * rng.standard_normal(n)
    return regions, years, integrals, truth


def test_several_years_are_the_folds_and_one_year_is_cut_by_unit():
    assert folds(["x", "y"], np.array([2016, 2017])).tolist() == [2016, 2017]
    one_year = folds([f"u{k:02d}" for k in range(12)], np.full(12, 2016))
    assert sorted(set(one_year.tolist())) == [0, 1, 2, 3, 4]
    again = folds([f"u{k:02d}" for k in reversed(range(12))], np.full(12, 2016))
    assert again.tolist() == one_year.tolist()[::-1]


def test_the_regional_mean_is_that_of_the_other_years():
    regions, years, _, truth = example()
    answers = regional_mean(regions, truth, fold=years)
    row = 7
    rest = (regions == regions[row]) & (years != years[row])
    assert answers[row, 3] == pytest.approx(truth[rest].mean())


def test_the_line_agrees_with_scikit_learn():
    _, years, integrals, truth = example()
    answers = integral_line(integrals, truth, fold=years)
    held = years == 2017
    line = LinearRegression().fit(integrals[~held, None], truth[~held])
    assert answers[held, 3] == pytest.approx(line.predict(integrals[held, None]))


def test_a_row_never_helps_to_answer_itself():
    regions, years, integrals, truth = example()
    wild = truth.copy()
    wild[5] = 1e6
    same_year = years == years[5]
    for baseline in (
        lambda values: regional_mean(regions, values, fold=years),
        lambda values: integral_line(integrals, values, fold=years),
    ):
        assert np.array_equal(baseline(wild)[same_year], baseline(truth)[same_year])


def test_baseline_quantiles_rise_and_cover_about_what_they_say():
    regions, years, integrals, truth = example(3000)
    for answers in (regional_mean(regions, truth, fold=years), integral_line(integrals, truth, fold=years)):
        assert (np.diff(answers, axis=1) >= 0).all()
        inside = (truth >= answers[:, 0]) & (truth <= answers[:, 6])
        assert inside.mean() == pytest.approx(0.9, abs=0.03)


def test_a_region_nobody_else_has_takes_the_mean_of_all():
    regions, years, _, truth = example()
    regions[0] = "island"
    answers = regional_mean(regions, truth, fold=years)
    assert answers[0, 3] == pytest.approx(truth[years != years[0]].mean())


def test_rows_without_an_integral_have_no_answer():
    _, years, integrals, truth = example()
    integrals[3] = np.nan
    answers = integral_line(integrals, truth, fold=years)
    assert np.isnan(answers[3]).all()
    assert np.isfinite(np.delete(answers, 3, axis=0)).all()


def test_too_few_rows_give_no_answer_and_wrong_shapes_an_error():
    assert np.isnan(regional_mean(np.array(["a", "a"], dtype=object), np.ones(2), fold=np.array([0, 1]))).all()
    with pytest.raises(InputUnusableError, match="scores_invalid"):
        regional_mean(np.array(["a"], dtype=object), np.ones(1), fold=np.zeros(2, dtype=np.int64))
