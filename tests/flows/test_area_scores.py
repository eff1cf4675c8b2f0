from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from agrocredit.domain.estimate import QUANTILE_COLUMNS
from pipelines.area_scores import _bootstrap
from pipelines.scored_rows import ScoredRows


def scored(errors_by_year, baseline_by_year, rows=30):
    """Rows whose median misses the truth by a stated error in each year, the baseline's by another."""
    years = np.repeat(np.arange(2000, 2000 + len(errors_by_year)), rows)
    truth = np.full(years.size, 5.0)
    ours = truth + np.repeat(errors_by_year, rows)
    theirs = truth + np.repeat(baseline_by_year, rows)
    table = pd.DataFrame({"harvest_year": years, "yield_t_ha": truth, **dict.fromkeys(QUANTILE_COLUMNS, ours)})
    return ScoredRows(rows=table, baselines={"trend": np.repeat(theirs[:, None], 7, axis=1)}, by_month={})


def test_a_gain_of_every_year_excludes_0_and_is_the_difference_of_the_errors():
    found = _bootstrap(scored([0.3] * 8, [0.5] * 8), "trend")
    assert found["rmse_gain_t_ha"] == pytest.approx(0.2)
    assert found["rmse_gain_95"] == [0.2, 0.2]
    assert (found["years_won"], found["years"]) == (8, 8)


def test_a_gain_that_one_year_makes_does_not_exclude_0():
    found = _bootstrap(scored([0.5] * 7 + [0.1], [0.5] * 7 + [2.0]), "trend")
    assert found["rmse_gain_t_ha"] > 0
    assert found["rmse_gain_95"][0] <= 0
    assert found["years_won"] == 1


def test_rows_that_either_side_leaves_unanswered_do_not_count():
    some = scored([0.3] * 4, [0.5] * 4)
    some.baselines["trend"][:30] = np.nan
    assert _bootstrap(some, "trend")["years"] == 3
