from __future__ import annotations

import pytest

from agrocredit.scenes.bands import common_name, preference, resolution_m


@pytest.mark.parametrize(
    ("key", "asset", "expected"),
    [
        ("red", {}, "red"),
        ("B04", {}, "red"),
        ("B04_10m", {}, "red"),
        ("red_20m", {}, "red"),
        ("red-jp2", {}, "red"),
        ("B8A", {"eo:bands": [{"name": "B8A", "common_name": "rededge"}]}, "nir08"),
        ("B05", {"eo:bands": [{"name": "B05", "common_name": "rededge"}]}, "rededge1"),
        ("band4", {"eo:bands": [{"name": "B04", "common_name": "nir"}]}, "red"),
        ("band4", {"bands": [{"name": "x", "eo:common_name": "red"}]}, "red"),
        ("band5", {"bands": [{"eo:common_name": "rededge"}]}, None),
        ("band5", {"bands": [{"eo:common_name": "rededge071"}]}, "rededge1"),
        ("SCL_20m", {}, "scl"),
        ("B09", {"eo:bands": [{"name": "B09", "common_name": "nir09"}]}, None),
        ("visual", {"eo:bands": [{"name": "red"}, {"name": "green"}]}, None),
        ("red", {"roles": ["thumbnail"]}, None),
    ],
)
def test_key_beats_band_name_beats_common_name(key, asset, expected):
    assert common_name(key, asset) == expected


def test_the_finest_asset_of_a_band_is_preferred_and_the_geotiff_before_its_twin():
    assets = {
        "B04_20m": {"href": "a.jp2"},
        "B04_10m": {"href": "a.jp2"},
        "red-jp2": {"gsd": 10, "type": "image/jp2", "href": "a"},
        "red": {"gsd": 10, "type": "image/tiff", "href": "a"},
    }
    assert sorted(assets, key=lambda key: preference(key, assets[key])) == ["red", "B04_10m", "red-jp2", "B04_20m"]


def test_resolution_comes_from_key_then_transform_then_gsd():
    assert resolution_m("B04_20m", {"gsd": 10}) == 20
    assert resolution_m("red", {"proj:transform": [10, 0, 0, 0, -10, 0], "gsd": 60}) == 10
    assert resolution_m("red", {"raster:bands": [{"spatial_resolution": 20}]}) == 20
    assert resolution_m("red", {"gsd": "fine"}) is None
