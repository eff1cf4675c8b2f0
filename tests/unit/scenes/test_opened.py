from __future__ import annotations

import pickle
from contextlib import contextmanager

import numpy as np
import pytest
import rasterio

from agrocredit.domain.errors import Refusal
from agrocredit.scenes import SceneRefusedError, deflate_tiles, find_scenes, open_scene

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


def broken_tile(path, column=0, row=0):
    """Overwrite the head of one tile; damage further on may decode to wrong numbers unnoticed, checksums see it."""
    with rasterio.open(path) as dataset:
        start = int(dataset.get_tag_item(f"BLOCK_OFFSET_{column}_{row}", "TIFF", bidx=1))
    data = bytearray(path.read_bytes())
    data[start : start + 16] = bytes(16)
    path.write_bytes(data)


@contextmanager
def with_broken_tile(maker, season, **tile):
    maker.scene()
    broken_tile(maker.folder / maker.items[0]["id"] / "B11.tif", **tile)
    found = find_scenes(maker.write(), bands=BANDS, **season)
    with open_scene(found.scenes[0], cache=None, bands=BANDS) as scene:
        yield scene


@pytest.fixture(params=["libdeflate", "GDAL"])
def reader(request, monkeypatch):
    if request.param == "GDAL":
        monkeypatch.setattr(deflate_tiles, "_CODECS", None)
    return request.param


def test_a_block_that_breaks_later_names_its_asset(maker, season):
    with with_broken_tile(maker, season) as scene:
        assert scene.read_window("red", 0, 64, 0, 64).shape == (64, 64)
        with pytest.raises(SceneRefusedError) as raised:
            scene.read_window("swir16", 0, 64, 0, 64)
    assert raised.value.refusals[0].asset == "B11"
    assert raised.value.code == "asset_unreadable"


def test_a_band_given_up_leaves_the_others_and_the_last_one_ends_the_scene(maker, season):
    with with_broken_tile(maker, season) as scene:
        with pytest.raises(SceneRefusedError) as raised:
            scene.read_window("swir16", 0, 64, 0, 64)
        scene.give_up(raised.value)
        assert scene.bands == ("red",)
        assert [one.asset for one in scene.refused] == ["B11"]
        last = Refusal(code="asset_unreadable", detail="torn", scene_id=scene.scene.scene_id, asset="B04")
        with pytest.raises(SceneRefusedError) as ended:
            scene.give_up(SceneRefusedError("asset_unreadable", "torn", (last,)))
    assert [one.asset for one in ended.value.refusals] == ["B11", "B04"]


def test_a_class_map_that_breaks_ends_the_scene(maker, season):
    maker.scene()
    found = find_scenes(maker.write(), bands=BANDS, **season)
    with open_scene(found.scenes[0], cache=None, bands=BANDS) as scene:
        lost = Refusal(code="asset_unreadable", detail="torn", scene_id=scene.scene.scene_id, asset="SCL")
        with pytest.raises(SceneRefusedError):
            scene.give_up(SceneRefusedError("asset_unreadable", "torn", (lost,)))


@pytest.mark.usefixtures("reader")
def test_a_tile_that_is_cloud_in_whole_is_not_decoded_and_reads_as_missing(maker, season):
    maker.scene()
    path = maker.folder / maker.items[0]["id"] / "B03.tif"
    truth = whole(maker, "B03")
    broken_tile(path, column=1, row=0)
    found = find_scenes(maker.write(), bands=["green"], **season)
    classes = np.full((32, 32), 4, np.uint8)
    classes[:16, 16:] = 9
    truth[:32, 32:] = 0
    with open_scene(found.scenes[0], cache=None, bands=["green"]) as scene:
        clear = scene.clear_window(0, 0, classes)
        np.testing.assert_array_equal(scene.read_window("green", 0, 64, 0, 64, clear=clear), truth)
        classes[0, 31] = 4
        with pytest.raises(SceneRefusedError):
            scene.read_window("green", 0, 64, 0, 64, clear=scene.clear_window(0, 0, classes))


@pytest.mark.usefixtures("reader")
def test_memory_used_again_changes_no_pixel(maker, opened):
    red, coarse = whole(maker, "B04"), whole(maker, "B11")
    for row0, row1, col0, col1 in [(0, 64, 0, 64), (32, 64, 0, 32), (0, 7, 3, 60)]:
        found = opened.read_window("red", row0, row1, col0, col1, reuse=True)
        np.testing.assert_array_equal(found, red[row0:row1, col0:col1])
    found = opened.read_window("swir16", 0, 64, 0, 64, reuse=True)
    np.testing.assert_array_equal(found, coarse)


def test_a_refused_scene_travels_between_processes():
    error = SceneRefusedError("asset_unreadable", "broken", (Refusal(code="asset_unreadable", detail="broken"),))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (again.code, again.detail, again.refusals) == (error.code, error.detail, error.refusals)


def test_a_scene_travels_between_processes(maker, season):
    maker.scene()
    (scene,) = find_scenes(maker.write(), bands=BANDS, **season).scenes
    assert pickle.loads(pickle.dumps(scene)) == scene  # noqa: S301 - our own bytes
