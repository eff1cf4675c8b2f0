"""Outlines of plots as short SVG paths, and which plots lie on one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

OVERLAP_SHARE_MIN = 0.05
"""Two plots overlap where they share this part of the smaller one: less is the width of a walked boundary."""
PAIRS_MAX = 300_000
"""Pairs of plots that are compared; a run with more touching pairs than this is no map of fields."""
_CHUNK = 500


def path_of(outline: shapely.Geometry) -> str:
    """Return the path of a polygon or multipolygon in whole drawing units, relative from point to point.

    A ring that collapses to less than a unit stays as a square of one unit, so that no plot vanishes.

    >>> path_of(shapely.box(0, 0, 10, 5))
    'M10 0v5h-10v-5z'
    """
    return "".join(_ring_path(ring) for ring in _rings(outline))


def _rings(outline: shapely.Geometry) -> Iterator[NDArray[np.float64]]:
    for polygon in shapely.get_parts(outline):
        for ring in shapely.get_rings(polygon):
            yield shapely.get_coordinates(ring)


def _ring_path(points: NDArray[np.float64]) -> str:
    whole = np.rint(points).astype(np.int64)
    moves = [(x, y) for x, y in np.diff(whole, axis=0).tolist() if x or y]
    x0, y0 = whole[0].tolist()
    if len(moves) < 3:
        return f"M{x0} {y0}v1h1v-1z"
    # The last move only goes back to the start, as z does.
    return f"M{x0} {y0}" + "".join(_move(x, y) for x, y in moves[:-1]) + "z"


def _move(x: int, y: int) -> str:
    if not x:
        return f"v{y}"
    if not y:
        return f"h{x}"
    return f"l{x} {y}" if y >= 0 else f"l{x}{y}"


def simplified(outlines: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return outlines with fewer points; each may move by a twentieth of its own size, so small plots keep a shape."""
    tolerance = np.sqrt(np.abs(shapely.area(outlines))) / 20
    return np.asarray(shapely.simplify(outlines, tolerance, preserve_topology=True), dtype=object)


def overlapping(outlines: NDArray[np.object_]) -> NDArray[np.bool_] | None:
    """Return which outlines share at least `OVERLAP_SHARE_MIN` of the smaller with another.

    Parameters
    ----------
    outlines : array of Polygon or MultiPolygon, shape (n,)
        In a plane; invalid ones count as apart from all.

    Returns
    -------
    array of bool, shape (n,), or None
        None where more than `PAIRS_MAX` pairs would have to be compared.
    """
    found = np.zeros(len(outlines), dtype=bool)
    usable = np.flatnonzero(shapely.is_valid(outlines) & (shapely.area(outlines) > 0))
    tree = shapely.STRtree(outlines[usable])
    compared = 0
    for start in range(0, len(usable), _CHUNK):
        one, other = tree.query(outlines[usable[start : start + _CHUNK]])
        one = one + start
        one, other = one[one < other], other[one < other]
        compared += len(one)
        if compared > PAIRS_MAX:
            return None
        left, right = usable[one], usable[other]
        shared = shapely.area(shapely.intersection(outlines[left], outlines[right]))
        smaller = np.minimum(shapely.area(outlines[left]), shapely.area(outlines[right]))
        close = shared >= OVERLAP_SHARE_MIN * smaller
        found[left[close]] = True
        found[right[close]] = True
    return found
