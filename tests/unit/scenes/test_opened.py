from __future__ import annotations

import pickle

import numpy as np
import pytest
import rasterio

from agrocredit.domain.errors import Refusal
from agrocredit.scenes import SceneRefusedError, find_scenes, open_scene

BANDS = ("red", "swir16")


@pytest.fixture
def opened(maker, season):
    maker.scene()
    found = find_scenes(maker.write(), bands=BANDS, **season)
    with open_scene(found.scenes[0], cache=None, bands=BANDS) as scene:
        yield scene


def whole(maker, key):
    with rasterio.open(maker.folder / maker.items[0]["id"] / f"{key}.tif") as dataset:
        return dataset.read(1)


@pytest.mark.parametrize("window", [(0, 64, 0, 64), (3, 40, 7, 9), (63, 64, 0, 1), (5, 6, 33, 64), (2, 4, 2, 4)])
def test_a_window_is_indexed_by_the_scenes_grid_at_the_bands_own_resolution(maker, opened, window):
    row0, row1, col0, col1 = window
    fine = opened.read_window("red", *window)
    np.testing.assert_array_equal(fine, whole(maker, "B04")[row0:row1, col0:col1])
    coarse, truth = opened.read_window("swir16", *window), whole(maker, "B11")
    assert coarse.dtype == np.uint16
    for row in range(row0, row1):
        for col in range(col0, col1):
            assert coarse[row // 2 - row0 // 2, col // 2 - col0 // 2] == truth[row // 2, col // 2]


def test_windows_over_the_edge_are_shorter_and_outside_ones_empty(opened):
    assert opened.read_window("red", -5, 10, 60, 100).shape == (10, 4)
    assert opened.read_window("red", 64, 80, 0, 10).shape == (0, 10)
    assert opened.read_window("swir16", 70, 80, 70, 80).size == 0


def test_the_class_map_is_read_like_a_band(opened):
    classes = opened.read_window("mask", 0, 64, 0, 64)
    assert classes.dtype == np.uint8
    assert classes.shape == (32, 32)
    assert opened.clear[classes].all()


def test_a_block_that_breaks_later_names_its_asset(maker, season):
    maker.scene()
    path = maker.folder / maker.items[0]["id"] / "B11.tif"
    with rasterio.open(path) as dataset:
        start = int(dataset.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=1))
    data = bytearray(path.read_bytes())
    data[start : start + 16] = bytes(16)  # damage further on may decode to wrong numbers unnoticed; checksums see it
    path.write_bytes(data)
    found = find_scenes(maker.write(), bands=BANDS, **season)
    with open_scene(found.scenes[0], cache=None, bands=BANDS) as scene:
        assert scene.read_window("red", 0, 64, 0, 64).shape == (64, 64)
        with pytest.raises(SceneRefusedError) as raised:
            scene.read_window("swir16", 0, 64, 0, 64)
    assert raised.value.refusals[0].asset == "B11"
    assert raised.value.code == "asset_unreadable"


def test_a_refused_scene_travels_between_processes():
    error = SceneRefusedError("asset_unreadable", "broken", (Refusal(code="asset_unreadable", detail="broken"),))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (again.code, again.detail, again.refusals) == (error.code, error.detail, error.refusals)


def test_a_scene_travels_between_processes(maker, season):
    maker.scene()
    (scene,) = find_scenes(maker.write(), bands=BANDS, **season).scenes
    assert pickle.loads(pickle.dumps(scene)) == scene  # noqa: S301 - our own bytes
