from __future__ import annotations

import struct

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, box

from agrocredit.domain.errors import InputUnusableError
from agrocredit.zonal import Outlines, build_weights, cover_outlines, outlines_key
from agrocredit.zonal.weights import ARRAYS

HOLED = box(0, 0, 9, 9).difference(box(2, 2, 4, 4)).difference(box(5, 5, 8, 8))
SHAPES = np.array(
    [
        box(2.5, 2, 6, 6.25),
        Polygon([(30, 3), (37.5, 8), (31, 9.75)]),
        HOLED,
        MultiPolygon([box(20, 20, 23, 23), HOLED, box(12, 12, 13, 15.5)]),
        MultiPolygon([box(40, 20, 43, 23)]),
    ],
    object,
)


def in_metres(grid):
    return shapely.transform(SHAPES, lambda xy: np.array([grid.x0, grid.y0]) + xy * [10.0, -10.0])


def wkb_of(shapes):
    return pa.array(
        shapely.to_wkb(shapely.orient_polygons(np.asarray(shapes, object)), byte_order=1), pa.large_binary()
    )


def fields_of(outlines):
    return [getattr(outlines, name).tolist() for name in ("xy", "ring_at", "plot_at")]


def test_binary_and_shapes_give_the_same_outlines():
    read = Outlines.of_wkb(wkb_of(SHAPES))
    assert fields_of(read) == fields_of(Outlines.of_shapes(SHAPES))
    np.testing.assert_array_equal(read.areas, shapely.area(SHAPES))
    np.testing.assert_array_equal(read.bounds, shapely.bounds(SHAPES))


def test_a_slice_is_read_from_its_own_place():
    assert fields_of(Outlines.of_wkb(wkb_of(SHAPES)[2:4])) == fields_of(Outlines.of_shapes(SHAPES[2:4]))


@pytest.mark.parametrize("turn", [lambda x, y: (-x, y), lambda x, y: (x, -y), lambda x, y: (-x, -y)])
def test_shells_stay_counterclockwise_where_axes_point_elsewhere(turn):
    moved = Outlines.of_shapes(SHAPES).moved(turn)
    np.testing.assert_allclose(moved.areas, shapely.area(SHAPES))
    assert moved.ring_at.tolist() == Outlines.of_shapes(SHAPES).ring_at.tolist()


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"junk",
        wkb_of(SHAPES)[0].as_py()[:-1],
        wkb_of(SHAPES)[3].as_py() + b"\x00",
        shapely.to_wkb(SHAPES[0], byte_order=0),
        shapely.to_wkb(shapely.force_3d(SHAPES[0])),
        shapely.to_wkb(Polygon()),
        shapely.to_wkb(shapely.Point(1, 2)),
        struct.pack("<BII", 1, 6, 2**32 - 1),
        struct.pack("<BIII8d", 1, 3, 2**32 - 1, 4, *range(8)),
        struct.pack("<BIII8d", 1, 3, 1, 2**32 - 1, *range(8)),
    ],
)
def test_what_is_no_polygon_of_this_form_is_refused_by_number(value):
    good = wkb_of(SHAPES)[0].as_py()
    with pytest.raises(InputUnusableError, match="geometry_invalid: value number 1 "):
        Outlines.of_wkb(pa.array([good, value, good], pa.large_binary()))


@settings(deadline=None)  # the first call compiles
@given(st.binary(max_size=150), st.integers(0, 9), st.integers(0, 220))
def test_no_bytes_lead_out_of_the_column(noise, at, cut):
    good = wkb_of(SHAPES)[3].as_py()
    broken = (good[:at] + noise + good[at + len(noise) :])[:cut]
    try:
        found = Outlines.of_wkb(pa.array([broken], pa.large_binary()))
    except InputUnusableError:
        return
    assert found.ring_at[-1] == found.xy.shape[0] <= len(broken) // 16


def test_weights_from_pieces_are_those_of_all_plots_at_once(make_grid):
    grid = make_grid()
    plots = in_metres(grid)
    pieces = [Outlines.of_wkb(wkb_of(plots[:2])), Outlines.of_wkb(wkb_of(plots[2:]))]
    found, expected = cover_outlines(pieces, grid=grid, key="k"), build_weights(plots, grid=grid)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_the_key_is_of_plots_and_grid_and_not_of_the_pieces(make_grid):
    grid = make_grid()
    outlines = [Outlines.of_shapes(SHAPES[at : at + 1]) for at in range(SHAPES.size)]
    key = outlines_key(outlines, grid=grid)
    assert key == outlines_key([Outlines.of_shapes(SHAPES)], grid=make_grid())
    one_part = np.array([*SHAPES[:4], *SHAPES[4].geoms], object)
    assert key == outlines_key([Outlines.of_shapes(one_part)], grid=grid)
    moved = shapely.transform(SHAPES, lambda xy: xy + 1e-9)
    others = [
        outlines_key(outlines[::-1], grid=grid),
        outlines_key(outlines[:-1], grid=grid),
        outlines_key(outlines, grid=make_grid(41)),
        outlines_key([Outlines.of_shapes(moved)], grid=grid),
    ]
    assert len({key, *others}) == 5
