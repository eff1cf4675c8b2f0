from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from agrocredit.domain.grid import Grid
from pipelines import grid_projection
from pipelines.grid_projection import POINTS_MIN, TOLERANCE_M, GridProjection, projection_onto

TILE_PIXELS = 10_980


def tile(crs, west_m, north_m, *, pixels=TILE_PIXELS):
    return Grid(crs=crs, x0=west_m, y0=north_m, resolution_m=10.0, height=pixels, width=pixels)


SERVED = {
    "a quarter of a tile": tile("EPSG:32636", 300_000.0, 4_300_000.0, pixels=5_490),
    "a small field's neighbourhood": tile("EPSG:32633", 400_000.0, 5_000_000.0, pixels=20),
    "northern zone at its middle": tile("EPSG:32633", 445_000.0, 5_400_000.0),
    "northern zone at its western edge": tile("EPSG:32632", 166_020.0, 5_300_040.0),
    "equator at the zone's edge": tile("EPSG:32636", 166_020.0, 60_000.0),
    "southern zone": tile("EPSG:32737", 199_980.0, 9_700_000.0),
    "southern zone far south": tile("EPSG:32718", 600_000.0, 4_500_000.0),
    "72 degrees north": tile("EPSG:32633", 399_960.0, 8_000_020.0),
    "83 degrees north, 10 degrees wide": tile("EPSG:32633", 166_020.0, 9_300_020.0),
    "LAEA at its edge": tile("EPSG:3035", 2_700_000.0, 2_000_000.0),
    "Switzerland": tile("EPSG:2056", 2_600_000.0, 1_300_000.0),
}
NOT_SERVED = {
    "across the antimeridian": tile("EPSG:32601", 166_020.0, 4_300_000.0),
    "around a pole": Grid(crs="EPSG:32661", x0=1.9e6, y0=2.1e6, resolution_m=10.0, height=20_000, width=20_000),
    "too large for a polynomial": Grid(
        crs="EPSG:32633", x0=1e5, y0=5e6, resolution_m=10.0, height=80_000, width=80_000
    ),
    "beyond its projection": Grid(crs="EPSG:32633", x0=-5e6, y0=8e6, resolution_m=1_000.0, height=9_000, width=9_000),
}


def transformer(grid):
    return Transformer.from_crs("EPSG:4326", grid.crs, always_xy=True)


@cache
def fitted(name):
    return GridProjection.fit(SERVED[name], transformer(SERVED[name]))


@pytest.mark.parametrize("name", SERVED)
def test_every_corner_edge_and_inner_point_of_the_box_is_where_proj_puts_it(name):
    projection = fitted(name)
    along = np.linspace(-1, 1, 150)  # not the points that were checked when it was fitted
    lon, lat = projection.middle_deg[:, None] + projection.half_deg[:, None] * np.stack(
        np.meshgrid(along, along)
    ).reshape(2, -1)
    found, expected = projection(lon, lat), transformer(SERVED[name]).transform(lon, lat)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1.25 * TOLERANCE_M)


@given(st.sampled_from(sorted(SERVED)), st.floats(0, 1), st.floats(0, 1), st.floats(-0.009, 0.009))
def test_a_point_on_or_around_the_grid_is_where_proj_puts_it(name, across, down, beyond):
    west, south, east, north = SERVED[name].bounds
    x, y = west + across * (east - west) + 1e5 * beyond, south + down * (north - south) - 1e5 * beyond
    lon, lat = map(np.atleast_1d, transformer(SERVED[name]).transform(x, y, direction="INVERSE"))
    assert (np.abs(np.array([lon[0], lat[0]]) - fitted(name).middle_deg) <= fitted(name).half_deg).all()
    np.testing.assert_allclose(
        fitted(name)(lon, lat), transformer(SERVED[name]).transform(lon, lat), rtol=0, atol=2.5e-8
    )


@pytest.mark.parametrize("name", NOT_SERVED)
def test_where_no_polynomial_holds_proj_answers(name):
    grid = NOT_SERVED[name]
    assert GridProjection.fit(grid, transformer(grid)) is None
    lon, lat = np.array([179.9, 15.0, np.nan]), np.array([38.0, 89.0, 1.0])
    answers = projection_onto(grid, n_points=POINTS_MIN)(lon, lat)
    np.testing.assert_array_equal(answers, transformer(grid).transform(lon, lat))


def test_points_outside_the_box_get_the_answer_of_proj_to_the_last_bit():
    name = "northern zone at its middle"
    lon = np.array([8.0, 15.0, 15.0, np.nan, 15.0, np.inf, 375.0, 15.0])
    lat = np.array([48.0, 48.3, 60.0, 48.3, np.nan, 48.3, 48.3, -np.inf])
    found, expected = (np.array(project(lon, lat)) for project in (fitted(name), transformer(SERVED[name]).transform))
    outside = np.arange(lon.size) != 1
    np.testing.assert_array_equal(found[:, outside], expected[:, outside])
    np.testing.assert_allclose(found[:, 1], expected[:, 1], rtol=0, atol=TOLERANCE_M)


def test_a_point_has_one_answer_whatever_points_come_with_it(monkeypatch):
    projection = fitted("Switzerland")
    lon, lat = np.random.default_rng(0).uniform([[6.0], [46.0]], [[10.0], [48.5]], (2, 3_000))
    together = projection(lon, lat)
    monkeypatch.setattr(grid_projection, "_CHUNK", 7)
    np.testing.assert_array_equal(projection(lon, lat), together)
    assert np.shape(projection(lon[:0], lat[:0])) == (2, 0)


def test_a_polynomial_that_is_off_by_more_than_the_tolerance_is_not_taken(monkeypatch):
    monkeypatch.setattr(grid_projection, "_DEGREES", range(4, 6))  # a whole tile wants 6
    grid = SERVED["northern zone at its middle"]
    assert GridProjection.fit(grid, transformer(grid)) is None


def test_few_points_are_left_to_proj():
    grid = SERVED["Switzerland"]
    assert isinstance(projection_onto(grid, n_points=POINTS_MIN), GridProjection)
    assert not isinstance(projection_onto(grid, n_points=POINTS_MIN - 1), GridProjection)
