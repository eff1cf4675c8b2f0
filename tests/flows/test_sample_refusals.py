"""What the sample is not built from, nor where: refused by code, with nothing half written and nothing overwritten."""

from __future__ import annotations

import pytest

from agrocredit.domain.errors import InputUnusableError
from pipelines.sample import build_sample, load_settings

from .test_sample import SETTINGS_FILE, small


def test_too_many_plots_for_the_land_are_refused_and_leave_nothing(tmp_path):
    with pytest.raises(InputUnusableError) as caught:
        build_sample(tmp_path / "region", settings=small(count=5000))
    assert caught.value.code == "sample_settings_invalid"
    assert not (tmp_path / "region").exists()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "letters.txt").write_text("mine")
    with pytest.raises(InputUnusableError) as caught:
        build_sample(tmp_path, settings=small())
    assert caught.value.code == "output_not_ours"
    assert (tmp_path / "letters.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("seed = 20240618", 'seed = "x"', "seed"),
        ("pixels = 256", "pixels = 255", "even"),
        ("village_blocks", "villages", "land"),
        ("tmean_c = [0.5, ", "tmean_c = [", "12"),
        ("schema_version = 1", "schema_version = 3", "schema_version"),
        ("water = [0.045, ", "water = [", "spectrum"),
    ],
)
def test_faulty_settings_are_refused(tmp_path, old, new, named):
    text = SETTINGS_FILE.read_text()
    assert old in text
    path = tmp_path / "region.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputUnusableError, match=named) as caught:
        load_settings(path)
    assert caught.value.code == "sample_settings_invalid"
