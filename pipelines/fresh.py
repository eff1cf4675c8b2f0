"""One plot, drawn a second ago, and a season cube to observations: the rows the batch would have written for it.

The same weights, kernel, sums and choice between tiles as in `pipelines.observe`, over the chunks that the plot touches
and nothing else. The cube answers for the scenes of the run that made it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from agrocredit.domain.errors import InputUnusableError, RefusedError
from agrocredit.domain.tables import observations
from pipelines.merge_acquisitions import observed_rows
from pipelines.observe_scene import SceneOutcome
from pipelines.recipe import recipe_sha256
from pipelines.scene_weights import EDGE_POINTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    import shapely
    from numpy.typing import NDArray
    from obstore.store import ObjectStore
    from pyproj import Transformer

    from agrocredit.domain.grid import Grid
    from agrocredit.domain.plot import Plot
    from agrocredit.indices import IndexDefinition
    from agrocredit.zonal import Kernel
    from agrocredit.zonal.cube import SeasonCube
    from agrocredit.zonal.cube_layout import CubeScene, CubeSeason
    from agrocredit.zonal.cube_window import SeasonWindow


def fresh(
    polygon: shapely.Geometry | None,
    *,
    cube: Path | ObjectStore,
    plot_id: str = "drawn",
    indices: Sequence[str] | None = None,
    index_file: Path | None = None,
) -> pa.Table:
    """Return the observations of one plot over the season of a cube, by time.

    Parameters
    ----------
    polygon : shapely Polygon or MultiPolygon
        Longitude and latitude in degrees (EPSG:4326).
    cube : Path or obstore store
        What ``observe --cube`` wrote: its folder, or a store whose prefix is the cube.
    plot_id : str
        What the plot is called in the rows.
    indices : sequence of str, optional
        Index names; those of the run that made the cube without it.
    index_file : Path, optional
        TOML with indices of the user's own.

    Returns
    -------
    pyarrow.Table
        Columns of `agrocredit.domain.tables.observations`.

    Raises
    ------
    RefusedError
        The codes of `agrocredit.store.plot_drawn` for a polygon that cannot be a plot; ``plot_outside_cube`` if part of
        what scenes of the season show of it was not kept, or none shows it.
    InputUnusableError
        ``cube_invalid`` for missing or other bytes, ``cube_stale`` if the code that made the cube would now compute
        otherwise, ``band_missing`` if an index needs a band that the cube has not, ``file_missing`` without a cube.
    """
    from agrocredit.indices import compile_indices
    from agrocredit.store.plot_drawn import drawn_plot
    from agrocredit.zonal import make_kernel
    from agrocredit.zonal.cube import open_cube

    plot = drawn_plot(polygon, plot_id=plot_id)
    opened = open_cube(cube)
    kernel = make_kernel(compile_indices(_definitions(opened, indices, index_file)))
    _check_bands(opened, kernel)
    rows = [row for season in opened.seasons for row in _season_rows(plot, season, cube=opened, kernel=kernel)]
    if not rows:
        raise RefusedError("plot_outside_cube", f"plot {plot_id}: no scene of the cube touches it")
    return _one_an_acquisition(rows, plot_id=plot_id, names=kernel.names)


def _definitions(cube: SeasonCube, indices: Sequence[str] | None, index_file: Path | None) -> Sequence[IndexDefinition]:
    """Return the indices to compute, after making sure that this code computes those of the cube as its maker did."""
    from agrocredit.indices import load_indices

    own = _definitions_of(cube)
    found, expected = recipe_sha256(own), cube.manifest.get("recipe")
    if found != expected:
        raise InputUnusableError(
            "cube_stale", f"cube of recipe {str(expected)[:16]}, expected {found[:16]}: make it anew"
        )
    return own if indices is None else load_indices(tuple(indices), extra=index_file)


def _definitions_of(cube: SeasonCube) -> list[IndexDefinition]:
    from agrocredit.indices import IndexDefinition

    try:
        return [
            IndexDefinition(
                **{
                    **fields,
                    "bands": tuple(fields["bands"]),
                    "constants": tuple((name, value) for name, value in fields["constants"]),
                    "range": tuple(fields["range"]) if fields["range"] else None,
                }
            )
            for fields in cube.manifest["indices"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise InputUnusableError("cube_invalid", f"cube: the manifest's indices cannot be read ({error})") from error


def _check_bands(cube: SeasonCube, kernel: Kernel) -> None:
    held = sorted({band for season in cube.seasons for band in season.bands})
    missing = [band for band in kernel.bands if band not in held]
    if missing:
        detail = f"the cube has no {', '.join(missing)}; it holds {', '.join(held) or 'nothing'}"
        raise InputUnusableError("band_missing", detail)


def _season_rows(
    plot: Plot, season: CubeSeason, *, cube: SeasonCube, kernel: Kernel
) -> list[tuple[SceneOutcome, NDArray[np.void]]]:
    """Return what each scene of one grid says of the plot; nothing where the plot does not lie on the grid."""
    import shapely

    from agrocredit.zonal.cube_window import window_of

    if not _near(plot, season.grid):
        return []
    transform = _from_degrees(season.grid.crs).transform
    window = window_of(season, shapely.transform(plot.geometry, transform, interleaved=False))
    return [] if window is None else _window_rows(window, cube=cube, kernel=kernel)


def _window_rows(
    window: SeasonWindow, *, cube: SeasonCube, kernel: Kernel
) -> list[tuple[SceneOutcome, NDArray[np.void]]]:
    from agrocredit.zonal import PlotSums, build_weights, finish

    weights = build_weights([window.geometry], grid=window.grid)
    sums: dict[int, PlotSums] = {}
    for block in weights.blocks:
        chunks = window.read(cube, block)
        for number, scene in enumerate(window.season.scenes):
            if any(band in scene.factors for band in kernel.bands):  # else the batch refuses the scene
                pixels = window.pixels(chunks, block, scene=number)
                if number not in sums:
                    sums[number] = PlotSums.nothing_seen(weights, n_indices=len(kernel.names))
                kernel.accumulate(weights, block, pixels, sums[number])
    return [
        (_outcome(window.season.scenes[number]), finish(seen, weights=weights, names=kernel.names))
        for number, seen in sums.items()
    ]


def _outcome(scene: CubeScene) -> SceneOutcome:
    return SceneOutcome(
        scene_id=scene.scene_id,
        acquisition=scene.acquisition,
        acquired_at=scene.acquired_at,
        rows_file=None,
        manifest={},
        grid={},
        refused=(),
    )


def _one_an_acquisition(
    rows: list[tuple[SceneOutcome, NDArray[np.void]]], *, plot_id: str, names: Sequence[str]
) -> pa.Table:
    """Return the rows that speak, as the batch chooses them."""
    import pyarrow as pa

    if not rows:
        return observations(names).empty_table()
    rows = sorted(rows, key=lambda row: (row[0].acquired_at, row[0].scene_id))
    said, outcomes = [records for _, records in rows], [outcome for outcome, _ in rows]
    return observed_rows(said, outcomes, names=names, plot_ids=pa.array([plot_id]), plots=range(1))


def _near(plot: Plot, grid: Grid) -> bool:
    """Say whether the plot's box touches the grid's; far from its zone a projection has no answer."""
    west, south, east, north = _bounds_deg(grid)
    left, bottom, right, top = plot.geometry.bounds
    along = left <= east and right >= west if west <= east else left <= east or right >= west
    return bool(along and bottom <= north and top >= south)


@lru_cache(maxsize=64)
def _bounds_deg(grid: Grid) -> tuple[float, float, float, float]:
    from pyproj import Transformer

    to_degrees = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    west, south, east, north = to_degrees.transform_bounds(*grid.bounds, densify_pts=EDGE_POINTS)
    return west, south, east, north


@lru_cache(maxsize=16)
def _from_degrees(crs: str) -> Transformer:
    from pyproj import Transformer

    return Transformer.from_crs("EPSG:4326", crs, always_xy=True)
