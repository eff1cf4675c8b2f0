from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from agrocredit.scenes.masks import clear_lookup, clear_pixels, is_mask, land_lookup, named_classes

CLASSES = {0: "fill", 1: "clear", 2: "cloud", 3: "cloud_shadow", 4: "Water", 5: "whatever"}


def test_four_classes_of_the_scene_classification_are_clear():
    clear = clear_lookup("scl")
    assert clear is not None
    assert clear.shape == (256,)
    assert clear.dtype == np.bool_
    assert np.flatnonzero(clear).tolist() == [4, 5, 6, 7]
    assert not clear.flags.writeable


@given(st.sets(st.integers(0, 255)))
@example(set())
@example({0, 255})
@example(set(range(256)))
@example(set(range(0, 256, 2)))
@example(set(range(3, 200)))
def test_a_pixel_is_clear_where_its_class_is(values):
    clear = np.isin(np.arange(256), list(values))
    classes = np.arange(512, dtype=np.uint16).astype(np.uint8).reshape(2, 256)
    found = clear_pixels(classes, clear)
    assert found.dtype == np.bool_
    np.testing.assert_array_equal(found, clear[classes])


def test_without_a_mask_there_is_no_table():
    assert clear_lookup("none") is None
    assert land_lookup("none") is None


def test_a_class_with_an_unknown_name_is_not_clear():
    clear, land = clear_lookup("classes", CLASSES), land_lookup("classes", CLASSES)
    assert clear is not None
    assert land is not None
    assert np.flatnonzero(clear).tolist() == [1, 4]
    assert np.flatnonzero(land).tolist() == [1]


def test_a_map_is_a_mask_only_if_it_tells_clear_from_cloud():
    assert is_mask(CLASSES)
    assert not is_mask({1: "wheat", 2: "maize"})
    assert not is_mask({1: "cloud"})


def test_classes_are_read_from_the_asset_or_its_band_and_nodata_is_left_out():
    listed = [{"value": 0, "name": "clear", "nodata": True}, {"value": 1, "description": "cloud"}, "odd"]
    assert named_classes({"classification:classes": listed}) == {1: "cloud"}
    assert named_classes({"raster:bands": [{"classification:classes": listed}]}) == {1: "cloud"}
    assert named_classes({}) == {}
