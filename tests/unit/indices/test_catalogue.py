from __future__ import annotations

import re

import numpy as np
import pytest
import spyndex

from agrocredit.domain.errors import InputUnusableError, WrongUsageError
from agrocredit.indices import DEFAULT_INDICES, built_in_indices, evaluate, load_indices, read_indices

SPYNDEX_BAND = {
    "blue": "B",
    "green": "G",
    "red": "R",
    "rededge1": "RE1",
    "rededge2": "RE2",
    "rededge3": "RE3",
    "nir": "N",
    "nir08": "N2",
    "swir16": "S1",
    "swir22": "S2",
}
OWN = """
[[index]]
short_name = "MINE"
long_name = "My own"
formula = "k * nir / (red + blue)"
constants = { k = 2 }
reference = "field book, page 3"
"""


def write(tmp_path, text):
    path = tmp_path / "extra.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("definition", built_in_indices(), ids=lambda definition: definition.short_name)
def test_every_index_of_the_catalogue_agrees_with_spyndex(definition):
    rng = np.random.default_rng(3)
    bands = {name: rng.uniform(0.01, 0.9, 1000) for name in definition.bands}
    oracle = spyndex.indices[definition.short_name]
    letters = {SPYNDEX_BAND[name]: value for name, value in bands.items()}
    assert {name for name in oracle.bands if name in SPYNDEX_BAND.values()} == set(letters)
    constants = {name: value for name, value in definition.constants if name in oracle.bands}
    expected = spyndex.computeIndex(definition.short_name, params=letters | constants)
    np.testing.assert_allclose(evaluate(definition, bands), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("definition", built_in_indices(), ids=lambda definition: definition.short_name)
def test_names_and_references_are_those_of_the_oracle(definition):
    oracle = spyndex.indices[definition.short_name]
    assert definition.long_name == oracle.long_name
    assert definition.reference == oracle.reference.replace("http://dx.doi.org", "https://doi.org")


@pytest.mark.parametrize(("name", "constants"), [("EVI", {"g": 2.5, "C1": 6, "C2": 7.5, "L": 1}), ("EVI2", {"g": 2.5})])
def test_constants_are_the_defaults_of_the_oracle(name, constants):
    (definition,) = load_indices([name])
    for constant, value in constants.items():
        assert dict(definition.constants)[constant] == value == spyndex.constants[constant].default


def test_the_default_set_loads_in_its_order():
    assert tuple(definition.short_name for definition in load_indices()) == DEFAULT_INDICES


def test_names_are_found_in_any_case():
    assert load_indices(["ndvi", "NirV"])[1].short_name == "NIRv"


def test_an_unknown_name_is_wrong_usage_and_the_known_ones_are_listed():
    with pytest.raises(WrongUsageError, match=r"'NDXI'.*NDVI, EVI") as caught:
        load_indices(["NDVI", "NDXI"])
    assert caught.value.code == "index_unknown"


def test_a_user_adds_an_index_in_toml(tmp_path):
    ndvi, mine = load_indices(["NDVI", "mine"], extra=write(tmp_path, OWN))
    assert ndvi.short_name == "NDVI"
    assert mine.bands == ("blue", "red", "nir")
    assert evaluate(mine, {"nir": 0.6, "red": 0.1, "blue": 0.2}) == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("red + blue", "red + bleu", r"index 1.*'MINE'.*column 18: 'bleu' is neither"),
        ("red + blue", "red + blue))", r"cannot be read at column"),
        ("red + blue", "red; blue", r"cannot be read"),
        ("red + blue", "red.real + blue", r"column 12: Attribute is not allowed"),
        ("red + blue", "open(blue)", r"function 'open' is not one of"),
        ("red + blue", "sqrt(blue, red)", r"sqrt takes 1 argument"),
        ("red + blue", "red + blue * 1e999", r"is not a finite number"),
        ("red + blue", "red % blue", r"operator Mod"),
        ("red + blue", "red + 1", r""),
        ("k * nir", "nir", r"constant k is not in the formula"),
        ("k = 2", "k = 'two'", r"expected names with numbers"),
        ("k = 2", "red = 2, k = 2", r"constant 'red' has no name of its own"),
        ("k = 2", "k = inf", r"expected a finite number"),
        ('"MINE"', '"ndvi"', r"name that is taken"),
        ('"MINE"', '"my index"', r"short_name must be"),
        ('"MINE"', '"plot_id"', r"belongs to another column"),
        ('"MINE"', "7", r"short_name is 7, expected a text"),
        ("long_name", "longname", r"unknown key longname; known: short_name"),
        ("constants", 'bands = ["nir"]\nconstants', r"but the formula uses \['blue', 'red', 'nir'\]"),
        ("constants", "range = [1, 0]\nconstants", r"expected \[low, high\]"),
        ("constants", "range = [1]\nconstants", r"expected \[low, high\]"),
        ("[[index]]", "[[indices]]", r"unknown key indices"),
        ("[[index]]", "[[index", r"is not TOML.*line 2"),
        ("[[index]]", "schema_version = 9\n[[index]]", r"schema_version 9, expected 1"),
        (OWN, "", r"no \[\[index\]\] table"),
        (OWN, "index = [1]", r"1 is no table"),
        (OWN, OWN + OWN.replace("MINE", "mine"), r"index 2: defined twice"),
    ],
)
def test_a_wrong_file_is_refused_with_the_index_and_the_position(tmp_path, old, new, message):
    path = write(tmp_path, OWN.replace(old, new))
    if not message:
        assert load_indices(["MINE"], extra=path)
        return
    with pytest.raises(InputUnusableError, match=message) as caught:
        load_indices(["MINE"], extra=path)
    assert caught.value.code == "index_invalid"
    assert str(path) in str(caught.value)


def test_an_absent_file_is_refused_by_name(tmp_path):
    with pytest.raises(InputUnusableError, match=r"nowhere\.toml cannot be read: No such file"):
        read_indices(tmp_path / "nowhere.toml")


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "extra.toml"
    path.write_bytes(b"\xff\xfe[[index]]")
    with pytest.raises(InputUnusableError, match=re.escape("is not TOML")):
        read_indices(path)
