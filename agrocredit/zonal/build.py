"""Build the coverage weights of plots on a grid: once, exactly, in one pass over the plots."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from agrocredit.domain.errors import InputUnusableError
from agrocredit.zonal.area_accumulation import cover_windows
from agrocredit.zonal.layout import BLOCK, FORMAT, FULL
from agrocredit.zonal.outlines import Outlines
from agrocredit.zonal.weights import CoverageWeights

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    from agrocredit.domain.grid import Grid

_CHUNK_PLOTS = 16_384
"""Plots whose corner points are in memory at a time."""
_STRIP_ROWS = 16
"""Plots whose first row lies in one strip of a block come by number."""
_POLYGONAL = (int(shapely.GeometryType.POLYGON), int(shapely.GeometryType.MULTIPOLYGON))


def build_weights(
    geometries: ArrayLike, *, grid: Grid, plot_areas_m2: NDArray[np.float64] | None = None
) -> CoverageWeights:
    """Return the exact covered share of every pixel by every plot.

    Rings may run either way. Overlapping plots each keep their own pixels. What lies off the grid is dropped, while the
    plot's area stays whole, so that it counts as not seen; a plot wholly off the grid has no entries.

    Parameters
    ----------
    geometries : array_like of shapely Polygon or MultiPolygon, shape (plots,)
        Valid, in the CRS of the grid, m.
    grid : Grid
    plot_areas_m2 : ndarray of float64, shape (plots,), optional
        Area of each whole plot in the plane of the grid's CRS; measured here where not given.

    Raises
    ------
    InputUnusableError
        ``geometry_invalid`` for anything that is not an area: no polygon, empty, coordinates that are not finite, no
        area, rings that cross or overlap by more than a millionth of a pixel. The plot's number is named.
    """
    plots = np.asarray(geometries, object)
    _check_shapes(plots)
    areas = None if plot_areas_m2 is None else np.asarray(plot_areas_m2, np.float64)
    if areas is not None and areas.shape != plots.shape:
        raise InputUnusableError("geometry_invalid", f"{areas.size} areas for {plots.size} plots")
    pieces = (Outlines.of_shapes(plots[at : at + _CHUNK_PLOTS]) for at in range(0, plots.size, _CHUNK_PLOTS))
    key = weights_key(plots, grid=grid, plot_areas_m2=plot_areas_m2)
    return cover_outlines(pieces, grid=grid, key=key, plot_areas_m2=areas)


def cover_outlines(
    pieces: Iterable[Outlines], *, grid: Grid, key: str, plot_areas_m2: NDArray[np.float64] | None = None
) -> CoverageWeights:
    """Return what `build_weights` returns, of plots that come some thousands at a time.

    Parameters
    ----------
    pieces : iterable of Outlines
        In the CRS of the grid, m. Each is let go before the next is asked for.
    grid, plot_areas_m2
        As in `build_weights`.
    key : str
        Content hash of plots, grid and format.

    Raises
    ------
    InputUnusableError
        ``geometry_invalid`` as `build_weights`.
    """
    outlines, areas_px = _in_pixels(pieces, grid=grid, plot_areas_m2=plot_areas_m2)
    windows, blocks, inside = _windows(outlines, grid)
    covered = cover_windows(outlines, windows)
    if covered.wrong >= 0:
        raise InputUnusableError(
            "geometry_invalid",
            f"plot number {covered.wrong} has rings that cross or overlap, expected a valid polygon",
        )
    n_edges, n_spans, weight = covered.counts.T
    totals_px = np.bincount(windows[:, 0], weight, minlength=areas_px.size) / FULL
    # A plot wholly on the grid is as large as its weights say, so that seen in full is exactly 1.
    use_total = inside & (totals_px > 0) & (np.abs(totals_px - areas_px) < 1e-5 * areas_px)
    is_part = weight > 0
    n_blocks = -(-grid.height // BLOCK) * -(-grid.width // BLOCK)
    return CoverageWeights(
        grid=grid,
        key=key,
        edge=covered.edge,
        span=covered.span,
        before=covered.before,
        after=covered.after,
        part_plot=windows[is_part, 0].astype(np.int32),
        part_edge_at=_starts(n_edges[is_part]),
        part_span_at=_starts(n_spans[is_part]),
        block_part_at=_starts(np.bincount(blocks[is_part], minlength=n_blocks)),
        area_px=np.where(use_total, totals_px, areas_px),
    )


def weights_key(geometries: ArrayLike, *, grid: Grid, plot_areas_m2: NDArray[np.float64] | None = None) -> str:
    """Return the content hash of what `build_weights` would build: equal inputs, equal key, on every machine.

    Parameters
    ----------
    geometries, grid, plot_areas_m2
        As in `build_weights`.
    """
    plots = np.asarray(geometries, object)
    digest = hashlib.sha256(f"coverage weights {FORMAT} {BLOCK} {FULL} {grid.key} {plots.size}".encode())
    for first in range(0, plots.size, _CHUNK_PLOTS):
        for wkb in shapely.to_wkb(plots[first : first + _CHUNK_PLOTS], byte_order=1):
            digest.update(wkb or b"")
    if plot_areas_m2 is not None:
        digest.update(np.ascontiguousarray(plot_areas_m2, "<f8").tobytes())
    return digest.hexdigest()


def outlines_key(pieces: Iterable[Outlines], *, grid: Grid) -> str:
    """Return the content hash of what `cover_outlines` would build, however the plots are cut into pieces.

    Parameters
    ----------
    pieces : iterable of Outlines
        In any one CRS: what the grid's is to be made of them is settled by the grid.
    grid : Grid
    """
    points, rings, plots = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
    for outlines in pieces:
        points.update(np.ascontiguousarray(outlines.xy, "<f8").data)
        rings.update(np.diff(outlines.ring_at).astype("<i8").data)
        plots.update(np.diff(outlines.plot_at).astype("<i8").data)
    parts = (points.hexdigest(), rings.hexdigest(), plots.hexdigest())
    return hashlib.sha256(f"outlines {FORMAT} {BLOCK} {FULL} {grid.key} {parts}".encode()).hexdigest()


def _check_shapes(plots: NDArray[np.object_]) -> None:
    if plots.ndim != 1:
        raise InputUnusableError("geometry_invalid", f"geometries of shape {plots.shape}, expected one dimension")
    _refuse(~np.isin(shapely.get_type_id(plots), _POLYGONAL), "is no polygon or multipolygon")
    # An empty shape has no bounds; a NaN coordinate is left out of the bounds and shows in the area.
    finite = np.isfinite(shapely.bounds(plots)).all(axis=1) & np.isfinite(shapely.area(plots))
    _refuse(~finite, "is empty or has coordinates that are not finite")


def _refuse(wrong: NDArray[np.bool_], reason: str, *, first: int = 0) -> None:
    if wrong.any():
        raise InputUnusableError("geometry_invalid", f"plot number {first + int(np.argmax(wrong))} {reason}")


def _in_pixels(
    pieces: Iterable[Outlines], *, grid: Grid, plot_areas_m2: NDArray[np.float64] | None
) -> tuple[Outlines, NDArray[np.float64]]:
    """Return all plots together, in pixels from the grid's upper left corner, and their areas in pixels."""
    xy, areas_m2 = [np.zeros((0, 2))], [np.zeros(0)]
    ring_at, plot_at = [np.zeros(1, np.int64)], [np.zeros(1, np.int64)]
    first = n_points = n_rings = 0
    for outlines in pieces:
        plots = slice(first, first + outlines.plot_at.size - 1)
        areas = outlines.areas if plot_areas_m2 is None else plot_areas_m2[plots]
        _refuse(~(np.isfinite(areas) & (areas > 0)), "has no area", first=first)
        piece = outlines.xy - np.array([grid.x0, grid.y0])
        piece *= np.array([1 / grid.resolution_m, -1 / grid.resolution_m])
        xy.append(piece)
        areas_m2.append(areas)
        ring_at.append(outlines.ring_at[1:] + n_points)
        plot_at.append(outlines.plot_at[1:] + n_rings)
        first, n_points, n_rings = plots.stop, n_points + piece.shape[0], n_rings + outlines.ring_at.size - 1
    together = Outlines(xy=np.concatenate(xy), ring_at=np.concatenate(ring_at), plot_at=np.concatenate(plot_at))
    return together, np.concatenate(areas_m2) / grid.resolution_m**2


