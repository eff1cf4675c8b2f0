"""The direct reader of tiles against GDAL, over layouts grouped by whether it should take them."""

from itertools import pairwise

import numpy as np
import pytest
import rasterio

from agrocredit.scenes import deflate_tiles as module
from agrocredit.scenes.deflate_tiles import deflate_tiles

if module._CODECS is None:
    pytest.skip("imagecodecs is not installed, so GDAL reads all tiles", allow_module_level=True)

SIDE = 64
HEIGHT, WIDTH = 200, 170
TILED = {"driver": "GTiff", "tiled": True, "blockxsize": SIDE, "blockysize": SIDE, "compress": "deflate"}


def _raster(dtype):
    rng = np.random.default_rng(3)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, (HEIGHT, WIDTH), dtype, endpoint=True)


def _write(path, dtype="uint16", **options):
    with rasterio.open(path, "w", height=HEIGHT, width=WIDTH, count=1, dtype=dtype, **{**TILED, **options}) as file:
        file.write(_raster(dtype), 1)
    return path


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
@pytest.mark.parametrize("predictor", [1, 2])
def test_every_window_of_whole_tiles_is_what_gdal_reads(tmp_path, dtype, predictor):
    path = _write(tmp_path / "a.tif", dtype, predictor=predictor)
    rows, columns = [0, 64, 128, 192, HEIGHT], [0, 64, 128, WIDTH]
    with rasterio.open(path) as dataset:
        tiles = deflate_tiles(dataset, path)
        for down in [*pairwise(rows), (0, HEIGHT), (64, 192)]:
            for across in [*pairwise(columns), (0, WIDTH), (64, WIDTH)]:
                found = np.empty((down[1] - down[0], across[1] - across[0]), dtype)
                assert tiles.read(found, rows=down, columns=across)
                np.testing.assert_array_equal(found, dataset.read(1, window=(down, across)))
        tiles.close()


@pytest.mark.parametrize("span", [(0, 63), (1, 64), (32, 128), (64, 64), (0, HEIGHT + 1)])
def test_a_window_that_cuts_a_tile_or_leaves_the_raster_is_left_to_gdal(tmp_path, span):
    path = _write(tmp_path / "a.tif")
    with rasterio.open(path) as dataset:
        tiles = deflate_tiles(dataset, path)
        assert not tiles.read(np.empty((span[1] - span[0], 64), "uint16"), rows=span, columns=(0, 64))
        tiles.close()


@pytest.mark.parametrize(
    "options",
    [
        {"compress": "lzw"},
        {"compress": "zstd"},
        {"compress": None},
        {"tiled": False, "blockxsize": None, "blockysize": None},
        {"blockysize": 32},
        {"nbits": 12},
        {"ENDIANNESS": "BIG"},
        {"dtype": "uint32"},
        {"dtype": "float32", "predictor": 3},
    ],
)
def test_another_layout_is_left_to_gdal(tmp_path, options):
    options = {"dtype": "uint16", **options}
    dtype = options.pop("dtype")
    profile = {key: value for key, value in {**TILED, **options}.items() if value is not None}
    path = tmp_path / "a.tif"
    with rasterio.open(path, "w", height=HEIGHT, width=WIDTH, count=1, dtype=dtype, **profile) as file:
        file.write(np.zeros((HEIGHT, WIDTH), dtype), 1)
    with rasterio.open(path) as dataset:
        assert deflate_tiles(dataset, path) is None


def test_a_tile_that_was_never_written_is_left_to_gdal(tmp_path):
    path = tmp_path / "a.tif"
    profile = {**TILED, "SPARSE_OK": True}
    with rasterio.open(path, "w", height=HEIGHT, width=WIDTH, count=1, dtype="uint16", **profile) as file:
        file.write(np.ones((SIDE, SIDE), "uint16"), 1, window=((0, SIDE), (0, SIDE)))
    with rasterio.open(path) as dataset:
        tiles = deflate_tiles(dataset, path)
        window = np.zeros((SIDE, SIDE), "uint16")
        assert tiles.read(window, rows=(0, 64), columns=(0, 64))
        assert window.all()
        assert not tiles.read(window, rows=(64, 128), columns=(0, 64))
        tiles.close()


@pytest.mark.parametrize("kept", [0, 100])
def test_a_torn_tile_is_left_to_gdal_which_refuses_it(tmp_path, kept):
    path = _write(tmp_path / "a.tif")
    with rasterio.open(path) as dataset:
        at, size = (int(dataset.get_tag_item(f"BLOCK_{what}_1_1", "TIFF", bidx=1)) for what in ("OFFSET", "SIZE"))
    with path.open("r+b") as file:
        file.seek(at + kept)
        file.write(b"\xff" * (size - kept))
    with rasterio.open(path) as dataset:
        tiles = deflate_tiles(dataset, path)
        window = np.empty((SIDE, SIDE), "uint16")
        assert not tiles.read(window, rows=(64, 128), columns=(64, 128))
        with pytest.raises(rasterio.errors.RasterioIOError):
            dataset.read(1, window=((64, 128), (64, 128)))
        assert tiles.read(window, rows=(0, 64), columns=(0, 64))
        tiles.close()
