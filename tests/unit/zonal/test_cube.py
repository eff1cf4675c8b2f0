"""A cube of several chunks and files, written from arrays and read back around a plot."""

import hashlib
import json
from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, box

from agrocredit.domain.errors import InputUnusableError, RefusedError
from agrocredit.domain.grid import Grid
from agrocredit.zonal.cube import open_cube
from agrocredit.zonal.cube_layout import SeasonArray, season_of
from agrocredit.zonal.cube_window import window_of
from agrocredit.zonal.cube_write import create_arrays, write_block
from agrocredit.zonal.weights import Block

GRID = Grid(crs="EPSG:32632", x0=500_000.0, y0=5_270_000.0, resolution_m=10.0, height=1_250, width=1_111)
FACTORS = {"red": 1, "nir": 1, "swir16": 2, "mask": 2}


def entry_of(scene_id, layers):
    return {
        "scene_id": scene_id,
        "acquired_at": "2022-05-10T10:20:30Z",
        "acquisition": scene_id,
        "scale": 1e-4,
        "offset": -0.1,
        "factors": {name: FACTORS[name] for name in layers},
        "nodata": dict.fromkeys(layers, 0.0),
        "dtypes": {name: "uint8" if name == "mask" else "uint16" for name in layers},
        "clear": [4, 5] if "mask" in layers else None,
    }


