"""A region's file is read strictly, and its paths count from its own folder."""

from datetime import date

import pytest

from agrocredit.domain.errors import InputUnusableError
from pipelines.region_config import load_region

GOOD = """
schema_version = 1
name = "north"
title = "The north"

[plots]
file = "plots.geojson"

[scenes]
source = "scenes/items.json"
start = 2023-10-01
end = 2024-06-20
indices = ["NDVI"]

[estimate]
crop = "winter_wheat"
harvest_year = 2024

[assess]
policy = "smallholder-grain-cn"
as_of = 2024-06-10
"""


def write(tmp_path, text):
    path = tmp_path / "region.toml"
    path.write_text(text)
    return path


def test_relative_paths_count_from_the_files_folder(tmp_path):
    config = load_region(write(tmp_path, GOOD))
    assert config.plots.file == tmp_path / "plots.geojson"
    assert config.scenes.source == str(tmp_path / "scenes/items.json")
    assert config.out == tmp_path / "run"
    assert config.scenes.indices == ("NDVI",)
    assert (config.scenes.start, config.scenes.end) == (date(2023, 10, 1), date(2024, 6, 20))
    assert not config.simulated


def test_a_remote_source_and_a_policy_that_ships_stay_as_they_are(tmp_path):
    config = load_region(write(tmp_path, GOOD.replace("scenes/items.json", "https://stac.example/v1")))
    assert config.scenes.source == "https://stac.example/v1"
    assert config.assess.policy == "smallholder-grain-cn"


def test_roots_that_the_catalogue_may_lead_to_are_hosts_or_count_from_the_files_folder(tmp_path):
    roots = 'allow_roots = ["https://pixels.example", "../pixels"]\ncache = "copies"'
    config = load_region(write(tmp_path, GOOD.replace('indices = ["NDVI"]', roots)))
    assert config.scenes.allow_roots == ("https://pixels.example", str(tmp_path / "../pixels"))
    assert config.scenes.cache == tmp_path / "copies"


def test_a_policy_file_counts_from_the_files_folder(tmp_path):
    config = load_region(write(tmp_path, GOOD.replace("smallholder-grain-cn", "mine.toml")))
    assert config.assess.policy == str(tmp_path / "mine.toml")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("schema_version = 1", "schema_version = 9"), "schema_version 9, expected 1"),
        (("[assess]", "[asses]"), r"\[assess\] is missing"),
        (('file = "plots.geojson"', 'files = "plots.geojson"'), "unknown key files"),
        (("harvest_year = 2024", 'harvest_year = "2024"'), "harvest_year is '2024', expected int"),
        (("start = 2023-10-01", 'start = "soon"'), "start is 'soon', expected date"),
        (("harvest_year = 2024", ""), "harvest_year"),
        (("harvest_year = 2024", "harvest_year = 20240"), "harvest_year 20240, expected 1900 to 2200"),
        (("end = 2024-06-20", "end = 2023-10-01"), "start 2023-10-01, expected before the end 2023-10-01"),
        (('title = "The north"', "title = "), "not TOML"),
        (('indices = ["NDVI"]', "indices = [1]"), "indices"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, change, complaint):
    with pytest.raises(InputUnusableError, match=f"region_invalid: .*{complaint}"):
        load_region(write(tmp_path, GOOD.replace(*change)))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputUnusableError, match="region_missing"):
        load_region(tmp_path / "none.toml")
