from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import mean_pinball_loss, mean_squared_error, r2_score

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.estimate import QUANTILE_LEVELS
from agrocredit.yields.scoring import rounded, score, score_by

NORMAL = stats.norm.ppf(QUANTILE_LEVELS)


def example(n=400, seed=1):
    rng = np.random.default_rng(seed)
    middle = rng.uniform(2, 8, n)
    return middle + rng.standard_normal(n), middle[:, None] + NORMAL


def test_scores_agree_with_scikit_learn():
    truth, quantiles = example()
    scores = score(truth, quantiles)
    assert scores["rmse_t_ha"] == pytest.approx(np.sqrt(mean_squared_error(truth, quantiles[:, 3])))
    assert scores["nrmse"] == pytest.approx(scores["rmse_t_ha"] / truth.mean())
    assert scores["r2"] == pytest.approx(r2_score(truth, quantiles[:, 3]))
    each = [mean_pinball_loss(truth, quantiles[:, k], alpha=level) for k, level in enumerate(QUANTILE_LEVELS)]
    assert scores["pinball"] == pytest.approx(np.mean(each))
    assert scores["width90_t_ha"] == pytest.approx(2 * 1.6448536)


def test_coverage_counts_the_edges_in():
    quantiles = np.tile(np.arange(7.0), (5, 1))
    scores = score(np.array([-0.1, 0.0, 3.0, 6.0, 6.1]), quantiles)
    assert scores["coverage90"] == 0.6
    assert scores["coverage80"] == 0.2


def test_abstained_rows_count_as_such_and_nowhere_else():
    truth, quantiles = example(100)
    with_gaps = np.concatenate([quantiles, np.full((30, 7), np.nan)])
    scores = score(np.concatenate([truth, np.full(30, 99.0)]), with_gaps)
    assert scores["abstained"] == 30
    assert {k: v for k, v in scores.items() if k != "abstained"} == {
        k: v for k, v in score(truth, quantiles).items() if k != "abstained"
    }


def test_nothing_answered_scores_nothing():
    scores = score(np.array([1.0, 2.0]), np.full((2, 7), np.nan))
    assert scores["n"] == 0
    assert scores["abstained"] == 2
    assert scores["rmse_t_ha"] is None


def test_r2_needs_truth_that_varies():
    assert score(np.array([3.0]), NORMAL[None, :] + 3)["r2"] is None
    assert score(np.array([3.0, 3.0]), np.tile(NORMAL + 3, (2, 1)))["r2"] is None


def test_groups_are_scored_each_for_itself():
    truth, quantiles = example(60)
    years = np.repeat([2017, 2016, 2018], 20)
    table = score_by(years, truth, quantiles)
    assert list(table) == ["2016", "2017", "2018"]
    assert table["2016"] == score(truth[20:40], quantiles[20:40])


def test_figures_are_rounded_however_deep():
    assert rounded({"a": {"b": 0.123456, "n": 3}, "c": None}) == {"a": {"b": 0.1235, "n": 3}, "c": None}


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(InputUnusableError, match="scores_invalid"):
        score(np.ones(3), np.ones((2, 7)))
