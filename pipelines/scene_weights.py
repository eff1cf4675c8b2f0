"""Coverage weights for the scenes of a run: the plots near a grid, and their weights on it, made once.

A run has a few grids and many scenes. The first task that needs a grid's weights makes them and keeps them on disk; the
others of its process wait and share them, other processes map the same file. The geometries are let go as soon as the
weights are there: they would be the largest thing in memory.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    from agrocredit.domain.grid import Grid
    from agrocredit.zonal import CoverageWeights

EDGE_POINTS = 21
"""Points along each side of a grid when its outline is drawn in degrees: a straight side there is a curve here."""

GRIDS_KEPT = 16
"""Grids whose weights stay in memory: a region touches a few tiles."""

_building: defaultdict[tuple[str, Grid], threading.Lock] = defaultdict(threading.Lock)
_known: dict[tuple[str, Grid], GridWeights] = {}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GridWeights:
    """The plots that may lie on a grid, and their coverage weights there."""

    numbers: NDArray[np.int64]
    """Position of each plot in the run's table, rising; the weights count plots by their place in here."""
    weights: CoverageWeights


def weights_on(grid: Grid, *, plots_file: Path, folder: Path) -> GridWeights:
    """Return the coverage weights of plots on a grid, made by the first task that asks and kept on disk for the others.

    Parameters
    ----------
    grid : Grid
    plots_file : Path
        GeoParquet in EPSG:4326.
    folder : Path
        Where weights are kept, by content.
    """
    from agrocredit.zonal import kept_weights

    key = (str(plots_file), grid)
    with _building[key]:
        if key not in _known:
            while len(_known) >= GRIDS_KEPT:
                _known.pop(next(iter(_known)))
            numbers, near = plots_near(plots_file, grid)
            _known[key] = GridWeights(numbers=numbers, weights=kept_weights(near, grid=grid, folder=folder))
        return _known[key]


def plots_near(plots_file: Path, grid: Grid) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Return numbers and geometries of the plots whose box touches a grid, in the grid's CRS.

    Far from its zone a projection has no answer, so the other plots stay out.

    Parameters
    ----------
    plots_file : Path
        GeoParquet in EPSG:4326.
    grid : Grid
    """
    import geopandas as gpd

    plots = gpd.read_parquet(plots_file, columns=["geometry"])
    numbers = np.flatnonzero(_touches(plots, grid))
    near: NDArray[np.object_] = plots.geometry.iloc[numbers].to_crs(grid.crs).to_numpy()
    return numbers, near


def _touches(plots: gpd.GeoDataFrame, grid: Grid) -> NDArray[np.bool_]:
    """Return whether the box of each plot, in degrees, touches the grid."""
    from pyproj import Transformer

    to_degrees = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    west, south, east, north = to_degrees.transform_bounds(*grid.bounds, densify_pts=EDGE_POINTS)
    box = plots.bounds
    touches = (box["maxy"] >= south) & (box["miny"] <= north)
    if west <= east:
        touches &= (box["maxx"] >= west) & (box["minx"] <= east)
    else:  # the grid crosses the antimeridian
        touches &= (box["maxx"] >= west) | (box["minx"] <= east)
    found: NDArray[np.bool_] = touches.to_numpy()
    return found
