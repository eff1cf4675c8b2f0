from __future__ import annotations

import re

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.report import outline
from agrocredit.report.outline import overlapping, path_of, simplified


def drawn_back(path: str) -> shapely.Geometry:
    """Read a path as a browser would; rings are combined by even-odd, which fits rings that do not cross."""
    shape = shapely.Polygon()
    for ring in filter(None, path.split("z")):
        x, y, points = 0, 0, []
        for command, numbers in re.findall(r"([Mlhv])([^Mlhv]*)", ring):
            values = [int(value) for value in re.findall(r"-?\d+", numbers)]
            x, y = {
                "M": lambda v: (v[0], v[1]),
                "l": lambda v, x=x, y=y: (x + v[0], y + v[1]),
                "h": lambda v, x=x, y=y: (x + v[0], y),
                "v": lambda v, x=x, y=y: (x, y + v[0]),
            }[command](values)
            points.append((x, y))
        shape = shape.symmetric_difference(shapely.Polygon(points))
    return shape


@given(st.lists(st.tuples(st.integers(-500, 500), st.integers(-500, 500)), min_size=3, max_size=12))
def test_a_browser_reads_back_the_outline_that_was_written(points):
    hull = shapely.MultiPoint(points).convex_hull
    if hull.geom_type == "Polygon":
        assert drawn_back(path_of(hull)).equals(hull)


def test_holes_and_parts_are_all_written():
    holed = shapely.Polygon(shapely.box(0, 0, 100, 100).exterior, [shapely.box(20, 20, 60, 60).exterior])
    both = shapely.MultiPolygon([holed, shapely.box(200, 0, 210, 10)])
    assert path_of(both).count("M") == 3
    assert drawn_back(path_of(both)).area == both.area


def test_a_plot_smaller_than_a_unit_stays_as_a_dot():
    assert path_of(shapely.box(5.1, 5.1, 5.2, 5.2)) == "M5 5v1h1v-1z"


@given(st.floats(0.2, 2000))
def test_simplified_outlines_keep_their_place_at_any_size(size):
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    ring = shapely.Polygon(np.column_stack([np.cos(angles), np.sin(angles)]) * size)
    (simple,) = simplified(np.array([ring], dtype=object))
    assert shapely.get_num_coordinates(simple) < 30
    assert simple.intersection(ring).area / simple.union(ring).area > 0.8


def test_plots_overlap_where_they_share_a_twentieth_of_the_smaller_one():
    outlines = np.array(
        [
            shapely.box(0, 0, 100, 100),
            shapely.box(96, 0, 196, 100),  # shares 4 % with the first
            shapely.box(300, 0, 400, 100),
            shapely.box(310, 10, 320, 20),  # lies inside the third
            shapely.box(400, 0, 500, 100),  # only touches the third
        ],
        dtype=object,
    )
    assert overlapping(outlines).tolist() == [False, False, True, True, False]


def test_an_outline_that_crosses_itself_counts_as_apart():
    bow_tie = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    assert not overlapping(np.array([bow_tie, shapely.box(0, 0, 10, 10)], dtype=object)).any()


def test_a_pile_of_plots_is_not_compared_pair_by_pair(monkeypatch):
    monkeypatch.setattr(outline, "PAIRS_MAX", 100)
    assert overlapping(np.array([shapely.box(0, 0, 1, 1)] * 20, dtype=object)) is None


@pytest.mark.parametrize("number", [0, 1])
def test_none_or_one_plot_overlaps_nothing(number):
    assert not overlapping(np.array([shapely.box(0, 0, 1, 1)] * number, dtype=object)).any()
