from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import rasterio

from agrocredit.domain.errors import RefusedError
from agrocredit.scenes.rasters import RasterBudget, open_raster, read_window

PIXELS = np.random.default_rng(1).integers(1, 9000, (64, 96)).astype(np.uint16)


def code_of(path, media_type="image/tiff", budget=None):
    with pytest.raises(RefusedError) as raised:
        open_raster(path, media_type=media_type, budget=budget)
    return raised.value.code


def test_a_window_has_the_pixels_rasterio_reads(tiff, tmp_path):
    with open_raster(tiff(tmp_path / "a.tif", PIXELS), media_type=None) as dataset:
        assert dataset.driver == "GTiff"
        np.testing.assert_array_equal(read_window(dataset, rows=(3, 40), columns=(31, 96)), PIXELS[3:40, 31:96])


def test_jpeg2000_opens_only_where_the_catalogue_says_so(tiff, tmp_path):
    path = tiff(
        tmp_path / "a.jp2", PIXELS, driver="JP2OpenJPEG", tiled=None, QUALITY=100, REVERSIBLE="YES", compress=None
    )
    with open_raster(path, media_type="image/jp2") as dataset:
        assert dataset.driver == "JP2OpenJPEG"
        np.testing.assert_array_equal(read_window(dataset, rows=(0, 64), columns=(0, 96)), PIXELS)
    assert code_of(path) == "format_not_allowed"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "asset_unreadable"),
        (b"<!DOCTYPE html><html>Not found</html>", "asset_unreadable"),
        (b'{"error": "no such key"}', "asset_unreadable"),
        (b"II*\x00garbage", "asset_unreadable"),
        (b"<VRTDataset rasterXSize='1' rasterYSize='1'></VRTDataset>", "format_not_allowed"),
        (b"<?xml version='1.0'?>\n<VRTDataset></VRTDataset>", "format_not_allowed"),
        (b"\x89HDF\r\n\x1a\n", "format_not_allowed"),
        (b"%PDF-1.7", "format_not_allowed"),
        (b"PK\x03\x04", "format_not_allowed"),
        (b"\x89PNG\r\n", "format_not_allowed"),
    ],
)
def test_content_decides_not_the_name(tmp_path, content, expected):
    path = tmp_path / "B04.tif"
    path.write_bytes(content)
    assert code_of(path) == expected


def test_a_vrt_named_tif_never_reaches_the_other_file(tiff, tmp_path):
    secret = tiff(tmp_path / "secret.tif", PIXELS)
    vrt = tmp_path / "B04.tif"
    vrt.write_text(
        f'<VRTDataset rasterXSize="96" rasterYSize="64"><VRTRasterBand dataType="UInt16" band="1"><SimpleSource>'
        f"<SourceFilename>{secret}</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    assert code_of(vrt) == "format_not_allowed"


def test_the_vrt_driver_is_gone_where_the_room_is_imported_first():
    program = (
        "import agrocredit.scenes.rasters, rasterio\n"
        "with rasterio.Env() as env: print('VRT' in env.drivers(), 'GTiff' in env.drivers())"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False", "True"]


def test_files_beside_a_raster_are_not_looked_at(tiff, tmp_path):
    path = tiff(tmp_path / "a.tif", PIXELS, nodata=0)
    (tmp_path / "a.tif.aux.xml").write_text(
        "<PAMDataset><PAMRasterBand band='1'><NoDataValue>77</NoDataValue></PAMRasterBand></PAMDataset>"
    )
    with open_raster(path, media_type=None) as dataset:
        assert dataset.nodata == 0


def test_a_header_over_the_budget_is_refused_before_pixels_are_read(tmp_path):
    path = tmp_path / "bomb.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=40_000,
        height=40_000,
        count=1,
        dtype="uint8",
        tiled=True,
        SPARSE_OK=True,
        crs="EPSG:32632",
        transform=rasterio.Affine(10, 0, 0, 0, -10, 0),
    ):
        pass  # fmt: skip
    assert path.stat().st_size < 1_000_000
    assert code_of(path) == "raster_too_large"


def test_many_bands_are_too_large_and_a_few_are_the_wrong_type(tiff, tmp_path):
    stack = np.ones((40, 16, 16), np.uint8)
    assert code_of(tiff(tmp_path / "many.tif", stack)) == "raster_too_large"
    assert code_of(tiff(tmp_path / "rgb.tif", stack[:3])) == "band_type_invalid"


def test_blocks_have_a_budget_too(tiff, tmp_path):
    path = tiff(tmp_path / "a.tif", PIXELS)
    assert code_of(path, budget=RasterBudget(blocks_max=5)) == "raster_too_large"
    assert code_of(path, budget=RasterBudget(block_pixels_max=100)) == "raster_too_large"
    assert code_of(path, budget=RasterBudget(side_of_tile_min=33)) == "raster_too_large"


def test_a_damaged_block_is_an_error_never_a_fill_value(tiff, tmp_path):
    path = tiff(tmp_path / "a.tif", PIXELS)
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 400] = bytes(400)
    path.write_bytes(data)
    with open_raster(path, media_type=None) as dataset, pytest.raises(RefusedError, match="asset_unreadable"):
        read_window(dataset, rows=(0, 64), columns=(0, 96))
