from __future__ import annotations

import numpy as np
import pytest
import shapely

from agrocredit.domain.errors import RefusedError
from agrocredit.store.plot_rings import rings_by_length
from agrocredit.store.plot_rules import admit
from agrocredit.store.plot_source import OPTIONAL_COLUMNS, PlotPiece, PlotSource

PLOT_COLUMNS = ("id", "geometry", "area_m2", "perimeter_m", *OPTIONAL_COLUMNS)


def source(boxes, *, ids=None, faults=None, **columns):
    """Return a source of squares, given by lower left corner and side in degrees."""
    return source_of([shapely.box(x, y, x + side, y + side) for x, y, side in boxes], ids, faults, **columns)


def source_of(shapes, ids=None, faults=None, **columns):
    """Return a source of shapes; those with a fault have none."""
    rows = [row for row in range(len(shapes)) if row not in (faults or {})]
    rings = rings_by_length([shapely.get_coordinates(shapes[row]) for row in rows], rows)
    none = PlotPiece(rings=rings, others=np.empty(0, object), rows=np.empty(0, np.int64), faults=faults or {})
    ids = [str(n) for n in range(len(shapes))] if ids is None else ids
    return PlotSource(ids=ids, columns=columns, pieces=[none])


def row_of(count=3):
    return [(30 + n / 100, -5.0, 0.001) for n in range(count)]


def refused(plotset):
    return [(refusal.row, refusal.code, refusal.plot_id) for refusal in plotset.refused]


def test_every_feature_is_a_plot_or_a_refusal():
    found = admit(source(row_of(3), ids=["a", None, "c"]))
    assert found.plots["id"].tolist() == ["a", "c"]
    assert tuple(found.plots.columns) == PLOT_COLUMNS
    assert refused(found) == [(2, "id_missing", None)]
    assert found.read_count == 3


@pytest.mark.parametrize("value", [None, "", "  ", float("nan")])
def test_an_empty_identifier_is_missing(value):
    assert refused(admit(source(row_of(2), ids=["a", value]))) == [(2, "id_missing", None)]


@pytest.mark.parametrize("value", [True, [], {}, 1.5, b"a", "a\x00b", "a\nb", "a\ud800", "a\u202eb", "x" * 201])
def test_an_unusable_identifier_is_refused_and_not_repeated_raw(value):
    found = admit(source(row_of(2), ids=["a", value]))
    assert refused(found) == [(2, "text_invalid", None)]
    assert found.refused[0].detail.isprintable()
    assert len(found.refused[0].detail) < 200


@pytest.mark.parametrize(
    ("value", "shown"), [(7, "7"), (7.0, "7"), (" ü 1 ", "ü 1"), ("٣", "٣"), ("क्ष\u200dत", "क्ष\u200dत")]
)
def test_identifiers_are_text_as_people_write_it(value, shown):
    assert admit(source(row_of(1), ids=[value])).plots["id"].tolist() == [shown]


def test_all_plots_that_share_an_identifier_are_refused():
    found = admit(source(row_of(4), ids=["a", "b", "a ", 7], faults={2: RefusedError("coordinate_invalid", "x")}))
    assert refused(found) == [(1, "id_duplicate", "a"), (3, "id_duplicate", "a")]


def test_what_the_reader_refused_stays_refused():
    found = admit(source(row_of(2), faults={1: RefusedError("coordinate_invalid", "x")}))
    assert refused(found) == [(2, "coordinate_invalid", "1")]


@pytest.mark.parametrize(
    ("box", "code"),
    [((30, -5, 0.00005), "plot_too_small"), ((30, -5, 0.1), "plot_too_large"), ((30, -5, 0.001), None)],
)
def test_size_is_the_plots_own_rule(box, code):
    assert [refusal.code for refusal in admit(source([box])).refused] == ([code] if code else [])


def test_a_strip_is_too_narrow():
    found = admit(source_of([shapely.box(30, -5, 30.00001, -4.99)]))
    assert refused(found) == [(1, "plot_too_narrow", "0")]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, None),
        (float("nan"), None),
        (1, None),
        (0, "declared_area_invalid"),
        (-5.0, "declared_area_invalid"),
        (float("inf"), "declared_area_invalid"),
        (10**400, "declared_area_invalid"),
        ("1 ha", "declared_area_invalid"),
        (True, "declared_area_invalid"),
    ],
)
def test_a_declared_area_is_a_number_above_zero_or_absent(value, code):
    found = admit(source(row_of(1), declared_area_m2=[value]))
    assert [refusal.code for refusal in found.refused] == ([code] if code else [])


@pytest.mark.parametrize("name", ["crop", "farmer_id", "region"])
def test_a_text_with_control_characters_is_refused(name):
    found = admit(source(row_of(2), **{name: ["maize", "mai\x1b[2Jze"]}))
    assert refused(found) == [(2, "text_invalid", "1")]


def test_the_order_of_the_file_does_not_show():
    boxes, ids = row_of(3), ["a", "b", "c"]
    one, other = admit(source(boxes, ids=ids)), admit(source(boxes[::-1], ids=ids[::-1]))
    assert one.plots.to_wkb().equals(other.plots.to_wkb())


def test_no_features_at_all_give_an_empty_frame():
    found = admit(source([]))
    assert found.plots.empty
    assert tuple(found.plots.columns) == PLOT_COLUMNS
    assert found.refused == ()


def test_a_plot_that_lands_among_the_others_only_when_turned_is_suspected():
    boxes = [*row_of(9), (-5.0, 30.02, 0.001)]
    found = admit(source(boxes))
    assert refused(found) == [(10, "axis_order_suspected", "9")]
    assert "swapped" in found.refused[0].detail


@pytest.mark.parametrize(
    "boxes",
    [
        [*row_of(9), (5.0, 40.0, 0.001)],  # far away, and still far when turned
        [*row_of(3), (-5.0, 30.0, 0.001)],  # too few to say where the others lie
        [*row_of(5), *[(-5.0, 30 + n / 10, 0.001) for n in range(4)]],  # two regions
        # A wide country near the diagonal: turning brings the odd one nearer, but the others are as far.
        [*[(6 + n / 2, 7 + n / 2, 0.001) for n in range(9)], (14.5, 5.0, 0.001)],
    ],
)
def test_plots_that_are_merely_far_apart_are_kept(boxes):
    assert admit(source(boxes)).refused == ()
