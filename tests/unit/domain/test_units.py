"""Conversions against the definitions of the units and the field's own worked figures."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.units import area_from_m2, area_to_m2, at_moisture, bushels_to_t_ha, weight_to_kg, yield_to_t_ha


@pytest.mark.parametrize(
    ("unit", "expected_m2"),
    [("m2", 1.0), ("ha", 10_000.0), ("mu", float(Fraction(2000, 3))), ("acre", 4046.8564224), ("rai", 1600.0)],
)
def test_one_unit_of_area_has_its_defined_size(unit, expected_m2):
    assert area_to_m2(1, unit) == expected_m2


def test_fifteen_mu_are_exactly_one_hectare():
    assert area_to_m2(15, "mu") == 10_000.0


@pytest.mark.parametrize(
    ("value", "weight_unit", "area_unit", "expected_t_ha"),
    [
        (1, "jin", "mu", 0.0075),
        (1, "quintal", "acre", 0.247105),
        (90, "kg", "acre", 0.222395),
        (60, "pound", "acre", 0.067251),
        (56, "pound", "acre", 0.062768),
    ],
)
def test_yields_convert_as_the_field_quotes_them(value, weight_unit, area_unit, expected_t_ha):
    assert yield_to_t_ha(value, weight_unit=weight_unit, area_unit=area_unit) == pytest.approx(expected_t_ha, abs=5e-7)


@given(st.floats(1e-3, 1e9), st.sampled_from(["m2", "ha", "mu", "acre", "rai"]))
def test_an_area_survives_the_way_there_and_back(area_m2, unit):
    assert area_to_m2(area_from_m2(area_m2, unit), unit) == pytest.approx(area_m2, rel=1e-15)


def test_an_unknown_unit_is_an_error_that_names_it():
    with pytest.raises(InputUnusableError, match="unit_unknown: area unit 'bigha'"):
        area_to_m2(1, "bigha")


def test_drying_keeps_the_dry_matter():
    wet_t = at_moisture(6.0, moisture_percent=18.0, basis_percent=13.5)
    assert wet_t * (1 - 0.135) == pytest.approx(6.0 * (1 - 0.18))


def test_weights_come_out_in_kilograms():
    assert weight_to_kg(1, "t") == 1000.0
    assert weight_to_kg(1, "pound") == 0.45359237


@pytest.mark.parametrize("percent", [-1.0, 100.0, float("nan")])
def test_moisture_outside_its_range_is_refused(percent):
    with pytest.raises(InputUnusableError, match="moisture_invalid"):
        at_moisture(1.0, moisture_percent=percent, basis_percent=13.5)


def test_a_bushel_weighs_what_its_crop_weighs():
    assert bushels_to_t_ha(100, crop="soybean") == pytest.approx(6.725107, abs=5e-7)
    assert bushels_to_t_ha(100, crop="maize") == pytest.approx(6.276766, abs=5e-7)
    with pytest.raises(InputUnusableError, match="unit_unknown: bushel of 'rye'"):
        bushels_to_t_ha(1, crop="rye")
