"""Dates, heights and sums of a season, read off its curve.

Definitions follow TIMESAT (Jonsson & Eklundh 2004, doi:10.1016/j.cageo.2004.05.006): each limb has its own foot, the
lowest value before and after the peak, and the season starts and ends where its limb crosses a share of the way from
that foot to the peak. Unlike there, a season may still be open: what has not been seen yet is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from agrocredit.domain.errors import WrongUsageError
from agrocredit.features.limbs import COLUMNS, measure_all

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Where limbs are read. Shares of the way from a limb's foot to the peak."""

    start_share: float = 0.2
    """Start and end of season; TIMESAT's usual 20 %."""
    slope_share: float = 0.8
    """Slopes are taken between `start_share` and this, as in TIMESAT."""
    complete_share: float = 0.5
    """The fall has been seen once the curve lost this share of its rise ..."""
    fall_min: float = 0.25
    """... and at least this much, in units of the index: a rise seen late must not make a dent a harvest."""

    def __post_init__(self) -> None:
        if not 0 < self.start_share < self.slope_share < 1 or not 0 < self.complete_share <= 1 or not self.fall_min > 0:
            raise WrongUsageError("thresholds_invalid", f"{self}: shares must rise within 0 to 1, fall_min above 0")


DEFAULT_THRESHOLDS = Thresholds()


def phenology(
    dataset: xr.Dataset, *, channel: str = "ndvi", thresholds: Thresholds = DEFAULT_THRESHOLDS
) -> pd.DataFrame:
    """Return one row of season measures a plot.

    Parameters
    ----------
    dataset : Dataset
        As `assemble_season` returns it: ``curve`` (plot, step, channel), ``last_clear`` (plot,), coordinate ``day``
        (step,), attribute ``as_of``.
    channel : str
        The index to read.
    thresholds : Thresholds
        Where limbs are read.

    Returns
    -------
    DataFrame
        Indexed by plot. ``base`` (foot of the rise, or of the fall where no rise was seen), ``peak``, ``amplitude`` in
        units of the index; ``start_day``, ``half_rise_day``, ``peak_day``, ``half_fall_day``, ``end_day`` in days since
        season start; ``length_days``; ``rise_per_day`` and ``fall_per_day``, both positive, index per day;
        ``integral_index_days`` (area above 0) and ``integral_above_base_index_days``, over all steps with a value;
        ``complete`` (bool, whether the fall has been seen) and ``days_since_clear`` at `as_of`. NaN where fewer than
        3 steps have a value, where a limb was not seen, and at the end of a season that is still open.

    Raises
    ------
    WrongUsageError
        ``channel_unknown``, naming the channels there are.
    """
    channels = [str(name) for name in dataset["channel"].to_numpy()]
    if channel not in channels:
        raise WrongUsageError("channel_unknown", f"no channel {channel}; found {', '.join(channels)}")
    curve = dataset["curve"].transpose("plot", "step", "channel").to_numpy()[:, :, channels.index(channel)]
    measures = np.full((curve.shape[0], len(COLUMNS)), np.nan)
    measure_all(
        dataset["day"].to_numpy().astype(np.float64),
        np.ascontiguousarray(curve, np.float64),
        np.array(
            [thresholds.start_share, thresholds.slope_share, thresholds.complete_share, thresholds.fall_min], np.float64
        ),
        measures,
    )
    table = pd.DataFrame(measures, columns=list(COLUMNS), index=pd.Index(dataset["plot"].to_numpy(), name="plot_id"))
    since_clear = np.datetime64(dataset.attrs["as_of"], "D") - dataset["last_clear"].to_numpy().astype("datetime64[D]")
    return table.assign(complete=table["complete"] == 1.0, days_since_clear=since_clear / np.timedelta64(1, "D"))
