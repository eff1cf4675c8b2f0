"""Sums of plots: what a block leaves behind, how blocks join, and the observation rows they become."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.tables import VALID_FRACTION_MIN, scene_row
from agrocredit.loops import Loop

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from agrocredit.zonal.weights import CoverageWeights

_COUNT_PIXEL_M = 10.0
"""Side of the pixels that ``pixel_count`` counts, whatever the grid's."""
_LOOPS = Path(__file__).with_name("sum_loops.py")
_add_parts = Loop.of_file(_LOOPS, "add_parts")
_fill_rows = Loop.of_file(_LOOPS, "fill_rows")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlockSums:
    """What one block of one scene says about its plots; rows are the block's parts."""

    part_from: int
    part_to: int
    sums: NDArray[np.float64]
    """Index times weight, (parts, indices)."""
    weights: NDArray[np.float64]
    """Clear pixels at which the index has a value, (parts, indices)."""
    clear: NDArray[np.float64]
    """Clear pixels, (parts,)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlotSums:
    """What one scene says about every plot."""

    sums: NDArray[np.float64]
    """Index times weight, (plots, indices)."""
    weights: NDArray[np.float64]
    """Clear pixels at which the index has a value, (plots, indices)."""
    clear: NDArray[np.float64]
    """Clear pixels, (plots,)."""


def combine(blocks: Iterable[BlockSums], *, weights: CoverageWeights, n_indices: int) -> PlotSums:
    """Return the sums of plots over blocks.

    Parameters
    ----------
    blocks : iterable of BlockSums
        Of one scene, in the order of their parts, so that they are always added in the same one; each is let go before
        the next is asked for. Plots in blocks that are not given count as not seen there.
    weights : CoverageWeights
    n_indices : int

    Raises
    ------
    InputUnusableError
        ``block_repeated`` if a block is given twice, or after one that comes behind it.
    """
    total = PlotSums(
        sums=np.zeros((weights.n_plots, n_indices)),
        weights=np.zeros((weights.n_plots, n_indices)),
        clear=np.zeros(weights.n_plots),
    )
    done = 0
    for block in blocks:
        if block.part_from < done:
            raise InputUnusableError(
                "block_repeated",
                f"parts {block.part_from} to {block.part_to} after part {done - 1}, expected later ones",
            )
        done = block.part_to
        plots = weights.part_plot[block.part_from : block.part_to]
        _add_parts(total.sums, total.weights, total.clear, plots, block.sums, block.weights, block.clear)
    return total


def finish(sums: PlotSums, *, weights: CoverageWeights, names: Sequence[str]) -> NDArray[np.void]:
    """Return one row for every plot on the grid, by number.

    Parameters
    ----------
    sums : PlotSums
    weights : CoverageWeights
    names : sequence of str
        Columns of the indices, in the order of `sums`.

    Returns
    -------
    ndarray of `agrocredit.domain.tables.scene_row`
        ``plot`` (position among the geometries), ``valid_fraction`` (share of the plot's whole area seen clear, 0 to
        1), ``pixel_count`` (clear pixels of 10 m, weighted by coverage), then a field an index: the mean over clear
        pixels, NaN where no pixel has a value or ``valid_fraction`` is under `VALID_FRACTION_MIN`.
    """
    plots = weights.plots_on_grid
    rows = np.empty(plots.size, scene_row(names))
    rows["plot"] = plots
    _fill_rows(
        rows.view(np.float64).reshape(plots.size, 3 + len(names)),
        *(plots, sums.sums, sums.weights, sums.clear, weights.area_px),
        (weights.grid.resolution_m / _COUNT_PIXEL_M) ** 2,
        VALID_FRACTION_MIN,
    )
    return rows
