from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from agrocredit.domain.errors import WrongUsageError
from agrocredit.scenes import FakeFetcher, find_scenes, open_scene

from .conftest import BANDS, damage, refusals

SITE = ["https://example.com"]


def test_bands_stay_on_their_own_grids(maker, first):
    maker.scene()
    with first() as opened:
        assert opened.bands == BANDS
        assert (opened.grid.resolution_m, opened.grid.height, opened.grid.width) == (10.0, 64, 64)
        assert opened.factors == {
            "mask": 2, "blue": 1, "green": 1, "red": 1, "nir": 1, "rededge1": 2, "swir16": 2,
        }  # fmt: skip
        assert opened.nodata["red"] == 0.0
        assert opened.mask == "scl"
        assert opened.refused == ()


def test_every_file_is_hashed(maker, first):
    maker.scene()
    with first() as opened:
        for key, digest in opened.sha256.items():
            path = maker.folder / maker.items[0]["id"] / f"{key}.tif"
            assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
        assert set(opened.sha256) == {"B02", "B03", "B04", "B08", "B05", "B11", "SCL"}


@pytest.mark.parametrize("truth", [-0.1, 0.0])
@pytest.mark.parametrize("said", [-0.1, 0.0])
def test_the_pixels_overrule_a_lying_catalogue(maker, first, truth, said):
    maker.scene(true_offset=truth, declared=said)
    with first() as opened:
        assert opened.reflectance.offset == truth
        assert opened.reflectance.offset_source == ("raster_extension" if truth == said else "pixels")
        assert opened.manifest_entry()["offset_declared"] == said


def test_a_wrong_provider_flag_is_overruled(maker, first):
    maker.scene(true_offset=-0.1, declared=-0.1, **{"earthsearch:boa_offset_applied": True})
    with first() as opened:
        assert (opened.reflectance.offset, opened.reflectance.offset_source) == (-0.1, "pixels")
        assert opened.reflectance.declared_offset == 0.0


def test_the_check_needs_no_request_for_blue(maker, first):
    maker.scene(true_offset=-0.1, declared=0.0)
    with first(bands=("red", "nir")) as opened:
        assert opened.bands == ("red", "nir")
        assert opened.reflectance.offset_source == "pixels"
        assert "B02" in opened.sha256


def test_all_cloud_keeps_what_is_declared(maker, first):
    maker.scene(true_offset=-0.1, declared=0.0, scl=np.full((32, 32), 9, np.uint8))
    with first() as opened:
        assert (opened.reflectance.offset, opened.reflectance.check) == (0.0, "undecided")


def test_without_a_mask_vegetation_alone_is_asked(maker, first):
    maker.scene(true_offset=-0.1, declared=0.0, with_mask=False)
    with first() as opened:
        assert (opened.mask, opened.clear) == ("none", None)
        assert opened.reflectance.offset == -0.1


def test_nir_from_b8a_is_opened_once_and_said_so(maker, first):
    maker.scene(bands=("blue", "red", "nir08"))
    with first(bands=("red", "nir", "nir08")) as opened:
        assert opened.manifest_entry()["nir_asset"] == "B8A"
        assert opened.factors["nir"] == opened.factors["nir08"] == 2
        assert sorted(opened.sha256) == ["B02", "B04", "B8A", "SCL"]


def test_a_declared_missing_value_beats_the_files_own(maker, first, tiff):
    maker.scene()
    asset = maker.items[0]["assets"]["B04"]
    asset["raster:bands"][0]["nodata"] = 65535
    del maker.items[0]["assets"]["B03"]["raster:bands"][0]["nodata"]
    tiff(damage(maker, "B03"), np.ones((64, 64), np.uint16), nodata=7)
    del maker.items[0]["assets"]["B02"]["raster:bands"][0]["nodata"]
    tiff(damage(maker, "B02"), np.ones((64, 64), np.uint16))
    with first() as opened:
        assert (opened.nodata["red"], opened.nodata["green"], opened.nodata["blue"]) == (65535.0, 7.0, 0.0)


def test_remote_assets_come_through_the_fetcher_into_the_cache(maker, first, tmp_path):
    item = maker.scene()
    contents = {}
    for key, asset in item["assets"].items():
        asset["href"] = f"https://example.com/{key}.tif"
        contents[asset["href"]] = damage(maker, key).read_bytes()
    fetcher = FakeFetcher(contents)
    for _ in range(2):
        with first(cache=tmp_path / "cache", fetcher=fetcher, allow_roots=SITE) as opened:
            assert opened.refused == ()
    assert sorted(fetcher.asked) == sorted(contents)
    with first(cache=None, fetcher=fetcher, allow_roots=SITE) as opened:
        assert opened.read_window("red", 0, 64, 0, 64).shape == (64, 64)
    assert len(fetcher.asked) == 2 * len(contents)


def test_a_bad_copy_is_fetched_once_more_and_then_refused(maker, first, tmp_path):
    item = maker.scene()
    good = damage(maker, "B04").read_bytes()
    item["assets"]["B04"]["href"] = "https://example.com/B04.tif"

    class Flapping(FakeFetcher):
        def fetch(self, location, target):
            self.asked.append(location.href)
            target.write(good[:1000] if len(self.asked) == 1 else good)

    flapping = Flapping({})
    with first(cache=tmp_path / "a", fetcher=flapping, allow_roots=SITE) as opened:
        assert opened.refused == ()
    assert len(flapping.asked) == 2
    broken = FakeFetcher({"https://example.com/B04.tif": good[:1000]})
    assert refusals(first(cache=tmp_path / "b", fetcher=broken, allow_roots=SITE)) == {("asset_unreadable", "B04")}
    assert len(broken.asked) == 2


def test_asking_for_no_band_is_wrong_usage(maker, season):
    maker.scene()
    found = find_scenes(maker.write(), bands=BANDS, **season)
    with pytest.raises(WrongUsageError, match="bands_missing"):
        open_scene(found.scenes[0], cache=None, bands=())


def test_the_manifest_entry_is_plain_and_the_same_twice(maker, first):
    maker.scene()
    with first() as one, first() as two:
        assert json.dumps(one.manifest_entry()) == json.dumps(two.manifest_entry())
        assert one.manifest_entry()["acquired_at"] == "2022-05-11T10:26:01Z"


def test_a_catalogue_and_its_files_on_an_allowed_host_are_fetched_and_opened(maker, season, site, tmp_path):
    maker.scene()
    maker.write()
    for path in maker.folder.rglob("*.*"):
        site.answers[f"/stac/{path.relative_to(maker.folder)}"] = (200, {}, path.read_bytes())
    found = find_scenes(f"{site.url}/stac/items.json", bands=BANDS, allow_roots=[site.url], **season)
    with open_scene(found.scenes[0], cache=tmp_path / "cache", bands=BANDS) as opened:
        assert opened.refused == ()
        assert opened.reflectance.check == "confirmed"
    assert len(site.asked) == 8
