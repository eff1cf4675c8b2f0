"""Assets that are damaged, missing or lead outside are refused by code, and what is left serves."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import rasterio

from agrocredit.scenes import SceneRefusedError

from .conftest import BANDS, damage, refusals


def test_a_missing_band_is_refused_and_the_others_serve(maker, first):
    maker.scene(bands=("blue", "red", "nir"))
    assert refusals(first()) == {("band_missing", "green"), ("band_missing", "rededge1"), ("band_missing", "swir16")}


def truncate(path, _tiff):
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])


def empty(path, _tiff):
    path.write_bytes(b"")


def page(path, _tiff):
    path.write_text("<html>404</html>")


def virtual(path, _tiff):
    path.write_text("<VRTDataset rasterXSize='64' rasterYSize='64'/>")


def gone(path, _tiff):
    path.unlink()


def folder(path, _tiff):
    path.unlink()
    path.mkdir()


def eight_bit(path, tiff):
    tiff(path, np.ones((64, 64), np.uint8))


def three_bands(path, tiff):
    tiff(path, np.ones((3, 64, 64), np.uint16))


def shifted(path, tiff):
    tiff(path, np.ones((64, 64), np.uint16), x0=492765.0)


def other_zone(path, tiff):
    tiff(path, np.ones((64, 64), np.uint16), crs="EPSG:32633")


def degrees(path, tiff):
    tiff(path, np.ones((64, 64), np.uint16), crs="EPSG:4326", transform=rasterio.Affine(1e-4, 0, 8.9, 0, -1e-4, 47.5))


FAULTS = [
    (truncate, "asset_unreadable"),
    (empty, "asset_unreadable"),
    (page, "asset_unreadable"),
    (gone, "asset_unreadable"),
    (folder, "asset_unreadable"),
    (virtual, "format_not_allowed"),
    (eight_bit, "band_type_invalid"),
    (three_bands, "band_type_invalid"),
    (shifted, "grid_mismatch"),
    (other_zone, "grid_mismatch"),
    (degrees, "grid_mismatch"),
]


@pytest.mark.parametrize(("fault", "code"), FAULTS)
@pytest.mark.parametrize("key", ["B02", "B03"])
def test_a_bad_asset_is_refused_by_code_and_the_run_goes_on(maker, first, tiff, fault, code, key):
    maker.scene()
    fault(damage(maker, key), tiff)
    opened = first()
    assert len(opened.bands) == len(BANDS) - 1
    assert opened.refused[0].scene_id == maker.items[0]["id"]
    assert refusals(opened) == {(code, key)}


@pytest.mark.parametrize(("fault", "code"), FAULTS[:6])
def test_a_scene_whose_mask_fails_is_refused(maker, first, tiff, fault, code):
    maker.scene()
    fault(damage(maker, "SCL"), tiff)
    with pytest.raises(SceneRefusedError) as raised:
        first()
    assert raised.value.code == code
    assert [(one.code, one.asset) for one in raised.value.refusals] == [(code, "SCL")]


def test_a_scene_whose_bands_all_fail_is_refused_with_every_reason(maker, first, tiff):
    maker.scene(bands=("blue", "red", "nir"))
    for key in ("B02", "B04", "B08"):
        truncate(damage(maker, key), tiff)
    with pytest.raises(SceneRefusedError) as raised:
        first(bands=("red", "nir"))
    assert {one.asset for one in raised.value.refusals} == {"B04", "B08"}


def test_a_check_band_that_nobody_asked_for_fails_quietly(maker, first, tiff):
    maker.scene()
    truncate(damage(maker, "B02"), tiff)
    with first(bands=("red", "nir")) as opened:
        assert opened.refused == ()
        assert opened.reflectance.check == "undecided"


def test_a_flipped_bit_is_a_checksum_mismatch(maker, first):
    maker.scene()
    path = damage(maker, "B04")
    good = path.read_bytes()
    maker.items[0]["assets"]["B04"]["file:checksum"] = "1220" + hashlib.sha256(good).hexdigest()
    with first() as opened:
        assert opened.refused == ()
    data = bytearray(good)
    data[-10] ^= 1
    path.write_bytes(data)
    assert refusals(first()) == {("checksum_mismatch", "B04")}


@pytest.mark.parametrize(
    "href", ["file:///etc/hostname", "/etc/hostname", "../outside.tif", "/vsicurl/http://127.0.0.1/x.tif",
             "http://169.254.169.254/latest/meta-data", "https://127.0.0.1/x.tif"],
)  # fmt: skip
def test_an_href_that_leads_outside_is_refused(maker, first, href, tmp_path):
    maker.scene()
    (tmp_path / "outside.tif").write_bytes(b"secret")
    maker.items[0]["assets"]["B04"]["href"] = href
    assert refusals(first()) == {("href_not_allowed", "B04")}
