"""Real catalogues and real pixels. Read at ``../shared/data`` beside the project; skipped where it is absent."""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from agrocredit.scenes import SceneRefusedError, find_scenes, open_scene

DATA = Path(os.environ.get("AGROCREDIT_SHARED_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data at {DATA}")

EVER = {"start": date(2000, 1, 1), "end": date(2100, 1, 1)}
BANDS = ("blue", "green", "red", "rededge1", "nir", "swir16")
SITES = {
    "ch_swissfuturefarm_2022": {"true": -0.1, "items": 36, "scenes": 33, "decided": 32, "mask": "scl"},
    "ch_arenenberg_2022": {"true": -0.1, "items": 60, "scenes": 57, "decided": 53, "mask": "scl"},
    "be_antwerp_2023": {"true": 0.0, "items": 19, "scenes": 19, "decided": 3, "mask": "scl"},
    "be_hesbaye_2021": {"true": 0.0, "items": 12, "scenes": 12, "decided": 10, "mask": "none"},
}


def folder(site):
    return DATA / "imagery" / site / "stac"


def lying_copy(site, tmp_path):
    """Write the site's items with every offset turned round and hrefs that lead back to the real files."""
    document = json.loads((folder(site) / "items.json").read_text())
    for item in document["features"]:
        for asset in item["assets"].values():
            asset["href"] = str(folder(site) / asset["href"])
            for band in asset["raster:bands"]:
                if "offset" in band:
                    band["offset"] = 0.0 if band["offset"] else -0.1
    path = tmp_path / "lies.json"
    path.write_text(json.dumps(document))
    return path


@pytest.fixture(params=sorted(SITES))
def site(request):
    return request.param


def test_duplicates_and_bands_of_each_site_are_as_described(site):
    found = find_scenes(folder(site) / "items.json", bands=BANDS, **EVER)
    known = SITES[site]
    assert found.refused == ()
    assert len(found.scenes) == known["scenes"]
    assert len(found.scenes) + len(found.superseded) == known["items"]
    assert {scene.mask_kind for scene in found.scenes} == {known["mask"]}
    if site.startswith("ch_"):
        assert {scene.nir_asset for scene in found.scenes} == {"B8A"}
        assert not any("N9999" in scene_id for scene_id in found.superseded)


@pytest.mark.parametrize("lying", [False, True])
def test_the_offset_is_right_wherever_the_pixels_can_tell(site, lying, tmp_path):
    source = lying_copy(site, tmp_path) if lying else folder(site) / "items.json"
    found = find_scenes(source, bands=BANDS, allow_roots=[folder(site)], **EVER)
    known = SITES[site]
    checks: Counter[str] = Counter()
    for scene in found.scenes:
        with open_scene(scene, cache=None, bands=BANDS) as opened:
            reflectance = opened.reflectance
        checks[reflectance.check] += 1
        if reflectance.check != "undecided":
            assert reflectance.offset == known["true"], scene.scene_id
            assert reflectance.offset_source == ("pixels" if lying else "raster_extension")
    assert checks["overruled" if lying else "confirmed"] == known["decided"]
    assert checks["undecided"] == known["scenes"] - known["decided"]


def test_a_catalogue_beside_its_files_may_read_them_only_where_the_root_is_named(tmp_path):
    found = find_scenes(lying_copy("ch_arenenberg_2022", tmp_path), bands=BANDS, **EVER)
    with pytest.raises(SceneRefusedError) as raised:
        open_scene(found.scenes[0], cache=None, bands=BANDS)
    assert {one.code for one in raised.value.refusals} == {"href_not_allowed"}


def test_two_grids_one_pixel_apart_are_both_served():
    found = find_scenes(folder("ch_arenenberg_2022") / "items.json", bands=BANDS, **EVER)
    shapes = set()
    for scene in found.scenes:
        with open_scene(scene, cache=None, bands=("red", "nir")) as opened:
            shapes.add((opened.grid.height, opened.grid.width))
    assert shapes == {(16, 26), (15, 25)}


def test_composites_without_an_instant_lie_in_the_middle_of_their_month():
    found = find_scenes(folder("be_hesbaye_2021") / "items.json", bands=BANDS, **EVER)
    first = found.scenes[0]
    assert first.scene_id == "be_hesbaye_2021_2020-11"
    assert (first.acquired_at.month, first.acquired_at.day) == (11, 15)
    with open_scene(found.scenes[1], cache=None, bands=BANDS) as opened:
        assert opened.nodata["red"] == 65535
        assert (opened.read_window("red", 0, 100, 0, 100) == 65535).all()


def test_clear_wheat_reaches_its_spring_peak():
    """NDVI by hand from what the room hands out: the median over the parcels on 11 May is dense green."""
    found = find_scenes(folder("ch_swissfuturefarm_2022") / "items.json", bands=BANDS, **EVER)
    (scene,) = [scene for scene in found.scenes if scene.acquired_at.date() == date(2022, 5, 11)]
    with open_scene(scene, cache=None, bands=("red", "nir")) as opened:
        shape = (0, opened.grid.height, 0, opened.grid.width)
        raw = {band: opened.read_window(band, *shape) for band in ("red", "nir")}
        valid = opened.clear[opened.read_window("mask", *shape)]
        for band, pixels in raw.items():
            valid &= pixels != opened.nodata[band]
        scale = opened.reflectance
        red, nir = (raw[band] * scale.scale + scale.offset for band in ("red", "nir"))
    ndvi = (nir - red) / (nir + red)
    assert 0.88 < np.median(ndvi[valid]) < 0.96


def items(path):
    return find_scenes(DATA / "stac" / "stac_items" / path, bands=BANDS, **EVER).scenes


@pytest.mark.parametrize(
    ("path", "offset", "source", "red", "nir", "mask"),
    [
        ("earthsearch_v1_s2_l2a/s2_l2a_test_item.json", 0.0, "provider_flag", "red", "nir", "scl"),
        ("planetary_computer/two-sentinel-2-items.json", -0.1, "processing_baseline", "B04", "B08", "SCL"),
        ("cdse_kenya/FeatureCollection.json", -0.1, "raster_extension", "B04_10m", "B08_10m", "SCL_20m"),
    ],
)
def test_each_public_catalogue_is_understood(path, offset, source, red, nir, mask):
    for scene in items(path):
        assert (scene.declared.offset, scene.declared.offset_source) == (offset, source)
        assert scene.declared.scale == 1e-4
        assert (scene.bands["red"].key, scene.nir_asset, scene.mask.key) == (red, nir, mask)
        assert set(scene.bands) == {
            "blue", "green", "red", "rededge1", "rededge2", "rededge3", "nir", "nir08", "swir16", "swir22",
        }  # fmt: skip
        assert scene.platform in {"sentinel-2a", "sentinel-2b"}
        assert len(scene.tile) == 5
        assert scene.acquisition.startswith(f"{scene.platform}_20")


def test_the_planetary_computers_b8a_is_not_taken_for_a_red_edge():
    for scene in items("planetary_computer/two-sentinel-2-items.json"):
        assert scene.bands["nir08"].key == "B8A"
        assert scene.bands["rededge1"].key == "B05"


@pytest.mark.parametrize(
    ("product", "offset", "tile"),
    [
        ("S2A_MSIL2A_20190212T192651_N0212_R013_T07HFE_20201007T160857", 0.0, "07HFE"),
        ("S2A_MSIL2A_20230821T221941_N0509_R029_T01KAB_20230822T021825", -0.1, "01KAB"),
    ],
)
def test_stactools_items_of_both_baselines_are_understood(product, offset, tile):
    (scene,) = items(f"safe/{product}.SAFE/expected_output.json")
    assert (scene.declared.offset, scene.declared.offset_source) == (offset, "raster_extension")
    assert scene.tile == tile
    assert scene.acquisition == f"sentinel-2a_{product[11:26]}"
    assert scene.bands["red"].gsd_m == 10


def test_assets_of_the_copernicus_data_space_are_jpeg2000_with_a_checksum():
    (scene,) = items("cdse_kenya/FeatureCollection.json")
    red = scene.bands["red"]
    assert red.media_type == "image/jp2"
    assert red.checksum is not None
    assert red.checksum.startswith("1620")
    assert red.size_bytes == 127_466_004
    assert red.projection.crs == "EPSG:32636"
