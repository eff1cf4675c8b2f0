"""How often, when and how well each plot was seen: the counts that stand beside every estimate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from agrocredit.features.looks import Looks


def count_evidence(looks: Looks, *, plots: int, start_on: date, clear_fraction_min: float) -> xr.Dataset:
    """Return counts and dates of clear looks a plot.

    Parameters
    ----------
    looks : Looks
        The season's looks, one a plot and day.
    plots : int
        Number of plots; those without looks have counts 0, no dates and NaN pixels.
    start_on : date
        Day 0 of the looks.
    clear_fraction_min : float
        Share of a plot seen clear from which a look counts as clear; it must also have a value for some index.

    Returns
    -------
    Dataset
        All (plot,): ``observations``, ``clear_observations``, ``first_clear``, ``last_clear``, ``pixel_count``
        (median of clear looks), ``valid_fraction`` (largest, 0 without any look).
    """
    clear = (looks.valid_fraction >= clear_fraction_min) & np.isfinite(looks.index_values).any(axis=1)
    plot, day = looks.plot[clear], looks.day[clear]
    start = np.datetime64(start_on, "D")
    first, last = (np.full(plots, np.datetime64("NaT", "ns")) for _ in range(2))
    # Looks are sorted by plot and day: written backwards the first stays, forwards the last.
    first[plot[::-1]] = start + day[::-1].astype("timedelta64[D]")
    last[plot] = start + day.astype("timedelta64[D]")
    best = np.zeros(plots)
    np.maximum.at(best, looks.plot, looks.valid_fraction)
    return xr.Dataset(
        {
            "observations": _a_plot(np.bincount(looks.plot, minlength=plots), "1", "looks, clear or not"),
            "clear_observations": _a_plot(
                np.bincount(plot, minlength=plots), "1", f"looks with valid_fraction of {clear_fraction_min} or more"
            ),
            "first_clear": _a_plot(first, None, "day of the first clear look"),
            "last_clear": _a_plot(last, None, "day of the last clear look"),
            "pixel_count": _a_plot(_medians(plot, looks.pixel_count[clear], plots), "1", "median clear 10 m pixels"),
            "valid_fraction": _a_plot(best, "1", "largest share of the plot seen clear"),
        }
    )


def _medians(plot: NDArray[np.int64], pixel_count: NDArray[np.float64], plots: int) -> NDArray[np.float64]:
    medians = np.full(plots, np.nan)
    grouped = pd.Series(pixel_count).groupby(plot).median()
    medians[grouped.index.to_numpy(np.int64)] = grouped.to_numpy()
    return medians


def _a_plot(values: NDArray[np.generic], units: str | None, long_name: str) -> xr.Variable:
    """Return a variable along plots; dates carry no units, xarray writes them itself."""
    attrs = {"long_name": long_name} if units is None else {"units": units, "long_name": long_name}
    return xr.Variable(("plot",), values, attrs)
