from __future__ import annotations

import time

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from agrocredit.domain.plot import VERTICES_MAX, geodesic_area_perimeter
from agrocredit.store.plot_geometry import geometry_sha256, measure, normal_form, refuse_geometries

ANGLES = st.lists(st.integers(0, 359), min_size=3, max_size=40, unique=True).map(sorted)


def star(angles, lon=30.0, lat=-5.0, seed=1):
    """Return a ring around a point without crossings: one radius an angle."""
    radius_deg = np.random.default_rng(seed).uniform(0.0005, 0.001, len(angles))
    turn = np.radians(angles)
    ring = np.column_stack([lon + radius_deg * np.cos(turn), lat + radius_deg * np.sin(turn)])
    return np.vstack([ring, ring[:1]])


def array(*geometries):
    found = np.empty(len(geometries), dtype=object)
    found[:] = geometries
    return found


def faults_of(*wkt):
    faults = {}
    refuse_geometries(array(*(None if text is None else shapely.from_wkt(text) for text in wkt)), faults)
    return faults


@pytest.mark.parametrize(
    ("wkt", "code", "said"),
    [
        ("POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))", "geometry_invalid", "Self-intersection at longitude 0.5, latitude 0.5"),
        ("POLYGON ((0 0, 1 0, 1 1, 0 0, 1 0, 1 1, 0 0))", "geometry_invalid", "Self-intersection at"),
        ("POLYGON ((0 0, 2 0, 2 2, 3 3, 2 2, 0 2, 0 0))", "geometry_invalid", "longitude 2, latitude 2"),
        ("POLYGON ((0 0, 1 0, 2 0, 0 0))", "geometry_invalid", "longitude"),
        ("POLYGON ((0 0, 1 0, 1 1, 0 0), (0 0, 1 0, 1 1, 0 0))", "geometry_invalid", "at longitude"),
        ("POLYGON ((0 0, 1 0, 1 1, 0 0), (5 5, 6 5, 6 6, 5 5))", "geometry_invalid", "longitude 5, latitude 5"),
        ("POLYGON ((0 0, 1 0, 1 0, 0 0, 0 0))", "geometry_invalid", "2 distinct points at longitude 0.0"),
        ("MULTIPOLYGON (((0 0, 2 0, 2 2, 0 2, 0 0)), ((1 1, 3 1, 3 3, 1 3, 1 1)))", "geometry_invalid", "at longitude"),
        ("LINESTRING (0 0, 1 1)", "geometry_invalid", "LINESTRING"),
        ("GEOMETRYCOLLECTION (POLYGON ((0 0, 1 0, 1 1, 0 0)))", "geometry_invalid", "GEOMETRYCOLLECTION"),
        ("POLYGON EMPTY", "coordinate_invalid", "empty"),
        ("MULTIPOLYGON (EMPTY, ((0 0, 1 0, 1 1, 0 0)))", "coordinate_invalid", "empty"),
        (None, "coordinate_invalid", "no geometry"),
        pytest.param(
            "POLYGON ((0 0, 1 0, NaN 1, 0 0))",
            "coordinate_invalid",
            "nan",
            marks=pytest.mark.filterwarnings("ignore:invalid value encountered in from_wkt"),
        ),
        ("POLYGON ((0 0, 1 0, 1e300 1, 0 0))", "coordinate_invalid", "1e+300"),
        ("POLYGON ((-170 0, 170 0, 170 1, -170 0))", "geometry_unsupported", "340.0 degrees wide"),
        ("POLYGON ((-180 80, 0 80, 179 80, 180 90, -180 90, -180 80))", "geometry_unsupported", "degrees wide"),
        ("POLYGON ((179.9 0, 180.1 0, 180.1 1, 179.9 0))", "geometry_unsupported", "-180 to 180"),
        ("POLYGON ((120 89.99, 121 89.99, 121 90.01, 120 89.99))", "geometry_unsupported", "over a pole"),
        ("POLYGON ((10 -90.01, 11 -89.99, 10 -89.99, 10 -90.01))", "geometry_unsupported", "swapped"),
        ("POLYGON ((24 90.01, 24 90.02, 24.01 90.02, 24 90.01))", "axis_order_suspected", "swapped"),
        ("POLYGON ((100 50, 150 50, 150 150, 100 50))", "crs_unsupported", "not degrees"),
        ("POLYGON ((-5 120, -5 121, -4 121, -5 120))", "axis_order_suspected", "swapped"),
        ("POLYGON ((500 0, 600 0, 600 100, 500 0))", "crs_unsupported", "not degrees"),
    ],
)
def test_each_fault_has_its_code_and_place(wkt, code, said):
    faults = faults_of("POLYGON ((10 10, 11 10, 11 11, 10 10))", wkt)
    assert [(index, error.code) for index, error in faults.items()] == [(1, code)]
    assert said in faults[1].detail


