from __future__ import annotations

import struct

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.store.plot_geometry import normal_form
from agrocredit.store.plot_rings import normal_wkb, rings_by_length, rings_in_wkb

SQUARE = shapely.box(30, -5, 30.001, -4.999)
TRIANGLE = shapely.Polygon([(30, -5), (31, -5), (31, -4)])


def split(values, kind=None):
    wkb = pa.array(values, kind or pa.binary())
    return rings_in_wkb(wkb, np.arange(len(wkb)))


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_one_ring_each_is_read_as_shapely_reads_it(kind):
    shapes = [SQUARE, TRIANGLE, SQUARE.reverse(), TRIANGLE]
    rings, others = split([shape.wkb for shape in shapes], kind)
    assert others.size == 0
    read = {row: polygon for one in rings for row, polygon in zip(one.rows.tolist(), one.polygons(), strict=True)}
    assert [read[row].wkb for row in range(4)] == [shape.wkb for shape in shapes]


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"junk",
        shapely.Polygon(SQUARE.exterior, [shapely.box(30.0002, -4.9998, 30.0004, -4.9996).exterior]).wkb,
        shapely.MultiPolygon([SQUARE]).wkb,
        shapely.to_wkb(shapely.force_3d(SQUARE)),
        shapely.to_wkb(SQUARE, byte_order=0),
        shapely.to_wkb(shapely.set_srid(SQUARE, 4326), include_srid=True),
        shapely.LineString([(0, 0), (1, 1), (2, 2), (3, 3)]).wkb,
        struct.pack("<BIII8d", 1, 3, 1, 4, 30, -5, 31, -5, 31, -4, 30, -4),  # does not close
        struct.pack("<BIII8d", 1, 3, 1, 4, 0.0, -5, 31, -5, 31, -4, -0.0, -5),  # closes, but not bit by bit
        struct.pack("<BIII6d", 1, 3, 1, 3, 30, -5, 31, -5, 30, -5),  # too few points
        struct.pack("<BIII8d", 1, 3, 1, 5, 30, -5, 31, -5, 31, -4, 30, -5),  # says five points, has four
        SQUARE.wkb + b"\x00" * 16,
        SQUARE.wkb[:-1],
    ],
)
def test_everything_else_is_left_to_shapely(value):
    rings, others = split([SQUARE.wkb, value, SQUARE.wkb])
    assert others.tolist() == [1]
    assert [one.rows.tolist() for one in rings] == [[0, 2]]


@given(st.lists(st.binary(max_size=120) | st.none(), max_size=6))
def test_any_bytes_are_rings_or_others(values):
    rings, others = split([*values, SQUARE.wkb])
    assert sorted([*others.tolist(), *(row for one in rings for row in one.rows.tolist())]) == [*range(len(values) + 1)]


def test_a_slice_of_a_column_is_read_from_its_own_place():
    wkb = pa.array([TRIANGLE.wkb, SQUARE.wkb, SQUARE.wkb], pa.binary())[1:]
    (rings,), _ = rings_in_wkb(wkb, np.array([7, 8]))
    assert rings.rows.tolist() == [7, 8]
    assert [polygon.wkb for polygon in rings.polygons()] == [SQUARE.wkb] * 2


def test_bounds_are_those_of_the_points():
    (rings,) = rings_by_length([shapely.get_coordinates(SQUARE)], [0])
    assert rings.bounds.tolist() == [list(SQUARE.bounds)]


def test_rings_move_with_their_points():
    rings = rings_by_length([shapely.get_coordinates(SQUARE), shapely.get_coordinates(TRIANGLE)], [0, 1])
    for one, shape in zip(rings, (TRIANGLE, SQUARE), strict=True):
        moved = one.moved(lambda x, y: (x + 1, y * 2))
        expected = shapely.transform(shape, lambda xy: np.column_stack([xy[:, 0] + 1, xy[:, 1] * 2]))
        assert moved.polygons()[0].equals(expected)


@given(st.permutations(range(5)), st.booleans())
def test_the_normal_form_is_written_as_shapely_writes_it(order, is_clockwise):
    """A ring with two westernmost points and a negative zero, from every start and both ways around."""
    corners = np.array([(-0.0, 0.0), (0.002, -0.001), (0.003, 0.001), (0.002, 0.002), (0.0, 0.001)])
    rings = []
    for start in order:
        ring = np.roll(corners, start, axis=0)[:: -1 if is_clockwise else 1]
        rings.append(np.vstack([ring, ring[:1]]))
    (found,) = rings_by_length(rings, range(5))
    wkb = normal_wkb(found, is_clockwise=np.full(5, is_clockwise))
    expected = shapely.to_wkb(normal_form(np.array([shapely.Polygon(corners)], object)), byte_order=1)
    assert wkb.to_pylist() == [*expected] * 5
