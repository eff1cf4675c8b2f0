from __future__ import annotations

import hashlib
import json
import pickle
from datetime import date

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from agrocredit.domain.errors import InputUnusableError
from agrocredit.yields import load_release
from agrocredit.yields.area.prediction import estimate_areas
from agrocredit.yields.area.release import SeasonStages, load_area_release
from agrocredit.yields.release_folder import release_kind


def replace_file(folder, name, content):
    """Put other bytes into a file and their checksum into the manifest, as somebody would who means it."""
    before = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / name).write_bytes(content)
    manifest = (folder / "model.toml").read_text()
    (folder / "model.toml").write_text(manifest.replace(before, hashlib.sha256(content).hexdigest()))


def test_a_release_that_was_written_and_loaded_says_the_same(area_folder, area_release, area_rows_of, a_history):
    loaded = load_area_release(area_folder)
    assert loaded.facts == area_release.facts
    assert loaded.calibration == area_release.calibration
    assert release_kind(area_folder) == "area_year"
    rows = area_rows_of(["A1", "B4"], [2012] * 2, [[1.0, -1.0, 0.5], [0.2, 0.1, -2.0]])
    for stage in range(3):
        said = [
            estimate_areas(r, rows, history=a_history({"A1": {2012: 1.0}}), stage=stage) for r in (loaded, area_release)
        ]
        # The history keeps four digits of a yield.
        np.testing.assert_allclose(said[0].quantiles_t_ha, said[1].quantiles_t_ha, atol=2e-4)


def test_a_file_that_is_not_the_one_of_the_manifest_is_untrusted(area_folder):
    for name in ("weights.safetensors", "calibration.json", "places.json", "scores.json", "card.md"):
        before = (area_folder / name).read_bytes()
        (area_folder / name).write_bytes(before + b" ")
        with pytest.raises(InputUnusableError, match="model_untrusted"):
            load_area_release(area_folder)
        (area_folder / name).write_bytes(before)


def test_a_pickle_in_place_of_the_weights_is_never_opened(area_folder):
    replace_file(area_folder, "weights.safetensors", pickle.dumps({"shared": [0.0]}))
    with pytest.raises(InputUnusableError, match="model_format"):
        load_area_release(area_folder)


def test_weights_that_are_no_numbers_or_of_another_shape_are_refused(area_folder):
    tensors = load((area_folder / "weights.safetensors").read_bytes())
    broken = {**tensors, "shared": torch.full_like(tensors["shared"], torch.nan)}
    replace_file(area_folder, "weights.safetensors", save(broken))
    with pytest.raises(InputUnusableError, match=r"shared is .* not finite"):
        load_area_release(area_folder)
    replace_file(area_folder, "weights.safetensors", save({**tensors, "shared": tensors["shared"][:, :1].contiguous()}))
    with pytest.raises(InputUnusableError, match="shapes differ"):
        load_area_release(area_folder)


@pytest.mark.parametrize(
    ("line", "other", "said"),
    [
        ("features_version = 1", "features_version = 2", "features_version is 2, expected 1"),
        ("schema_version = 1", "schema_version = 9", "schema_version is 9, expected 1"),
    ],
)
def test_features_of_another_version_are_refused(area_folder, line, other, said):
    manifest = (area_folder / "model.toml").read_text()
    (area_folder / "model.toml").write_text(manifest.replace(line, other, 1))
    with pytest.raises(InputUnusableError, match=said):
        load_area_release(area_folder)


def test_a_calibration_of_other_stages_is_refused(area_folder):
    stated = json.loads((area_folder / "calibration.json").read_text())
    stated = {**stated, **{name: stated[name][:2] for name in ("trust", "shifts", "strangeness_max")}}
    replace_file(area_folder, "calibration.json", json.dumps(stated).encode())
    with pytest.raises(InputUnusableError, match="model_invalid"):
        load_area_release(area_folder)


def test_each_kind_of_release_is_refused_by_the_other_kinds_door(area_folder):
    with pytest.raises(InputUnusableError, match="kind area_year, expected one of kind plot_season"):
        load_release(area_folder)
    manifest = (area_folder / "model.toml").read_text()
    (area_folder / "model.toml").write_text(manifest.replace('kind = "area_year"\n', ""))
    with pytest.raises(InputUnusableError, match="kind plot_season, expected one of kind area_year"):
        load_area_release(area_folder)


def test_a_width_that_is_none_or_of_other_stages_is_refused(area_folder):
    stated = json.loads((area_folder / "calibration.json").read_text())
    for row in ([1.0, 0.0, 1.0], [1.0, 1.0]):
        replace_file(area_folder, "calibration.json", json.dumps({**stated, "widths": {"A": row}}).encode())
        with pytest.raises(InputUnusableError, match="model_invalid"):
            load_area_release(area_folder)


def test_a_missing_file_is_named(area_folder):
    (area_folder / "places.json").unlink()
    with pytest.raises(InputUnusableError, match=r"no places\.json"):
        load_area_release(area_folder)


def test_the_stage_of_a_day_is_the_last_that_has_begun():
    stages = SeasonStages(first_month=9, dates=((11, 1), (4, 1), (7, 1)))
    days = [date(2014, 10, 31), date(2014, 11, 1), date(2015, 3, 31), date(2015, 4, 1), date(2015, 12, 1), None]
    assert [stages.on(day, harvest_year=2015) for day in days] == [0, 1, 1, 2, 3, 3]


def test_stages_out_of_the_seasons_order_are_refused():
    with pytest.raises(InputUnusableError, match="stages out of order"):
        SeasonStages(first_month=9, dates=((4, 1), (11, 1)))