def test_what_was_refused_before_is_not_looked_at_again():
    faults = faults_of(None)
    first = faults[0]
    refuse_geometries(array(None), faults)
    assert faults == {0: first}


def test_a_ring_of_the_most_vertices_passes_and_one_more_does_not():
    for count, refused in ((VERTICES_MAX, False), (VERTICES_MAX + 1, True)):
        ring = star(np.linspace(0, 359, count))
        faults = {}
        refuse_geometries(array(shapely.polygons(np.repeat(ring, 3, axis=0))), faults)
        assert [error.code for error in faults.values()] == ["geometry_too_complex"] * refused


def test_a_tangle_of_many_vertices_is_refused_at_once():
    tangle = np.random.default_rng(0).uniform(0, 1, (200_000, 2))
    started = time.process_time()
    faults = {}
    refuse_geometries(array(shapely.polygons(np.vstack([tangle, tangle[:1]]))), faults)
    assert faults[0].code == "geometry_too_complex"
    assert time.process_time() - started < 1.0


@given(ANGLES, st.integers(0, 39), st.booleans(), st.lists(st.integers(0, 40), max_size=5))
def test_direction_start_and_repeated_points_do_not_show(angles, start, turned, repeats):
    plain = star(angles)
    ring = np.roll(plain[:-1], start, axis=0)
    ring = np.vstack([ring, ring[:1]])
    ring = ring[::-1] if turned else ring
    for at in repeats:
        ring = np.insert(ring, at % len(ring), ring[at % len(ring)], axis=0)
    one, other = normal_form(shapely.polygons([plain, plain])), normal_form(array(shapely.polygons(ring)))
    assert geometry_sha256(one[0]) == geometry_sha256(other[0])


def test_order_of_parts_holes_and_a_wrapping_of_one_do_not_show():
    parts = [shapely.polygons(star([0, 90, 200], lon)) for lon in (30, 31, 32)]
    one = normal_form(array(shapely.multipolygons(parts)))
    other = normal_form(array(shapely.multipolygons(parts[::-1])))
    assert one[0].wkb == other[0].wkb
    alone = normal_form(array(shapely.multipolygons(parts[:1]), parts[0]))
    assert alone[0].wkb == alone[1].wkb
    assert alone[0].geom_type == "Polygon"
    holes = [star([0, 120, 240], lon, 0) for lon in (30.1, 30.2)]
    shell = shapely.box(30, -1, 31, 1).exterior.coords
    pair = normal_form(
        array(shapely.Polygon(shell, holes), shapely.Polygon(shell, [hole[::-1] for hole in holes[::-1]]))
    )
    assert pair[0].wkb == pair[1].wkb


def test_the_sign_of_zero_and_an_altitude_do_not_show():
    flat = normal_form(array(shapely.from_wkt("POLYGON ((0 0, 1 0, 1 1, 0 0))")))
    high = normal_form(array(shapely.from_wkt("POLYGON Z ((-0.0 -0.0 5, 1 -0.0 6, 1 1 7, -0.0 -0.0 5))")))
    assert geometry_sha256(flat[0]) == geometry_sha256(high[0])


def test_areas_are_those_of_the_domain_and_perimeters_count_all_rings():
    shapes = [
        shapely.polygons(star([0, 90, 200])),
        shapely.multipolygons([shapely.polygons(star([10, 100, 250], lon)) for lon in (30, 31)]),
        shapely.Polygon(shapely.box(8, 46, 8.01, 46.01).exterior, [shapely.box(8.002, 46.002, 8.004, 46.004).exterior]),
        shapely.box(-70, -80, -69, -79).reverse(),
    ]
    areas_m2, perimeters_m = measure(normal_form(array(*shapes)))
    np.testing.assert_allclose(areas_m2, [geodesic_area_perimeter(shape)[0] for shape in shapes], rtol=1e-9)
    rings = [shapely.get_rings(shapely.get_parts(shape)) for shape in shapes]
    lengths_m = [sum(map(Geod(ellps="WGS84").geometry_length, found)) for found in rings]
    np.testing.assert_allclose(perimeters_m, lengths_m, rtol=1e-12)


def test_no_geometries_at_all_are_no_fault():
    faults = {}
    refuse_geometries(array(), faults)
    assert faults == {}
    assert [len(found) for found in (*measure(array()), normal_form(array()))] == [0, 0, 0]
