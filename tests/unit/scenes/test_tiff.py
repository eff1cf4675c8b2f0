from __future__ import annotations

import struct

import numpy as np
import pytest
import rasterio

from agrocredit.domain.errors import RefusedError
from agrocredit.scenes.tiff import check_tiff, tile_places

PIXELS = np.random.default_rng(1).integers(1, 9000, (200, 200)).astype(np.uint16)


@pytest.mark.parametrize(
    "layout", [{}, {"BIGTIFF": "YES"}, {"ENDIANNESS": "BIG"}, {"tiled": False}, {"compress": "zstd"}]
)
def test_good_files_pass_in_every_layout(tiff, tmp_path, layout):
    check_tiff(tiff(tmp_path / "a.tif", PIXELS, **layout))


@pytest.mark.parametrize("layout", [{}, {"BIGTIFF": "YES"}, {"tiled": False}])
@pytest.mark.parametrize("keep", [0.02, 0.3, 0.6, 0.95, 0.999])
def test_a_file_cut_short_is_noticed_at_the_header(tiff, tmp_path, layout, keep):
    path = tiff(tmp_path / "a.tif", PIXELS, **layout)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(RefusedError, match=r"asset_unreadable.*cut short"):
        check_tiff(path)


def test_a_sparse_file_is_whole(tiff, tmp_path):
    check_tiff(tiff(tmp_path / "a.tif", np.zeros((200, 200), np.uint16), SPARSE_OK=True))


def test_a_loop_of_directories_is_refused(tmp_path):
    path = tmp_path / "loop.tif"
    path.write_bytes(struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", 0) + struct.pack("<I", 8))
    with pytest.raises(RefusedError, match="raster_too_large: TIFF with a loop"):
        check_tiff(path)


def test_many_directories_are_refused(tmp_path):
    parts = [struct.pack("<2sHI", b"II", 42, 8)]
    parts += [struct.pack("<HI", 0, 8 + 6 * (i + 1)) for i in range(100)]
    path = tmp_path / "many.tif"
    path.write_bytes(b"".join(parts))
    with pytest.raises(RefusedError, match="raster_too_large: TIFF with more than 64"):
        check_tiff(path)


def test_a_huge_tag_is_refused_before_it_is_read(tmp_path):
    entry = struct.pack("<HHII", 42112, 2, 2_000_000_000, 100)
    path = tmp_path / "huge.tif"
    path.write_bytes(struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", 1) + entry + struct.pack("<I", 0))
    with pytest.raises(RefusedError, match="raster_too_large: TIFF tag 42112"):
        check_tiff(path)


def test_many_tags_are_refused(tmp_path):
    path = tmp_path / "tags.tif"
    path.write_bytes(struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", 60_000))
    with pytest.raises(RefusedError, match="raster_too_large"):
        check_tiff(path)


def test_what_is_no_tiff_is_unreadable(tmp_path):
    path = tmp_path / "page.tif"
    path.write_bytes(b"<html>")
    with pytest.raises(RefusedError, match="asset_unreadable"):
        check_tiff(path)


@pytest.mark.parametrize("layout", [{}, {"BIGTIFF": "YES"}, {"ENDIANNESS": "BIG"}, {"compress": "zstd"}])
def test_tiles_of_the_first_image_lie_where_gdal_finds_them(tiff, tmp_path, layout):
    path = tiff(tmp_path / "a.tif", PIXELS, **layout)
    with rasterio.open(path, "r+") as file:
        file.build_overviews([2, 4])
        rows, columns = (-(-200 // side) for side in file.block_shapes[0])
    offsets, counts = tile_places(path)
    with rasterio.open(path) as file:
        for at, (row, column) in enumerate(np.ndindex(rows, columns)):
            assert offsets[at] == int(file.get_tag_item(f"BLOCK_OFFSET_{column}_{row}", "TIFF", bidx=1))
            assert counts[at] == int(file.get_tag_item(f"BLOCK_SIZE_{column}_{row}", "TIFF", bidx=1))
    assert offsets.size == counts.size == rows * columns
