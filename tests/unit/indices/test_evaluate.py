from __future__ import annotations

import numpy as np
import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.indices import IndexDefinition, evaluate, load_indices


def index(formula, **constants):
    return IndexDefinition(
        short_name="X",
        long_name="x",
        formula=formula,
        reference="here",
        constants=tuple(constants.items()),
    )


def test_ndvi_of_a_hand_checked_pixel():
    assert evaluate(load_indices(["NDVI"])[0], {"nir": 0.5, "red": 0.1}) == pytest.approx(0.4 / 0.6)


def test_evi_of_a_hand_checked_pixel():
    value = evaluate(load_indices(["EVI"])[0], {"nir": 0.5, "red": 0.1, "blue": 0.04})
    assert value == pytest.approx(2.5 * 0.4 / (0.5 + 0.6 - 0.3 + 1))


@pytest.mark.parametrize(
    ("formula", "nir"),
    [
        ("nir / (nir - nir)", 0.3),
        ("1 / (1 / nir)", 0.0),
        ("min(1 / nir, 3)", 0.0),
        ("(1 / nir) ** -1", 0.0),
        ("(0 / nir) ** 0", 0.0),
        ("1 / sqrt(nir) * 0", 0.0),
        ("sqrt(nir)", -0.1),
        ("nir ** 0.5", -0.1),
        ("nir ** -2", 0.0),
        ("nir + 1", np.nan),
        ("nir + 1", np.inf),
        ("nir ** 0 + nir * 0", np.nan),
    ],
)
def test_a_zero_denominator_or_a_non_finite_step_gives_no_value(formula, nir):
    assert np.isnan(evaluate(index(formula), {"nir": np.array([nir])})).all()


def test_one_bad_pixel_does_not_touch_its_neighbours():
    values = evaluate(load_indices(["NDVI"])[0], {"nir": np.array([0.5, 0.0, 0.3]), "red": np.array([0.5, 0.0, 0.1])})
    np.testing.assert_allclose(values, [0.0, np.nan, 0.5])


def test_bands_broadcast_and_unused_ones_are_ignored():
    values = evaluate(index("nir - k * red", k=2.0), {"nir": np.ones((2, 3)), "red": 0.25, "blue": np.ones(7)})
    np.testing.assert_array_equal(values, np.full((2, 3), 0.5))


def test_whole_numbers_divide_like_decimals():
    assert evaluate(index("nir * 0 + 1 / 2"), {"nir": 1}) == 0.5


def test_a_missing_band_is_named():
    with pytest.raises(InputUnusableError, match=r"NDVI needs nir; given: red") as caught:
        evaluate(load_indices(["NDVI"])[0], {"red": 0.1})
    assert caught.value.code == "band_missing"


def test_an_index_over_no_pixels_has_no_values():
    assert evaluate(index("nir"), {"nir": np.zeros(0)}).shape == (0,)
