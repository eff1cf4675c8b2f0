from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.estimate import AbstainReason
from agrocredit.yields.area.normals import fit_normals
from agrocredit.yields.area.prediction import estimate_areas
from agrocredit.yields.area.release import SeasonStages

NOTHING = {"A1": {2012: 9.0}}


def test_a_wet_april_raises_the_estimate_and_a_dry_one_lowers_it(area_release, area_rows_of, a_history):
    rows = area_rows_of(["A1", "A1", "A1"], [2012] * 3, [[1.5, 0, 0], [0, 0, 0], [-1.5, 0, 0]])
    said = estimate_areas(area_release, rows, history=a_history(NOTHING), stage=2)
    middle = said.quantiles_t_ha[:, 3]
    assert middle[0] > middle[1] + 0.3 > middle[2] + 0.6
    assert said.reasons == [None] * 3


def test_a_network_that_has_learnt_nothing_states_the_level(untrained, area_rows_of, a_history):
    said = estimate_areas(untrained, area_rows_of(["A1"], [2012], [[1.5, 0, 0]]), history=a_history(NOTHING), stage=2)
    assert said.quantiles_t_ha[0, 3] == pytest.approx(said.levels_t_ha[0], abs=1e-6)


def test_the_releases_own_history_answers_where_the_folder_has_only_new_years(area_release, area_rows_of, a_history):
    rows = area_rows_of(["A1"], [2012], [[0.0, 0, 0]])
    alone = estimate_areas(area_release, rows, history=a_history(NOTHING), stage=2)
    both = estimate_areas(area_release, rows, history=area_release.history, stage=2)
    np.testing.assert_array_equal(alone.quantiles_t_ha, both.quantiles_t_ha)


def test_harvests_of_the_asked_year_and_later_change_nothing(area_release, area_rows_of, a_history):
    rows = area_rows_of(["A1"], [2008], [[0.5, 0, 0]])
    one = estimate_areas(area_release, rows, history=a_history({"A1": {2008: 0.1, 2009: 20.0}}), stage=2)
    other = estimate_areas(area_release, rows, history=a_history({"A1": {2008: 9.0}}), stage=2)
    np.testing.assert_array_equal(one.quantiles_t_ha, other.quantiles_t_ha)


def test_a_season_nobody_has_seen_anything_of_is_answered_by_its_history(area_release, area_rows_of, a_history):
    unseen = area_rows_of(["A1"], [2012], [[np.nan] * 3])
    said = estimate_areas(area_release, unseen, history=a_history(NOTHING), stage=2)
    assert said.reasons == [None]
    assert said.quantiles_t_ha[0, 3] == pytest.approx(said.levels_t_ha[0], abs=1e-6)


def test_where_there_is_no_stage_before_the_season_an_unseen_one_is_not_observed(area_release, area_rows_of, a_history):
    calibration = area_release.calibration
    single = replace(
        area_release,
        facts=replace(area_release.facts, stages=SeasonStages(first_month=1, dates=())),
        calibration=replace(
            calibration, trust=(1.0,), shifts=calibration.shifts[:1], widths={}, strangeness_max=(9.0,)
        ),
    )
    said = estimate_areas(single, area_rows_of(["A1"], [2012], [[np.nan] * 3]), history=a_history(NOTHING), stage=0)
    assert said.reasons == [AbstainReason.NOT_OBSERVED]
    assert np.isnan(said.quantiles_t_ha).all()


def test_a_region_without_history_and_a_season_beyond_all_are_out_of_distribution(
    area_release, area_rows_of, a_history
):
    rows = area_rows_of(["Z1", "A1"], [2012, 2012], [[0.0, 0, 0], [40.0, 0, 0]])
    said = estimate_areas(area_release, rows, history=a_history(NOTHING), stage=2)
    assert said.reasons == [AbstainReason.OUT_OF_DISTRIBUTION] * 2


def new_region(area_release, level, climate):
    """Eight even harvests of a region that the release has never met, and what its seasons are normally like."""
    usual = area_release.normals.mean.mean(axis=0) + np.array([climate, 0, 0])
    return {"Z1": dict.fromkeys(range(2004, 2012), level)}, usual


def test_a_new_region_of_a_like_climate_with_harvests_of_its_own_is_answered(area_release, area_rows_of, a_history):
    table, usual = new_region(area_release, 4.05, 0.0)
    rows = area_rows_of(["Z1"], [2012], [usual + np.array([1.0, 0, 0])])
    others = fit_normals(area_rows_of(["Z1"], [2011], [usual]))
    said = estimate_areas(area_release, rows, history=a_history(table), stage=2, others=others)
    assert said.reasons == [None]
    assert said.levels_t_ha[0] == pytest.approx(4.05, abs=0.05)
    assert said.quantiles_t_ha[0, 3] > 4.15  # the shared response to a wet April


@pytest.mark.parametrize(("level", "climate"), [(4.05, 2.0), (2.0, 0.0), (9.0, 0.0), (4.05, np.nan)])
def test_a_new_region_of_another_climate_or_level_or_an_unknown_climate_is_out_of_distribution(
    area_release, area_rows_of, a_history, level, climate
):
    table, usual = new_region(area_release, level, climate)
    rows = area_rows_of(["Z1"], [2012], [usual])
    others = None if np.isnan(climate) else fit_normals(area_rows_of(["Z1"], [2011], [usual]))
    for stage in (0, 2):
        said = estimate_areas(area_release, rows, history=a_history(table), stage=stage, others=others)
        assert said.reasons == [AbstainReason.OUT_OF_DISTRIBUTION]


def test_each_row_is_answered_as_if_it_were_alone(area_release, area_rows_of, a_history):
    rows = area_rows_of(["A1", "B2", "A3"], [2012] * 3, np.random.default_rng(0).standard_normal((3, 3)))
    together = estimate_areas(area_release, rows, history=a_history(NOTHING), stage=1).quantiles_t_ha
    for row in range(3):
        alone = estimate_areas(area_release, rows.take(np.array([row])), history=a_history(NOTHING), stage=1)
        np.testing.assert_allclose(alone.quantiles_t_ha[0], together[row], rtol=1e-5)


def test_a_regions_own_width_stretches_its_interval_about_the_middle_and_no_other(
    area_release, area_rows_of, a_history
):
    rows = area_rows_of(["A1", "B1"], [2012] * 2, [[0.3, 0, 0]] * 2)
    everywhere = replace(area_release, calibration=replace(area_release.calibration, widths={}))
    own, pooled = (
        estimate_areas(one, rows, history=a_history(NOTHING), stage=2).quantiles_t_ha
        for one in (area_release, everywhere)
    )
    np.testing.assert_array_equal(own[0], pooled[0])
    np.testing.assert_allclose(own[1] - own[1, 3], 1.5 * (pooled[1] - pooled[1, 3]))


def test_rows_of_two_years_at_once_are_refused(area_release, area_rows_of, a_history):
    rows = area_rows_of(["A1", "A1"], [2011, 2012], np.zeros((2, 3)))
    with pytest.raises(InputUnusableError, match="2 years, expected one"):
        estimate_areas(area_release, rows, history=a_history(NOTHING), stage=2)
