from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from scipy.stats import chi2

from agrocredit.domain.errors import InputUnusableError
from agrocredit.yields.descriptors import DESCRIPTORS, TrainingRange, describe, fit_range, tail_share
from agrocredit.yields.inputs import STEPS, season_inputs

from .conftest import bell_season, training_seasons


def inputs_of(season):
    return season_inputs(season, pixel_counts=60.0, levels_t_ha=np.nan, reference_t_ha=4.0)


def described(season):
    return dict(zip(DESCRIPTORS, describe(inputs_of(season)).T, strict=True))


def test_descriptors_read_off_a_known_curve():
    season = bell_season([0.8], low=0.2)
    table = described(season)
    ndvi = season["curve"].to_numpy()[0, :, 0]
    assert table["ndvi_peak"][0] == pytest.approx(ndvi.max(), abs=1e-6)
    assert table["ndvi_low"][0] == pytest.approx(ndvi.min(), abs=1e-6)
    assert table["ndvi_mean"][0] == pytest.approx(ndvi.mean(), abs=1e-6)
    assert table["ndvi_peak_position"][0] == pytest.approx(ndvi.argmax() / STEPS)
    assert table["ndvi_rise_max"][0] == pytest.approx(np.diff(ndvi).max(), abs=1e-6)
    assert table["ndvi_fall_max"][0] == pytest.approx(-np.diff(ndvi).min(), abs=1e-6)
    assert table["evi_at_peak"][0] == pytest.approx(0.9 * ndvi.max(), abs=1e-6)
    assert table["season_share"][0] == 1.0


def test_steps_far_from_any_look_describe_nothing():
    season = bell_season([0.9])
    season["gap_days"][:, 15:] = 60.0
    assert described(season)["ndvi_peak"][0] == pytest.approx(float(season["curve"][0, :15, 0].max()), abs=1e-6)


def test_an_index_that_was_not_observed_is_not_described():
    table = described(bell_season([0.9], channels=["ndvi", "evi"]))
    assert np.isnan(table["ndrei_at_peak"][0])
    assert np.isfinite(table["evi_at_peak"][0])


def test_the_range_refuses_the_stated_share_of_its_own_seasons():
    rows = describe(inputs_of(training_seasons(2000)))
    known = fit_range(rows, refused_share=0.02)
    assert (tail_share(rows, known) < known.tail).mean() == pytest.approx(0.02, abs=0.002)


def test_the_distance_is_mahalanobis_also_where_descriptors_are_missing():
    rows = describe(inputs_of(training_seasons(800)))
    known = fit_range(rows, refused_share=0.01)
    one = rows[:1].copy()
    covariance, mean = np.array(known.covariance), np.array(known.mean)
    whole = mahalanobis(one[0], mean, np.linalg.inv(covariance)) ** 2
    assert tail_share(one, known)[0] == pytest.approx(chi2.sf(whole, len(DESCRIPTORS)))
    one[0, 3:5] = np.nan
    kept = np.delete(np.arange(len(DESCRIPTORS)), [3, 4])
    part = mahalanobis(one[0, kept], mean[kept], np.linalg.inv(covariance[np.ix_(kept, kept)])) ** 2
    assert tail_share(one, known)[0] == pytest.approx(chi2.sf(part, kept.size))


def test_a_season_without_descriptors_is_as_strange_as_can_be():
    known = fit_range(describe(inputs_of(training_seasons())), refused_share=0.01)
    assert tail_share(np.full((1, len(DESCRIPTORS)), np.nan), known)[0] == 0.0


def test_too_few_seasons_make_no_range():
    with pytest.raises(InputUnusableError, match="training_data_invalid"):
        fit_range(describe(inputs_of(training_seasons(20))), refused_share=0.01)


def test_a_range_that_is_no_covariance_is_refused():
    k = len(DESCRIPTORS)
    with pytest.raises(InputUnusableError, match="positive definite"):
        TrainingRange(mean=(0.0,) * k, covariance=((0.0,) * k,) * k, tail=0.1)
    with pytest.raises(InputUnusableError, match="model_invalid"):
        TrainingRange(mean=(0.0,) * 2, covariance=((1.0, 0.0), (0.0, 1.0)), tail=0.1)
