"""Grids of opened rasters: north-up, square pixels, metres, where the item says it is, nested in the scene's own."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import rasterio
from rasterio.errors import RasterioError
from rasterio.warp import transform_bounds

from agrocredit.domain.errors import RefusedError
from agrocredit.domain.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agrocredit.scenes.scene import Projection

_TRANSFORM_TOLERANCE_M = 1e-3


def grid_of(dataset: Any, *, projection: Projection, bbox_deg: tuple[float, float, float, float]) -> Grid:  # noqa: ANN401
    """Return a raster's grid after comparing it with what its item says.

    The projection extension decides where the item has it. Where it has not, the item's box must touch the raster, so a
    raster one zone off is noticed; a box that lies beside a raster whose projection is confirmed is a lying box, and
    the raster counts.

    Parameters
    ----------
    dataset : rasterio.DatasetReader
    projection : Projection
        What the catalogue says of the grid.
    bbox_deg : tuple
        The item's box: west, south, east, north.

    Raises
    ------
    RefusedError
        ``grid_mismatch``.
    """
    grid = _own_grid(dataset)
    _check_projection(dataset, grid, projection)
    if projection.crs is None and projection.transform is None:
        _check_box(dataset, bbox_deg)
    return grid


def reference_grid(grids: Sequence[Grid]) -> Grid:
    """Return the scene's grid: of the finest grids the one most bands have, the first of equals.

    Parameters
    ----------
    grids : sequence of Grid
        One a band, not empty.
    """
    finest_m = min(grid.resolution_m for grid in grids)
    counted = Counter(grid for grid in grids if grid.resolution_m == finest_m)
    return counted.most_common(1)[0][0]


def _own_grid(dataset: Any) -> Grid:  # noqa: ANN401
    a, b, c, d, e, f = tuple(dataset.transform)[:6]
    crs = dataset.crs
    if crs is None or not crs.is_projected or abs(crs.linear_units_factor[1] - 1) > 1e-9:
        raise RefusedError("grid_mismatch", f"CRS {_name(crs)}, expected a projected one in metres")
    if b or d or a <= 0 or abs(a + e) > 1e-9 * a:
        raise RefusedError("grid_mismatch", f"transform {a}, {b}, {c}, {d}, {e}, {f}, expected square pixels, north up")
    return Grid(crs=_name(crs), x0=c, y0=f, resolution_m=a, height=dataset.height, width=dataset.width)


def _check_projection(dataset: Any, grid: Grid, projection: Projection) -> None:  # noqa: ANN401
    if projection.crs is not None and _name(_parsed(projection.crs)) != grid.crs:
        raise RefusedError("grid_mismatch", f"CRS {grid.crs[:60]}, the item says {projection.crs}")
    if projection.transform is None or projection.transform[0] != grid.resolution_m:
        return  # the item's transform is of another resolution: it speaks of other assets
    found = tuple(dataset.transform)[:6]
    if any(abs(one - other) > _TRANSFORM_TOLERANCE_M for one, other in zip(found, projection.transform, strict=True)):
        raise RefusedError("grid_mismatch", f"transform {found}, the item says {projection.transform}")
    if projection.shape is not None and projection.shape != (grid.height, grid.width):
        raise RefusedError("grid_mismatch", f"{grid.height} x {grid.width} pixels, the item says {projection.shape}")


def _check_box(dataset: Any, bbox_deg: tuple[float, float, float, float]) -> None:  # noqa: ANN401
    try:
        west, south, east, north = transform_bounds(dataset.crs, "EPSG:4326", *dataset.bounds)
    except RasterioError as error:
        raise RefusedError("grid_mismatch", f"corners have no longitude and latitude: {error}") from error
    crosses = bbox_deg[0] > bbox_deg[2] or west > east
    beside = not crosses and (west > bbox_deg[2] or east < bbox_deg[0])
    if beside or south > bbox_deg[3] or north < bbox_deg[1]:
        raise RefusedError(
            "grid_mismatch", f"raster at {west:.3f}, {south:.3f}, {east:.3f}, {north:.3f}, the item's box is {bbox_deg}"
        )


def _parsed(text: str) -> Any:  # noqa: ANN401
    """Take EPSG codes only: other spellings let PROJ look for files."""
    code = text.upper().removeprefix("EPSG:")
    try:
        return rasterio.crs.CRS.from_epsg(int(code))
    except (RasterioError, ValueError, OverflowError) as error:
        raise RefusedError("grid_mismatch", f"the item's CRS is {text[:60]!r}, expected an EPSG code") from error


def _name(crs: Any) -> str:  # noqa: ANN401
    if crs is None:
        return "none"
    epsg = crs.to_epsg()
    return f"EPSG:{epsg}" if epsg else str(crs.to_wkt())
