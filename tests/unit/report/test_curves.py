from __future__ import annotations

from xml.etree import ElementTree as ET

import numpy as np
import pytest

from agrocredit.report.curves import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    Frame,
    dot_opacity,
    dot_radius,
    draw_curve,
    empty_curve,
    longest_gap,
)
from agrocredit.report.looks import Looks, number_of

FIRST = number_of(__import__("datetime").date(2026, 3, 1))
FRAME = Frame(window=(FIRST, FIRST + 100), index="NDVI", clear_fraction_min=0.5, gap_days_min=20, as_of=FIRST + 90)


def make_looks(*rows: tuple[int, float, float]) -> Looks:
    days, fractions, values = zip(*rows, strict=True)
    return Looks(days=np.array(days) + FIRST, fractions=np.array(fractions), values=np.array(values))


def parts(looks: Looks) -> dict[str, list[ET.Element]]:
    root = ET.fromstring(draw_curve(looks, frame=FRAME, label="label"))  # noqa: S314 - our own output
    return {group.attrib["class"]: list(group) for group in root if group.tag == "g"}


LOOKS = make_looks((0, 1.0, 0.2), (10, 0.9, 0.3), (20, 0.0, np.nan), (44, 0.8, 0.9), (50, 0.3, 0.5), (100, 1, 0.4))


@pytest.mark.parametrize("svg", [draw_curve(LOOKS, frame=FRAME, label=""), empty_curve(FRAME)], ids=["plot", "card"])
def test_no_gap_hides_the_day_of_knowledge(svg):
    classes = [part.attrib.get("class") for part in ET.fromstring(svg)]  # noqa: S314 - our own output
    assert classes.index("gaps") < classes.index("as-of") < classes.index("dots")


def test_axes_map_the_ends_to_the_ends():
    assert (FRAME.x(FIRST), FRAME.x(FIRST + 100)) == (LEFT, RIGHT)
    assert (FRAME.y(-0.2), FRAME.y(1.0)) == (BOTTOM, TOP)
    assert (FRAME.y(-9), FRAME.y(9)) == (BOTTOM, TOP)


def test_every_look_is_ticked_on_its_date_and_clear_ones_are_dark():
    ticks = parts(LOOKS)["looks"]
    assert [tick.get("class") for tick in ticks] == ["clear", "clear", None, "clear", None, "clear"]
    assert [float(tick.attrib["x1"]) for tick in ticks] == pytest.approx([FRAME.x(day) for day in LOOKS.days], abs=0.01)


def test_only_looks_with_a_value_are_dots_and_hazy_ones_are_hollow():
    dots = parts(LOOKS)["dots"]
    assert [dot.get("class") for dot in dots] == [None, None, None, "hazy", None]
    assert dots[2][0].text == "14 Apr 2026: NDVI 0.90, 80% of the plot seen"


def test_long_times_without_a_clear_look_are_shaded_and_labelled():
    gaps = parts(LOOKS)["gaps"]
    shades = [one for one in gaps if one.tag == "rect"]
    assert [one[0].text for one in shades] == [
        "no clear look for 34 days, 11 Mar 2026 to 14 Apr 2026",
        "no clear look for 56 days, 14 Apr 2026 to 9 Jun 2026",
    ]
    assert [one.text for one in gaps if one.tag == "text"] == ["34 d", "56 d"]


def test_the_line_is_dashed_where_nobody_looked():
    assert [line.get("class") for line in parts(LOOKS)["line"]] == [None, "unknown", "unknown"]


def test_a_value_beyond_the_axis_is_a_triangle_with_its_true_value():
    (dot,) = parts(make_looks((5, 1.0, 7.5)))["dots"]
    assert dot.tag == "path"
    assert "NDVI 7.50" in dot[0].text


def test_dots_grow_and_darken_with_the_share_seen():
    shares = np.linspace(0, 1, 11)
    assert np.all(np.diff([dot_radius(share) for share in shares]) > 0)
    assert np.all(np.diff([dot_opacity(share) for share in shares]) > 0)
    assert dot_opacity(1.0) == 1.0


@pytest.mark.parametrize("days", [0, 1, 40, 400, 4000])
def test_any_length_of_run_has_a_readable_axis(days):
    frame = Frame(window=(FIRST, FIRST + days), index="EVI", clear_fraction_min=0.5, gap_days_min=20, as_of=None)
    drawing = ET.fromstring(empty_curve(frame))  # noqa: S314 - our own output
    months = [text for text in drawing.iter("text") if (text.text or "").isalpha()]
    assert len(months) <= 9
    assert all(LEFT <= float(text.attrib["x"]) <= RIGHT + 2 for text in months)
    assert [group.attrib["class"] for group in drawing.iter("g")] == ["gaps", "line", "looks", "dots"]


def test_the_longest_gap_is_told_and_none_is_silence():
    assert longest_gap(FRAME.gaps(LOOKS)) == "no clear look for 56 days, 14 Apr 2026 to 9 Jun 2026"
    assert longest_gap(()) == ""
