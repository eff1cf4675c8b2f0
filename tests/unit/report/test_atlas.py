from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import shapely

from agrocredit.report import atlas as atlas_module
from agrocredit.report.atlas import draw_atlas
from agrocredit.report.joined import join_run


def test_every_plot_is_one_path_and_large_ones_come_first(run_of_sixty):
    run = join_run(run_of_sixty)
    atlas = draw_atlas(run)
    paths = list(ET.fromstring(atlas.drawing))  # noqa: S314 - our own output
    assert len(paths) == len(run.plots) == len(atlas.painted)
    areas = [run.plots[atlas.drawn[number]].area_m2 for number in atlas.painted]
    assert all(later <= earlier * 1.001 for earlier, later in pairwise(areas))
    for path, number in zip(paths, atlas.painted, strict=True):
        expected = [colouring.tokens[atlas.drawn[number]] for colouring in atlas.colourings]
        assert path.attrib["class"].split()[:3] == expected
    assert atlas.notes == ()


def test_plots_that_lie_on_another_are_marked(whole_run):
    plots = whole_run(3).plots.copy()
    plots.geometry = [shapely.box(x, 35, x + 0.001, 35.001) for x in (112.0, 112.0005, 112.002)]
    atlas = draw_atlas(join_run(whole_run(3, plots=plots)))
    assert atlas.overlaps == len(re.findall(r'class="[^"]* over"', atlas.drawing)) == 2


def test_a_plot_of_ten_metres_in_a_wide_run_gets_a_thick_rim(whole_run):
    plots = whole_run(3).plots.copy()
    plots.geometry = [shapely.box(x, 35, x + 0.0001, 35.0001) for x in (112.0, 112.2, 112.4)]
    drawing = draw_atlas(join_run(whole_run(3, plots=plots))).drawing
    assert len(re.findall(r'class="[^"]* tiny"', drawing)) == 3


def test_beyond_the_caps_the_map_is_simplified_and_thinned_and_says_so(run_of_sixty, monkeypatch):
    monkeypatch.setattr(atlas_module, "PLOTS_FULL_MAX", 10)
    monkeypatch.setattr(atlas_module, "PLOTS_DRAWN_MAX", 25)
    atlas = draw_atlas(join_run(run_of_sixty))
    assert atlas.drawn == tuple(range(0, 60, 3))
    assert any("every 3th plot" in note or "20 of 60" in note for note in atlas.notes)
    assert any("fewer corners" in note for note in atlas.notes)


def test_plots_without_an_outline_are_counted_not_drawn(whole_run):
    plots = whole_run(4).plots.copy()
    plots.geometry = [None, shapely.Polygon(), *plots.geometry[2:]]
    atlas = draw_atlas(join_run(whole_run(4, plots=plots)))
    assert atlas.drawn == (2, 3)
    assert atlas.notes[0].startswith("2 plots without a usable outline")


def test_no_plot_is_no_map(whole_run):
    assert draw_atlas(join_run(whole_run(4, plots=whole_run(4).plots.head(0)))) is None
