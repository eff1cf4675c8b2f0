from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from agrocredit.report.plane import ASPECT_MAX, ASPECT_MIN, EXTENT_MIN_M, WIDTH_UNITS, plane_around


@given(st.floats(-180, 180), st.floats(-70, 70), st.floats(0.001, 0.2))
def test_drawn_lengths_agree_with_geodesics_over_a_district(longitude, latitude, size_deg):
    points = [(longitude, latitude), (longitude + size_deg, latitude), (longitude, latitude + size_deg)]
    plane = plane_around(np.array([shapely.Polygon(points)], dtype=object))
    drawn = shapely.get_coordinates(plane.drawn(np.array([shapely.Polygon(points)], dtype=object)))
    metres_per_unit = plane.width_m / WIDTH_UNITS
    for other in (1, 2):
        _, _, geodesic_m = Geod(ellps="WGS84").inv(*points[0], *points[other])
        assert np.hypot(*(drawn[other] - drawn[0])) * metres_per_unit == pytest.approx(geodesic_m, rel=0.006)
    assert drawn[2, 1] < drawn[0, 1], "north is up"
    assert drawn[1, 0] > drawn[0, 0], "east is right"


@given(st.lists(st.tuples(st.floats(5, 6), st.floats(50, 51)), min_size=1, max_size=8))
def test_every_outline_lies_inside_the_map(corners):
    outlines = np.array([shapely.box(x, y, x + 0.001, y + 0.001) for x, y in corners], dtype=object)
    plane = plane_around(outlines)
    drawn = shapely.get_coordinates(plane.drawn(outlines))
    assert (drawn >= 0).all()
    assert (drawn <= [WIDTH_UNITS, plane.height_units]).all()
    assert ASPECT_MIN - 1e-9 <= plane.height_m / plane.width_m <= ASPECT_MAX + 1e-9


def test_a_run_on_both_sides_of_the_date_line_stays_together():
    outlines = np.array([shapely.box(179.99, -17, 179.991, -16.999), shapely.box(-179.99, -17, -179.989, -16.999)])
    assert plane_around(outlines).width_m < 5_000


def test_one_small_plot_does_not_fill_the_map_and_the_scale_bar_is_round():
    plane = plane_around(np.array([shapely.box(5, 50, 5.0001, 50.0001)], dtype=object))
    assert plane.width_m >= EXTENT_MIN_M
    assert plane.scale_bar_m == 50
