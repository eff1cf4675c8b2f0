from __future__ import annotations

import pytest

from agrocredit.domain.errors import RefusedError
from agrocredit.scenes.declared import declared_scale, raster_number
from agrocredit.scenes.scene import AssetRef


def asset(key="B04", **values):
    return AssetRef(key=key, href="x", base="y", **values)


def decide(properties=None, *, platform="sentinel-2a", baseline=None, assets=()):
    return declared_scale(properties or {}, platform=platform, baseline=baseline, assets=assets)


def test_the_flag_that_the_offset_is_applied_beats_the_raster_extension():
    found = decide({"earthsearch:boa_offset_applied": True}, baseline="05.09", assets=[asset(scale=1e-4, offset=-0.1)])
    assert (found.offset, found.offset_source) == (0.0, "provider_flag")


def test_a_flag_that_says_no_leaves_the_raster_extension():
    found = decide({"earthsearch:boa_offset_applied": False}, baseline="05.09", assets=[asset(offset=-0.1)])
    assert (found.offset, found.offset_source) == (-0.1, "raster_extension")


@pytest.mark.parametrize(("baseline", "offset"), [("03.01", 0.0), ("04.00", -0.1), ("05.11", -0.1), ("99.99", -0.1)])
def test_without_extension_the_baseline_decides_never_the_date(baseline, offset):
    found = decide({"datetime": "2019-01-01T00:00:00Z"}, baseline=baseline, assets=[asset()])
    assert (found.offset, found.offset_source) == (offset, "processing_baseline")


def test_nothing_declared_means_no_offset():
    found = decide(assets=[asset()])
    assert (found.scale, found.offset, found.offset_source) == (1e-4, 0.0, "default")
    assert decide(platform="landsat-8", baseline="05.00", assets=[asset()]).offset_source == "default"


def test_bands_that_contradict_each_other_are_not_believed():
    found = decide(baseline="05.00", assets=[asset(offset=-0.1), asset("B08", offset=0.0)])
    assert found.offset_source == "processing_baseline"


def test_two_scales_in_one_scene_are_refused():
    with pytest.raises(RefusedError, match="item_invalid: bands with the scales"):
        decide(assets=[asset(scale=1e-4), asset("B08", scale=2e-5)])


@pytest.mark.parametrize("scale", [0.0, -1e-4])
def test_a_scale_that_is_not_above_zero_is_refused(scale):
    with pytest.raises(RefusedError, match="item_invalid"):
        decide(assets=[asset(scale=scale)])


@pytest.mark.parametrize(
    "described",
    [
        {"raster:bands": [{"offset": -0.1}]},
        {"raster:offset": -0.1},
        {"bands": [{"raster:offset": -0.1}]},
    ],
)
def test_the_offset_is_read_in_both_dialects(described):
    assert raster_number(described, "offset") == -0.1


def test_numbers_that_are_no_numbers_are_not_there():
    assert raster_number({"raster:bands": [{"nodata": "nan"}]}, "nodata") is None
    assert raster_number({"raster:offset": True}, "offset") is None
    assert raster_number({"raster:bands": [{"offset": 1}, {"offset": 2}]}, "offset") is None
    assert raster_number({"nodata": 0}, "nodata") == 0
