"""The map: one path a plot, small plots on top of large ones, a scale bar, and what had to be left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from markupsafe import Markup

from agrocredit.report.legend import Colouring, by_limit, by_why, by_yield
from agrocredit.report.outline import OVERLAP_SHARE_MIN, overlapping, path_of, simplified
from agrocredit.report.plane import WIDTH_UNITS, Plane, plane_around
from agrocredit.report.svg import element

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agrocredit.report.joined import Run

PLOTS_FULL_MAX = 5_000
"""Up to here every corner of every plot is drawn; beyond, outlines are simplified."""
PLOTS_DRAWN_MAX = 20_000
"""Up to here every plot is drawn; beyond, every k-th by id, which keeps the page under some 10 MB."""
TINY_UNITS = 0.005 * WIDTH_UNITS
"""A plot smaller than this in both directions gets a thick rim, so that it is seen at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Atlas:
    """The map with its legends."""

    drawing: Markup
    """The SVG element."""
    colourings: tuple[Colouring, ...]
    drawn: tuple[int, ...]
    """Positions in `Run.plots` of the plots on the map, in order of id."""
    painted: tuple[int, ...]
    """Numbers into `drawn`, in the order of the paths: large plots first."""
    width_m: float
    scale_bar_m: float
    overlaps: int
    """Plots that lie on another one."""
    notes: tuple[str, ...]
    """What was simplified or left out, in sentences."""


def draw_atlas(run: Run) -> Atlas | None:
    """Return the map of a run, or None where there is no outline to draw."""
    drawn, notes = _chosen(run)
    if not drawn:
        return None
    outlines_deg = run.geometries[list(drawn)]
    plane = plane_around(outlines_deg)
    outlines = plane.drawn(outlines_deg)
    crossing = overlapping(outlines)
    if crossing is None:
        notes.append("So many plots lie on one another that overlaps are not marked.")
        crossing = np.zeros(len(drawn), dtype=bool)
    if len(drawn) > PLOTS_FULL_MAX:
        outlines = simplified(outlines)
        notes.append("Outlines are drawn with fewer corners; areas and limits come from the full ones.")
    painted = np.lexsort((np.arange(len(drawn)), -shapely.area(outlines)))
    colourings = (by_limit(run), by_yield(run), by_why(run))
    return Atlas(
        drawing=_drawing(outlines, painted, crossing, plane=plane, classes=_classes(colourings, drawn)),
        colourings=colourings,
        drawn=drawn,
        painted=tuple(painted.tolist()),
        width_m=plane.width_m,
        scale_bar_m=plane.scale_bar_m,
        overlaps=int(crossing.sum()),
        notes=tuple(notes),
    )


def _chosen(run: Run) -> tuple[tuple[int, ...], list[str]]:
    bounds = shapely.bounds(run.geometries).reshape(-1, 4)
    drawable = np.flatnonzero(np.isfinite(bounds).all(axis=1))
    notes = []
    if len(drawable) < len(run.plots):
        notes.append(f"{len(run.plots) - len(drawable):,} plots without a usable outline are not drawn.")
    if len(drawable) > PLOTS_DRAWN_MAX:
        every = -(-len(drawable) // PLOTS_DRAWN_MAX)
        notes.append(
            f"The map shows every {every}th plot by id, {len(drawable[::every]):,} of {len(drawable):,};"
            " all counts on this page are of all plots."
        )
        drawable = drawable[::every]
    return tuple(drawable.tolist()), notes


def _classes(colourings: tuple[Colouring, ...], drawn: tuple[int, ...]) -> list[str]:
    return [" ".join(colouring.tokens[position] for colouring in colourings) for position in drawn]


def _drawing(
    outlines: NDArray[np.object_],
    painted: NDArray[np.int64],
    crossing: NDArray[np.bool_],
    *,
    plane: Plane,
    classes: list[str],
) -> Markup:
    bounds = shapely.bounds(outlines)
    tiny = (bounds[:, 2:] - bounds[:, :2]).max(axis=1) < TINY_UNITS
    paths = [
        element(
            "path",
            class_=classes[number] + (" tiny" if tiny[number] else "") + (" over" if crossing[number] else ""),
            d=path_of(outlines[number]),
        )
        for number in painted.tolist()
    ]
    return element(
        "svg",
        Markup("\n").join(paths),
        id="map",
        viewBox=f"0 0 {WIDTH_UNITS} {plane.height_units}",
        role="group",
        tabindex="0",
        aria_label=f"Map of {len(paths)} plots, north up. Arrow keys go from plot to plot, Enter opens a plot.",
    )


def overlap_words() -> str:
    """Return what the map's dashed rim means."""
    return f"dashed rim: shares {OVERLAP_SHARE_MIN * 100:.0f} % or more with another plot"
