from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.growth import GrowthParameters, load_growth, sample_parameters, sample_soil


def test_every_parameter_has_a_unit_and_a_source(growth_file):
    for crop in load_growth(growth_file).values():
        assert set(crop.parameters) == {field.name for field in fields(GrowthParameters)}
        assert all(fact.unit and fact.source for fact in crop.parameters.values())


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("schema_version = 1", "schema_version = 7", "7"),
        ("senescence_rate_c_day", "senescence_pace", "senescence_pace"),
        ('unit = "g/MJ", low = 2.4', 'unit = "g/MJ", low = 2.9', "light_use_efficiency_g_mj"),
        ('source = "SAFY" }', 'source = "" }', "source"),
        ('source = "SAFY" }', 'origin = "SAFY" }', "origin"),
        ("[maize]", "[maize", "growth.toml"),
    ],
)
def test_a_fault_in_the_facts_is_named(growth_file, tmp_path, old, new, named):
    text = growth_file.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "growth.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputUnusableError, match=named) as caught:
        load_growth(path)
    assert caught.value.code == "growth_facts_invalid"


def test_drawn_parameters_stay_in_their_ranges(wheat):
    drawn = sample_parameters(wheat, 500, np.random.default_rng(1))
    for name, fact in wheat.parameters.items():
        values = getattr(drawn, name)
        low, high = fact.low, fact.high
        if name in {"leaf_end_c_day", "senescence_start_c_day", "maturity_c_day"}:
            low, high = low * wheat.cycle.low, high * wheat.cycle.high
        assert values.shape == (500,)
        assert low <= values.min() <= values.max() <= high


def test_late_varieties_are_late_in_every_stage(wheat):
    drawn = sample_parameters(wheat, 500, np.random.default_rng(1))
    assert np.corrcoef(drawn.leaf_end_c_day, drawn.maturity_c_day)[0, 1] > 0.5


def test_one_seed_draws_the_same_plots(wheat):
    first, second = (sample_parameters(wheat, 7, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first.nitrogen, second.nitrogen)


def test_soils_are_irrigated_within_the_limits():
    soil = sample_soil(300, np.random.default_rng(1), irrigations_min=2, irrigations_max=4)
    assert set(np.unique(soil.irrigations)) == {2.0, 3.0, 4.0}


@pytest.mark.parametrize(
    "change",
    [
        {"temperature_min_c": 25.0},
        {"maturity_c_day": 900.0},
        {"nitrogen": np.nan},
        {"nitrogen": -0.1},
        {"dormancy_low_c": 9.0},
        {"nitrogen": np.ones((2, 2))},
    ],
)
def test_impossible_parameters_are_refused(wheat, change):
    values = {name: fact.value for name, fact in wheat.parameters.items()}
    with pytest.raises(InputUnusableError) as caught:
        GrowthParameters(**{**values, **change})
    assert caught.value.code == "growth_parameters_invalid"
