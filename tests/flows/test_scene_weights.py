from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import shapely
from pyproj import Transformer

from agrocredit.domain.grid import Grid
from agrocredit.zonal import build_weights
from agrocredit.zonal.weights import ARRAYS
from pipelines import grid_projection, scene_weights
from pipelines.scene_weights import forget_weights, plots_near, weights_on, write_shapes

GRID = Grid(crs="EPSG:32636", x0=300_000.0, y0=4_300_000.0, resolution_m=10.0, height=200, width=200)


def square(row, col, side_m=80.0):
    """Return a square in degrees, given by its upper left pixel."""
    x, y = GRID.x0 + 10 * col + 1.25, GRID.y0 - 10 * row - 2.5
    to_degrees = Transformer.from_crs(GRID.crs, "EPSG:4326", always_xy=True).transform
    return shapely.transform(shapely.box(x, y - side_m, x + side_m, y), to_degrees, interleaved=False)


SHAPES = np.array(
    [
        square(3, 4),
        square(-900, 4),
        shapely.MultiPolygon([square(20, 20), square(40, 60)]),
        square(198, 150),
        square(30, 90).difference(square(32, 92, 30.0)),
        shapely.box(-100, 10, -99.999, 10.001),
    ],
    object,
)


@pytest.fixture
def plots_file(tmp_path):
    wkb = pa.chunked_array([shapely.to_wkb(shapely.orient_polygons(SHAPES), byte_order=1)], pa.large_binary())
    write_shapes(wkb, tmp_path / "plots.parquet")
    yield tmp_path / "plots.parquet"
    forget_weights(tmp_path / "plots.parquet")


@pytest.mark.parametrize("at_a_time", [1, 2, 100])
def test_weights_are_those_of_the_shapes_however_many_are_read_at_a_time(plots_file, tmp_path, monkeypatch, at_a_time):
    monkeypatch.setattr(scene_weights, "_PLOTS_AT_A_TIME", at_a_time)
    found = weights_on(GRID, plots_file=plots_file, folder=tmp_path / "weights")
    assert found.numbers.tolist() == [0, 2, 3, 4]
    to_metres = Transformer.from_crs("EPSG:4326", GRID.crs, always_xy=True).transform
    expected = build_weights(shapely.transform(SHAPES[found.numbers], to_metres, interleaved=False), grid=GRID)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(found.weights, name), getattr(expected, name))


def test_points_through_a_polynomial_move_a_weight_by_its_last_bits_at_most(plots_file, tmp_path, monkeypatch):
    exact = weights_on(GRID, plots_file=plots_file, folder=tmp_path / "exact").weights
    forget_weights(plots_file)
    monkeypatch.setattr(grid_projection, "POINTS_MIN", 1)
    fitted = weights_on(GRID, plots_file=plots_file, folder=tmp_path / "fitted").weights
    assert isinstance(grid_projection.projection_onto(GRID, n_points=1), grid_projection.GridProjection)
    assert np.abs(exact.edge.astype(np.int64) - fitted.edge).max() <= 2
    for name in ("span", "before", "after"):
        np.testing.assert_array_equal(getattr(exact, name), getattr(fitted, name))


def test_weights_kept_on_disk_are_taken_by_the_next_run(plots_file, tmp_path, monkeypatch):
    first = weights_on(GRID, plots_file=plots_file, folder=tmp_path / "weights")
    assert weights_on(GRID, plots_file=plots_file, folder=tmp_path / "weights") is first
    forget_weights(plots_file)
    monkeypatch.setattr("agrocredit.zonal.cover_outlines", None)
    again = weights_on(GRID, plots_file=plots_file, folder=tmp_path / "weights")
    assert again is not first
    assert again.weights.key == first.weights.key


def test_weights_that_nobody_else_can_use_are_not_written(plots_file, tmp_path):
    kept = weights_on(GRID, plots_file=plots_file, folder=tmp_path / "weights").weights
    forget_weights(plots_file)
    alone = weights_on(GRID, plots_file=plots_file, folder=None).weights
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(alone, name), getattr(kept, name))


def test_no_plot_near_a_grid_is_no_error(plots_file, tmp_path):
    far = Grid(crs="EPSG:32633", x0=300_000.0, y0=6_300_000.0, resolution_m=10.0, height=20, width=20)
    numbers, near = plots_near(plots_file, far)
    assert (numbers.size, near) == (0, [])
    assert weights_on(far, plots_file=plots_file, folder=tmp_path / "weights").weights.n_plots == 0
