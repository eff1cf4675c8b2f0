"""Coverage weights for the scenes of a run: the plots near a grid, and their weights on it, made once.

A run has a few grids and many scenes. The first task that needs a grid's weights makes them and keeps them on disk; the
others of its process wait and share them, other processes map the same file.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

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

_building: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
_known: dict[str, CoverageWeights] = {}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NearPlots:
    """Plots whose box touches a grid, in the grid's CRS."""

    numbers: NDArray[np.int64]
    """Position of each plot in the run's table, rising."""
    geometries: NDArray[Any]
    """Shapely geometries, in m."""
    key: str
    """Names the pair of plots file and grid within this process."""


def plots_near(plots_file: Path, grid: Grid) -> NearPlots:
    """Return the plots that may lie on a grid; far from its zone a projection has no answer, so the others stay out.

    Parameters
    ----------
    plots_file : Path
        GeoParquet in EPSG:4326.
    grid : Grid
    """
    return _plots_near(str(plots_file), grid)


@lru_cache(maxsize=4)
def _plots(plots_file: str) -> gpd.GeoDataFrame:
    import geopandas as gpd

    return gpd.read_parquet(plots_file, columns=["id", "geometry"])


@lru_cache(maxsize=16)
def _plots_near(plots_file: str, grid: Grid) -> NearPlots:
    from pyproj import Transformer

    plots = _plots(plots_file)
    to_degrees = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    west, south, east, north = to_degrees.transform_bounds(*grid.bounds, densify_pts=EDGE_POINTS)
    box = plots.bounds
    touches = (box["maxy"] >= south) & (box["miny"] <= north)
    if west <= east:
        touches &= (box["maxx"] >= west) & (box["minx"] <= east)
    else:  # the grid crosses the antimeridian
        touches &= (box["maxx"] >= west) | (box["minx"] <= east)
    numbers = np.flatnonzero(touches.to_numpy())
    geometries = plots.geometry.iloc[numbers].to_crs(grid.crs).to_numpy()
    return NearPlots(numbers=numbers, geometries=geometries, key=f"{plots_file}|{grid.key}")


def weights_on(grid: Grid, *, near: NearPlots, folder: Path) -> CoverageWeights:
    """Return the coverage weights of plots on a grid, made by the first task that asks and kept on disk for the others.

    Parameters
    ----------
    grid : Grid
    near : NearPlots
        From `plots_near` on the same grid.
    folder : Path
        Where weights are kept, by content.
    """
    from agrocredit.zonal import kept_weights

    with _building[near.key]:
        if near.key not in _known:
            while len(_known) >= GRIDS_KEPT:
                _known.pop(next(iter(_known)))
            _known[near.key] = kept_weights(near.geometries, grid=grid, folder=folder)
        return _known[near.key]