def raster_of(scene, layer):
    """Raw numbers of a whole layer; each pixel says where it is."""
    factor = FACTORS[layer]
    rows, cols = np.indices((-(-GRID.height // factor), -(-GRID.width // factor)))
    numbers = rows * 31 + cols * 7 + scene * 1_000 + factor
    return (numbers % 250).astype(np.uint8) if layer == "mask" else numbers.astype(np.uint16)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A cube of blocks 0 and 3 (upper left, lower right) of a grid of four; the third scene lacks bands and mask."""
    folder = tmp_path_factory.mktemp("cube")
    layers = (tuple(FACTORS), tuple(FACTORS), ("red",))
    season = season_of(GRID, tuple(entry_of(f"s{number}", names) for number, names in enumerate(layers)))
    create_arrays(folder, season)

    def read_layer(scene, layer, window):
        row0, row1, col0, col1 = window
        return raster_of(scene, layer)[row0:row1, col0:col1]

    tables = [write_block(folder, season, block=block, read_layer=read_layer) for block in (0, 3)]
    pq.write_table(pa.concat_tables(tables), folder / "chunks.parquet")
    manifest = {
        "format": 1,
        "seasons": {GRID.key: {"grid": asdict(GRID), "scenes": list(season.entries)}},
        "chunks": {"sha256": hashlib.sha256((folder / "chunks.parquet").read_bytes()).hexdigest()},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def place(row0, row1, col0, col1):
    """A rectangle in pixels of the grid."""
    return box(GRID.x0 + col0 * 10, GRID.y0 - row1 * 10, GRID.x0 + col1 * 10, GRID.y0 - row0 * 10)


def whole(grid):
    return Block(index=0, row0=0, row1=grid.height, col0=0, col1=grid.width, part_from=0, part_to=0)


def shown(folder, geometry, scene):
    cube = open_cube(folder)
    window = window_of(cube.seasons[0], geometry)
    block = whole(window.grid)
    return window, window.pixels(window.read(cube, block), block, scene=scene)


@settings(max_examples=30, deadline=None)
@given(row0=st.integers(0, 1_000), col0=st.integers(0, 1_000), rows=st.integers(1, 150), cols=st.integers(1, 150))
def test_a_window_shows_the_raw_numbers_on_each_resolution(made, row0, col0, rows, cols):
    row1, col1 = min(row0 + rows, 1_024), min(col0 + cols, 1_024)
    window, pixels = shown(made, place(row0, row1, col0, col1), scene=1)
    top, left = window.row0, window.col0
    assert (top, left) == (row0 - row0 % 2, col0 - col0 % 2)
    for name, band in pixels.bands.items():
        across = raster_of(1, name)[top // band.factor :, left // band.factor :]
        np.testing.assert_array_equal(band.dn, across[: band.dn.shape[0], : band.dn.shape[1]])
    pixels.check(whole(window.grid))


def test_the_far_corner_of_a_grid_that_no_chunk_divides_is_there(made):
    window, pixels = shown(made, place(1_240, 1_250, 1_100, 1_111), scene=0)
    assert (window.grid.height, window.grid.width) == (10, 11)
    np.testing.assert_array_equal(pixels.bands["red"].dn, raster_of(0, "red")[1_240:, 1_100:])
    np.testing.assert_array_equal(pixels.mask.classes, raster_of(0, "mask")[620:, 550:])
    assert pixels.mask.classes.dtype == np.uint8
    assert np.flatnonzero(pixels.mask.is_clear).tolist() == [4, 5]


def test_a_layer_that_a_scene_lacks_is_absent_and_not_zero(made):
    _, pixels = shown(made, place(10, 20, 10, 20), scene=2)
    assert list(pixels.bands) == ["red"]
    assert pixels.mask is None


def test_a_plot_on_a_block_that_was_not_kept_is_outside(made):
    cube = open_cube(made)
    for geometry in (place(10, 20, 1_020, 1_030), place(1_100, 1_110, 10, 20)):
        window = window_of(cube.seasons[0], geometry)
        with pytest.raises(RefusedError, match="plot_outside_cube"):
            window.read(cube, whole(window.grid))
    assert window_of(cube.seasons[0], place(-30, -5, 4, 9)) is None
    assert window_of(cube.seasons[0], place(4, 9, 1_112, 1_120)) is None


def test_what_lies_between_the_parts_of_a_plot_is_not_read(made):
    cube = open_cube(made)
    both = MultiPolygon([place(1_000, 1_010, 1_000, 1_010), place(1_030, 1_040, 1_030, 1_040)])
    window = window_of(cube.seasons[0], both)
    chunks = window.read(cube, whole(window.grid))
    assert sorted((row, col) for path, row, col in chunks if path.endswith("by_1")) == [(15, 15), (16, 16)]


def test_only_the_files_that_a_plot_touches_are_opened(made, monkeypatch):
    from agrocredit.zonal import cube as module

    asked = []
    real = module.read_ranges
    monkeypatch.setattr(module, "read_ranges", lambda store, wanted: asked.append(dict(wanted)) or real(store, wanted))
    shown(made, place(70, 80, 70, 80), scene=0)
    assert len(asked) == 1
    assert [len(ranges) for ranges in asked[0].values()] == [1, 1]


def test_the_table_lists_each_chunk_of_the_kept_blocks_once_with_its_bytes(made):
    cube = open_cube(made)
    fine = sorted((row, col) for path, row, col in cube.chunks if path.endswith("by_1"))
    upper_left = {(row, col) for row in range(16) for col in range(16)}
    lower_right = {(row, col) for row in range(16, 20) for col in range(16, 18)}
    assert fine == sorted(upper_left | lower_right)
    array = cube.seasons[0].arrays[0]
    offset, nbytes, digest = cube.chunks[array.path, 9, 3]
    data = (made / array.shard_key(9, 3)).read_bytes()[offset : offset + nbytes]
    assert hashlib.sha256(data).digest() == digest


def test_zarr_reads_the_same_numbers(made):
    import zarr

    season = open_cube(made).seasons[0]
    for array in season.arrays:
        stored = zarr.open_array(made / "season.zarr" / array.path, mode="r")
        kept = 1_024 // array.factor
        for layer, name in enumerate(array.layers):
            whole_layer = raster_of(1, name)
            np.testing.assert_array_equal(stored[1, layer, :kept, :kept], whole_layer[:kept, :kept])
            np.testing.assert_array_equal(stored[1, layer, kept:, kept:], whole_layer[kept:, kept:])
        assert stored.attrs["layers"] == list(array.layers)


def test_chunks_of_nothing_but_zeros_are_written_too(tmp_path):
    season = season_of(GRID, (entry_of("s0", ("red",)),))
    create_arrays(tmp_path, season)
    table = write_block(tmp_path, season, block=3, read_layer=lambda *_: np.zeros((1, 1), np.uint16))
    assert table.num_rows == 4 * 2


def test_pixels_that_do_not_divide_a_chunk_are_refused():
    with pytest.raises(InputUnusableError, match="cube_grid_unsupported"):
        SeasonArray(group="g", factor=6, layers=("coastal",), dtype="uint16")


def test_types_of_a_season_are_joined_without_loss():
    entries = (entry_of("a", ("red",)), {**entry_of("b", ("red",)), "dtypes": {"red": "int16"}})
    assert [array.dtype for array in season_of(GRID, entries).arrays] == ["int32"]
