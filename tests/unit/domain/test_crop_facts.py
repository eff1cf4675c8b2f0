from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from agrocredit.domain.crop_facts import load_crops, resolve_crop
from agrocredit.domain.errors import InputUnusableError

FACTS = Path(__file__).parents[3] / "data" / "facts" / "crops.toml"
MINIMAL = """
schema_version = 1
[oats]
label = "Oats"
aliases = ["avena sativa"]
moisture_basis_percent = { value = 14.0, source = "x" }
base_temperature_c = { value = 0.0, source = "x" }
yield_max_t_ha = { value = 15.0, source = "x" }
[[oats.calendars]]
latitude_deg = [30.0, 60.0]
start = [3, 1]
harvest_from = [7, 1]
end = [9, 1]
source = "x"
"""


@pytest.fixture(scope="module")
def crops():
    return load_crops(FACTS)


def written(tmp_path, text):
    path = tmp_path / "facts.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "expected"),
    [("wheat", "winter_wheat"), ("Winter Wheat", "winter_wheat"), ("winter_wheat", "winter_wheat"), ("CORN", "maize")],
)
def test_a_crop_is_found_by_any_of_its_names(crops, name, expected):
    assert resolve_crop(name, crops).name == expected


def test_an_unknown_name_means_no_crop(crops):
    assert resolve_crop("quinoa", crops) is None


@pytest.mark.parametrize(
    ("crop", "latitude_deg", "start_on", "last_on"),
    [
        ("maize", 3.0, date(2017, 4, 1), date(2017, 12, 30)),  # Karamoja
        ("maize", -0.7, date(2017, 2, 7), date(2017, 9, 26)),  # Kisii, Kenya
        ("maize", -2.0, date(2016, 10, 1), date(2017, 3, 15)),  # Rwanda
        ("winter_wheat", 47.5, date(2016, 10, 1), date(2017, 8, 31)),  # Switzerland
        ("winter_wheat", 34.5, date(2016, 10, 1), date(2017, 6, 30)),  # North China Plain
    ],
)
def test_a_season_spans_the_usual_months_of_a_known_place(crops, crop, latitude_deg, start_on, last_on):
    season = crops[crop].season(2017, latitude_deg=latitude_deg)
    assert season.start_on <= start_on
    assert season.end_on > last_on


def test_every_crop_of_the_facts_has_a_season_in_both_hemispheres(crops):
    for crop in crops.values():
        for latitude_deg in (35.0, -30.0):
            assert crop.season(2024, latitude_deg=latitude_deg).harvest_year == 2024


def test_moisture_bases_are_those_of_the_trade(crops):
    assert crops["winter_wheat"].moisture_basis_percent == 13.5
    assert crops["maize"].moisture_basis_percent == 15.5


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (('label = "Oats"', 'lable = "Oats"'), "lable"),
        (("value = 14.0, ", ""), "moisture_basis_percent"),
        (("value = 14.0", 'value = "14"'), "'14'"),
        (('value = 15.0, source = "x"', 'value = 15.0, source = ""'), "yield_max_t_ha"),
        (("schema_version = 1", "schema_version = 9"), "9"),
        (("start = [3, 1]", "start = [13, 1]"), "month"),
        (("start = [3, 1]", "start = [2, 29]"), "day"),
        (("[30.0, 60.0]", "[60.0, 30.0]"), "60"),
        (("[oats]", "[oats"), "facts.toml"),
    ],
)
def test_a_fault_in_the_facts_is_named(tmp_path, change, named):
    assert change[0] in MINIMAL
    with pytest.raises(InputUnusableError, match=named.replace("[", r"\[")) as caught:
        load_crops(written(tmp_path, MINIMAL.replace(*change)))
    assert caught.value.code == "crop_facts_invalid"


def test_calendars_that_overlap_are_refused(tmp_path):
    calendar = MINIMAL[MINIMAL.index("[[") :]
    with pytest.raises(InputUnusableError, match="overlap"):
        load_crops(written(tmp_path, MINIMAL + calendar.replace("[30.0, 60.0]", "[50.0, 70.0]")))


def test_one_alias_cannot_mean_two_crops(tmp_path):
    twin = MINIMAL.replace("oats", "wild_oats").replace("schema_version = 1", "")
    with pytest.raises(InputUnusableError, match="avena sativa"):
        load_crops(written(tmp_path, MINIMAL + twin))
