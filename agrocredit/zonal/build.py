"""Build the coverage weights of plots on a grid: once, exactly, in one pass over the plots."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from agrocredit.domain.errors import InputUnusableError
from agrocredit.zonal.area_accumulation import cover_windows, place_entries
from agrocredit.zonal.layout import BLOCK, FORMAT, FULL
from agrocredit.zonal.outlines import Outlines
from agrocredit.zonal.weights import CoverageWeights

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    from agrocredit.domain.grid import Grid

_CHUNK_PLOTS = 16_384
"""Plots whose corner points are in memory at a time."""
_POLYGONAL = (int(shapely.GeometryType.POLYGON), int(shapely.GeometryType.MULTIPOLYGON))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    """Entries of some plots, in the order of plots."""

    streams: tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
    """edge, low, run."""
    plot: NDArray[np.int32]
    """Of each part."""
    block: NDArray[np.int32]
    counts: NDArray[np.int32]
    """Edges and runs of each part; (parts, 2)."""
    area_px: NDArray[np.float64]
    """Of each plot."""


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
    chunks: list[_Chunk] = []
    first = 0
    for outlines in pieces:
        plots = slice(first, first + outlines.plot_at.size - 1)
        areas = outlines.areas if plot_areas_m2 is None else plot_areas_m2[plots]
        _refuse(~(np.isfinite(areas) & (areas > 0)), "has no area", first=first)
        chunks.append(_cover_chunk(outlines, areas / grid.resolution_m**2, first, grid))
        first = plots.stop
    return _merge(chunks, grid=grid, key=key)


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


def _cover_chunk(outlines: Outlines, areas_px: NDArray[np.float64], first: int, grid: Grid) -> _Chunk:
    xy = outlines.xy - np.array([grid.x0, grid.y0])
    xy *= np.array([1 / grid.resolution_m, -1 / grid.resolution_m])
    windows, blocks, inside = _windows(xy, outlines.ring_at[outlines.plot_at], grid)
    found = cover_windows(xy, outlines, windows)
    if found.wrong >= 0:
        raise InputUnusableError(
            "geometry_invalid",
            f"plot number {first + found.wrong} has rings that cross or overlap, expected a valid polygon",
        )
    counts = found.counts
    totals = np.zeros(areas_px.size, np.int64)
    np.add.at(totals, windows[:, 0], counts[:, 2])
    # A plot wholly on the grid is as large as its weights say, so that seen in full is exactly 1.
    use_total = inside & (totals > 0) & (np.abs(totals / FULL - areas_px) < 1e-5 * areas_px)
    kept = counts[:, 2] > 0
    return _Chunk(
        streams=(found.edge, found.low, found.run),
        plot=(windows[kept, 0] + first).astype(np.int32),
        block=blocks[kept].astype(np.int32),
        counts=counts[kept, :2].astype(np.int32),
        area_px=np.where(use_total, totals / FULL, areas_px),
    )


def _windows(
    xy: NDArray[np.float64], point_at: NDArray[np.int64], grid: Grid
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the windows of all plots (plot, row0, col0, rows, columns), their blocks, and which plots fit the grid."""
    box = np.concatenate(
        [np.floor(np.minimum.reduceat(xy, point_at[:-1])), np.ceil(np.maximum.reduceat(xy, point_at[:-1]))], axis=1
    )
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
    return windows, block_row * -(-grid.width // BLOCK) + block_col, (box == clipped).all(axis=1)


def _merge(chunks: list[_Chunk], *, grid: Grid, key: str) -> CoverageWeights:
    """Sort the parts of all chunks by block, then plot; each chunk is let go when its entries are in place."""
    plot = np.concatenate([np.zeros(0, np.int32), *(chunk.plot for chunk in chunks)])
    block = np.concatenate([np.zeros(0, np.int32), *(chunk.block for chunk in chunks)])
    counts = np.concatenate([np.zeros((0, 2), np.int32), *(chunk.counts for chunk in chunks)])
    area_px = np.concatenate([np.zeros(0), *(chunk.area_px for chunk in chunks)])
    order = np.argsort(block, kind="stable")
    n_blocks = -(-grid.height // BLOCK) * -(-grid.width // BLOCK)
    edge_at, run_at = _starts(counts[order, 0]), _starts(counts[order, 1])
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    edge, low = np.empty(edge_at[-1], np.uint32), np.empty(edge_at[-1], np.uint16)
    run = np.empty(run_at[-1], np.uint32)
    last = plot.size
    while chunks:
        chunk = chunks.pop()
        to = place[last - chunk.plot.size : last]
        last -= chunk.plot.size
        place_entries(chunk.streams, chunk.counts, starts=(edge_at[to], run_at[to]), all_entries=(edge, low, run))
    return CoverageWeights(
        grid=grid,
        key=key,
        edge=edge,
        low=low,
        run=run,
        part_plot=plot[order],
        part_edge_at=edge_at,
        part_run_at=run_at,
        block_part_at=_starts(np.bincount(block, minlength=n_blocks)),
        area_px=area_px,
    )


def _starts(counts: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    starts = np.zeros(counts.size + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts
