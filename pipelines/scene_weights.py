"""Coverage weights for the scenes of a run: the plots near a grid, and their weights on it, made once.

A run has a few grids and many scenes. The first task that needs a grid's weights makes them, and keeps them on disk
where another run or process can use them; the others of its process wait and share them, other processes map the file.
The geometries are let go as soon as the weights are there: they would be the largest thing in memory.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pipelines.free_memory import give_back_free_memory
from pipelines.grid_projection import projection_onto

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from agrocredit.domain.grid import Grid
    from agrocredit.zonal import CoverageWeights, Outlines
    from pipelines.grid_projection import Projecting

EDGE_POINTS = 21
"""Points along each side of a grid when its outline is drawn in degrees: a straight side there is a curve here."""

GRIDS_KEPT = 16
"""Grids whose weights stay in memory: a region touches a few tiles."""

_PLOTS_AT_A_TIME = 16_384
"""Plots that are in memory in degrees: shapes are the largest thing a worker holds."""

_building: defaultdict[tuple[str, Grid], threading.Lock] = defaultdict(threading.Lock)
_known: dict[tuple[str, Grid], GridWeights] = {}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GridWeights:
    """The plots that may lie on a grid, and their coverage weights there."""

    numbers: NDArray[np.int64]
    """Position of each plot in the run's table, rising; the weights count plots by their place in here."""
    weights: CoverageWeights


def write_shapes(wkb: pa.ChunkedArray, path: Path) -> None:
    """Write the shapes of a run's plots where `weights_on` finds them.

    Parameters
    ----------
    wkb : pyarrow.ChunkedArray of large_binary
        EPSG:4326, each in the normal form of plots; in the order that numbers them.
    path : Path
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Plain pages of few plots: they go as they came, and a worker holds a few at a time.
    options = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    pq.write_table(pa.table({"geometry": wkb}), path, row_group_size=_PLOTS_AT_A_TIME, **options)


def weights_on(grid: Grid, *, plots_file: Path, folder: Path | None) -> GridWeights:
    """Return the coverage weights of plots on a grid, made by the first task that asks and kept for the others.

    Parameters
    ----------
    grid : Grid
    plots_file : Path
        As `write_shapes` writes it.
    folder : Path or None
        Where weights are kept, by content; None keeps them in memory alone.
    """
    from agrocredit.zonal import kept_weights, outlines_key

    key = (str(plots_file), grid)
    with _building[key]:
        if key not in _known:
            while len(_known) >= GRIDS_KEPT:
                _known.pop(next(iter(_known)))
            numbers, near = plots_near(plots_file, grid)
            name = outlines_key(near, grid=grid)
            build = partial(_weights, near, grid=grid, key=name)
            weights = build() if folder is None else kept_weights(name, folder=folder, build=build)
            _known[key] = GridWeights(numbers=numbers, weights=weights)
            give_back_free_memory()
        return _known[key]


def forget_weights(plots_file: Path) -> None:
    """Let go of all that this process holds of the weights of a run; files stay.

    Parameters
    ----------
    plots_file : Path
        As in `weights_on`.
    """
    for key in [key for key in _known if key[0] == str(plots_file)]:
        del _known[key]
        _building.pop(key, None)


def _weights(near: list[Outlines], *, grid: Grid, key: str) -> CoverageWeights:
    """Return the weights of outlines in degrees, which are let go on the way."""
    from agrocredit.zonal import cover_outlines

    to_metres = projection_onto(grid, n_points=sum(len(outlines.xy) for outlines in near))
    return cover_outlines(_moved(near, to_metres), grid=grid, key=key)


def _moved(near: list[Outlines], transform: Projecting) -> Iterator[Outlines]:
    """Yield the outlines in metres and let go of those in degrees, one by one."""
    near.reverse()
    while near:
        yield near.pop().moved(transform)
    give_back_free_memory()


def plots_near(plots_file: Path, grid: Grid) -> tuple[NDArray[np.int64], list[Outlines]]:
    """Return numbers and outlines, in degrees, of the plots whose box touches a grid.

    Far from its zone a projection has no answer, so the other plots stay out.

    Parameters
    ----------
    plots_file : Path
        As in `weights_on`.
    grid : Grid
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from agrocredit.zonal import Outlines

    box = _box_deg(grid)
    numbers, near, first = [np.zeros(0, np.int64)], [], 0
    with pq.ParquetFile(plots_file, pre_buffer=False) as file:  # else it would read all of it ahead
        for batch in file.iter_batches(batch_size=_PLOTS_AT_A_TIME, columns=["geometry"]):
            plots = Outlines.of_wkb(batch["geometry"])
            touching = _touches(plots, box)
            numbers.append(first + np.flatnonzero(touching))
            first += len(batch)
            if touching.any():
                near.append(plots if touching.all() else Outlines.of_wkb(batch["geometry"].filter(pa.array(touching))))
    give_back_free_memory()
    return np.concatenate(numbers), near


def _box_deg(grid: Grid) -> tuple[float, float, float, float]:
    """Return west, south, east, north of a grid; west is greater where it crosses the antimeridian."""
    from pyproj import Transformer

    to_degrees = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    west, south, east, north = to_degrees.transform_bounds(*grid.bounds, densify_pts=EDGE_POINTS)
    return west, south, east, north


def _touches(plots: Outlines, box: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    """Return whether the box of each plot, in degrees, touches the grid's."""
    west, south, east, north = box
    lon, lat = plots.xy.T
    if west <= lon.min() and lon.max() <= east and south <= lat.min() and lat.max() <= north:
        return np.ones(plots.plot_at.size - 1, np.bool_)  # a fifth of the cost of boxes, and usual for one tile
    min_x, min_y, max_x, max_y = plots.bounds.T
    right, left = max_x >= west, min_x <= east
    across = right & left if west <= east else right | left
    found: NDArray[np.bool_] = (max_y >= south) & (min_y <= north) & across
    return found
