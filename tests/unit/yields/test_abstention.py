from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.estimate import AbstainReason
from agrocredit.yields.abstention import abstain
from agrocredit.yields.descriptors import describe, fit_range
from agrocredit.yields.inputs import GAP_SCALE_DAYS, season_inputs

from .conftest import ABSTENTION, bell_season, training_seasons


def inputs_of(season):
    return season_inputs(season, pixel_counts=60.0, levels_t_ha=np.nan, reference_t_ha=4.0)


@pytest.fixture(scope="module")
def known():
    return fit_range(describe(inputs_of(training_seasons())), refused_share=0.01)


def reasons(season, known, **changes):
    n = season.sizes["plot"]
    settings = {
        "observations": np.full(n, 40),
        "clear_observations": np.full(n, 20),
        "pixel_counts": np.full(n, 60.0),
        "config": ABSTENTION,
    } | changes
    return abstain(inputs_of(season), known=known, **settings)


def test_an_ordinary_crop_is_answered(known):
    assert reasons(bell_season([0.6, 0.8, 0.9]), known) == [None, None, None]


def test_each_reason_has_its_case(known):
    crop = bell_season([0.8])
    assert reasons(crop, known, observations=np.array([0])) == [AbstainReason.NOT_OBSERVED]
    assert reasons(crop, known, pixel_counts=np.array([3.9])) == [AbstainReason.PLOT_TOO_SMALL]
    assert reasons(crop, known, clear_observations=np.array([3])) == [AbstainReason.TOO_FEW_CLEAR_OBSERVATIONS]
    assert reasons(bell_season([0.2]), known) == [AbstainReason.NO_CROP_SEEN]
    assert reasons(bell_season([0.9], positions=[0.05]), known) == [AbstainReason.OUT_OF_DISTRIBUTION]


@pytest.mark.parametrize(
    ("latitude_deg", "reason"),
    [
        (47.5, None),
        (-33.0, None),
        (3.0, AbstainReason.OUT_OF_DISTRIBUTION),
        (np.nan, AbstainReason.OUT_OF_DISTRIBUTION),
    ],
)
def test_a_place_without_weather_like_the_training_is_out_of_range(known, latitude_deg, reason):
    assert reasons(bell_season([0.8]), known, latitudes_deg=np.array([latitude_deg])) == [reason]


def test_a_plot_of_one_mu_is_large_enough(known):
    assert reasons(bell_season([0.8]), known, pixel_counts=np.array([10_000 / 15 / 100])) == [None]


def test_an_unknown_area_counts_as_too_small(known):
    assert reasons(bell_season([0.8]), known, pixel_counts=np.array([np.nan])) == [AbstainReason.PLOT_TOO_SMALL]


def test_the_first_check_in_order_gives_the_reason(known):
    everything_wrong = {
        "observations": np.array([0]),
        "clear_observations": np.array([0]),
        "pixel_counts": np.array([1.0]),
    }
    order = [AbstainReason.NOT_OBSERVED, AbstainReason.PLOT_TOO_SMALL, AbstainReason.TOO_FEW_CLEAR_OBSERVATIONS]
    mended = {"observations": 40, "pixel_counts": 60.0, "clear_observations": 20}
    for expected, name in zip(order, mended, strict=True):
        assert reasons(bell_season([0.2]), known, **everything_wrong) == [expected]
        everything_wrong[name] = np.array([mended[name]])
    assert reasons(bell_season([0.2]), known, **everything_wrong) == [AbstainReason.NO_CROP_SEEN]


def test_water_houses_and_evergreen_forest_show_no_crop(known):
    flat = bell_season([0.15, 0.1, 0.8], low=0.1)
    flat["curve"][0] = -0.3
    flat["curve"][1] = 0.12
    flat["curve"][2] = 0.8
    assert reasons(flat, known) == [AbstainReason.NO_CROP_SEEN] * 3


def test_before_the_canopy_can_have_closed_bare_soil_is_no_missing_crop(known):
    early = bell_season([0.85], positions=[0.7], as_of=date(2022, 1, 15))
    assert reasons(early, replace(known, tail=0.0)) == [None]


def test_a_crop_that_may_only_have_been_missed_asks_for_more_looks(known):
    season = bell_season([0.2])
    season["gap_days"][:, 10:] = 2.5 * GAP_SCALE_DAYS
    assert reasons(season, known) == [AbstainReason.TOO_FEW_CLEAR_OBSERVATIONS]


def test_a_curve_without_a_single_value_has_too_few_observations(known):
    season = bell_season([0.8])
    season["curve"][:] = np.nan
    assert reasons(season, known) == [AbstainReason.TOO_FEW_CLEAR_OBSERVATIONS]


def test_thresholds_out_of_range_are_refused():
    with pytest.raises(InputUnusableError, match="config_invalid"):
        replace(ABSTENTION, ndvi_peak_min=1.5)
