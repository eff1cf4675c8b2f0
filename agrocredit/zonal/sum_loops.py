"""Loops over the sums of plots. Text for `agrocredit.loops`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def fill_rows(
    rows: NDArray[np.float64],
    plots: NDArray[np.int64],
    sums: NDArray[np.float64],
    weights: NDArray[np.float64],
    clear: NDArray[np.float64],
    area_px: NDArray[np.float64],
    count_pixels: float,
    valid_fraction_min: float,
) -> None:
    """Write share, count and means of the plots after a first column, (plots, 3 + indices).

    `count_pixels` is what a grid pixel counts; where less than `valid_fraction_min` of a plot is seen it has no mean.
    """
    for row in range(plots.size):
        plot = plots[row]
        valid_fraction = min(clear[plot] / area_px[plot], 1.0)
        rows[row, 1] = valid_fraction
        rows[row, 2] = clear[plot] * count_pixels
        for k in range(sums.shape[1]):
            if weights[plot, k] <= 0 or valid_fraction < valid_fraction_min:
                rows[row, 3 + k] = np.nan
            else:
                rows[row, 3 + k] = sums[plot, k] / weights[plot, k]
