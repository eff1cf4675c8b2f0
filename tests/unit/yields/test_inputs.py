from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.yields.inputs import (
    CHANNELS,
    CONTEXT_INPUTS,
    STEP_INPUTS,
    STEPS,
    SeasonInputs,
    blocks,
    channels_missing,
    season_inputs,
    with_level,
)

from .conftest import bell_season


def inputs_of(season, **changes):
    settings = {"pixel_counts": 100.0, "levels_t_ha": np.nan, "reference_t_ha": 4.0} | changes
    return season_inputs(season, **settings)


def context(inputs, name):
    return inputs.context[:, CONTEXT_INPUTS.index(name)]


def test_a_curve_value_becomes_its_distance_from_the_centre_in_spreads():
    season = bell_season([0.9])
    season["curve"][:] = 0.75
    steps = inputs_of(season).steps[0]
    for place, channel in enumerate(CHANNELS):
        assert steps[0, place] == pytest.approx((0.75 - channel.centre) / channel.spread, abs=1e-6)


def test_channels_are_found_by_name_in_any_order_and_case():
    season = bell_season([0.9, 0.5])
    turned = season.isel(channel=slice(None, None, -1)).assign_coords(
        channel=[str(name).upper() for name in season["channel"].to_numpy()[::-1]]
    )
    assert np.array_equal(inputs_of(turned).steps, inputs_of(season).steps)


def test_a_missing_index_is_zero_and_said_to_be_missing():
    inputs = inputs_of(bell_season([0.9], channels=["ndvi", "evi"]))
    assert context(inputs, "has_evi") == 1
    assert context(inputs, "has_ndrei") == 0
    assert not inputs.steps[0, :, 5].any()


def test_steps_after_the_day_of_knowledge_are_unknown():
    inputs = inputs_of(bell_season([0.9], as_of=date(2022, 3, 2)))
    known = inputs.steps[0, :, STEP_INPUTS.index("known")]
    assert known[:17].all()
    assert not known[19:].any()
    assert not inputs.steps[0, 19:, : len(CHANNELS)].any()
    assert context(inputs, "progress") == pytest.approx(182 / 365)


def test_a_level_that_nobody_knows_is_marked_and_neutral():
    inputs = inputs_of(bell_season([0.9, 0.9, 0.9]), levels_t_ha=[np.nan, 8.0, 0.0])
    assert context(inputs, "level_known").tolist() == [0, 1, 0]
    assert context(inputs, "level_log") == pytest.approx([0, np.log(2), 0])


def test_with_level_leaves_what_it_was_given_untouched():
    inputs = inputs_of(bell_season([0.9]))
    before = inputs.context.copy()
    with_level(inputs, 9.0, reference_t_ha=4.0)
    assert np.array_equal(inputs.context, before)


def test_hiding_a_curve_is_the_same_as_never_having_observed_it():
    whole = inputs_of(bell_season([0.9, 0.6]))
    missing = np.zeros((2, len(CHANNELS)), dtype=bool)
    missing[:, 2:] = True
    hidden = channels_missing(whole, missing)
    observed = inputs_of(bell_season([0.9, 0.6], channels=["ndvi", "evi"]))
    assert np.array_equal(hidden.steps, observed.steps)
    assert np.array_equal(hidden.context, observed.context)


def test_gaps_without_any_look_are_as_long_as_gaps_get():
    season = bell_season([0.9])
    season["gap_days"][:] = np.nan
    assert (inputs_of(season).steps[0, :, STEP_INPUTS.index("gap")] == 4.0).all()


@pytest.mark.parametrize(
    ("break_it", "code"),
    [
        (lambda season: season.assign_attrs(axis="lunar"), "season_invalid"),
        (lambda season: season.isel(step=slice(0, 30)), "season_invalid"),
        (lambda season: season.drop_attrs(), "season_invalid"),
        (lambda season: season.assign_attrs(as_of="yesterday"), "season_invalid"),
        (lambda season: season.isel(channel=slice(1, None)), "index_missing"),
    ],
)
def test_a_season_of_another_make_is_refused_by_code(break_it, code):
    with pytest.raises(InputUnusableError) as raised:
        inputs_of(break_it(bell_season([0.9])))
    assert raised.value.code == code


def test_arrays_of_other_shapes_are_refused():
    with pytest.raises(InputUnusableError, match="season_invalid"):
        SeasonInputs(steps=np.zeros((2, STEPS, 3), np.float32), context=np.zeros((2, 3), np.float32))


def test_blocks_cover_all_rows_once():
    assert [(rows.start, rows.stop) for rows in blocks(7, 3)] == [(0, 3), (3, 6), (6, 7)]
    assert list(blocks(0, 3)) == []