def _windows(outlines: Outlines, grid: Grid) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the windows of all plots (plot, row0, col0, rows, columns), their blocks, and which plots fit the grid.

    Windows come block by block, in a block from its top to its bottom: what is read together should lie together,
    however the plots are numbered.
    """
    box = outlines.bounds
    np.floor(box[:, :2], out=box[:, :2])
    np.ceil(box[:, 2:], out=box[:, 2:])
    limit = np.array([grid.width, grid.height, grid.width, grid.height], np.float64)
    clipped = np.clip(box, 0, limit).astype(np.int64)
    left, top, right, bottom = clipped.T
    across = np.where(right > left, (right - 1) // BLOCK - left // BLOCK + 1, 0)
    down = np.where(bottom > top, (bottom - 1) // BLOCK - top // BLOCK + 1, 0)
    count = across * down
    plot = np.repeat(np.arange(count.size), count)
    k = np.arange(plot.size) - np.repeat(np.cumsum(count) - count, count)
    block_row = top[plot] // BLOCK + k // across[plot]
    block_col = left[plot] // BLOCK + k % across[plot]
    row0, col0 = np.maximum(top[plot], block_row * BLOCK), np.maximum(left[plot], block_col * BLOCK)
    row1 = np.minimum(bottom[plot], (block_row + 1) * BLOCK)
    col1 = np.minimum(right[plot], (block_col + 1) * BLOCK)
    windows = np.stack([plot, row0, col0, row1 - row0, col1 - col0], axis=1)
    block = block_row * -(-grid.width // BLOCK) + block_col
    strip = block * (BLOCK // _STRIP_ROWS) + row0 % BLOCK // _STRIP_ROWS
    order = np.argsort(strip.astype(np.min_scalar_type(strip.max(initial=0))), kind="stable")  # by radix if few
    return windows[order], block[order], (box == clipped).all(axis=1)


def _starts(counts: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    starts = np.zeros(counts.size + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts
