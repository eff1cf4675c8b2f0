"""Sums of plots over the blocks of a scene, and the observation rows they become."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.tables import VALID_FRACTION_MIN, scene_row
from agrocredit.loops import Loop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agrocredit.zonal.weights import Block, CoverageWeights

_COUNT_PIXEL_M = 10.0
"""Side of the pixels that ``pixel_count`` counts, whatever the grid's."""
_fill_rows = Loop.of_file(Path(__file__).with_name("sum_loops.py"), "fill_rows")


@dataclass(slots=True, kw_only=True, eq=False)
class PlotSums:
    """What one scene says about every plot; `Kernel.accumulate` adds block after block to it."""

    sums: NDArray[np.float64]
    """Index times weight, (plots, indices)."""
    weights: NDArray[np.float64]
    """Clear pixels at which the index has a value, (plots, indices)."""
    clear: NDArray[np.float64]
    """Clear pixels, (plots,)."""
    part_to: int = 0
    """Parts before this one are in the sums, or were left out: blocks come in order, so that sums are always alike."""

    @classmethod
    def nothing_seen(cls, weights: CoverageWeights, *, n_indices: int) -> Self:
        """Return the sums of a scene before its first block; plots in blocks that never come count as not seen.

        Parameters
        ----------
        weights : CoverageWeights
        n_indices : int
        """
        plots = weights.n_plots
        return cls(sums=np.zeros((plots, n_indices)), weights=np.zeros((plots, n_indices)), clear=np.zeros(plots))

    def begin(self, block: Block) -> None:
        """Take note of a block that is about to be added.

        Raises
        ------
        InputUnusableError
            ``block_repeated`` if it comes twice, or after one that comes behind it.
        """
        if block.part_from < self.part_to:
            raise InputUnusableError(
                "block_repeated",
                f"parts {block.part_from} to {block.part_to} after part {self.part_to - 1}, expected later ones",
            )
        self.part_to = block.part_to


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
