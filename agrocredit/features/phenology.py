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
from agrocredit.features.compiled import compiled
from agrocredit.features.limbs import area_above, fall_day, rise_day, summit

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]

COLUMNS = (
    "base",
    "peak",
    "amplitude",
    "start_day",
    "half_rise_day",
    "peak_day",
    "half_fall_day",
    "end_day",
    "length_days",
    "rise_per_day",
    "fall_per_day",
    "integral_index_days",
    "integral_above_base_index_days",
    "complete",
)
POINTS_MIN = 3
"""A peak needs a point on either side."""


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
    _measure_all(
        dataset["day"].to_numpy().astype(np.float64),
        np.ascontiguousarray(curve, np.float64),
        np.array([thresholds.start_share, thresholds.slope_share, thresholds.complete_share, thresholds.fall_min]),
        measures,
    )
    table = pd.DataFrame(measures, columns=list(COLUMNS), index=pd.Index(dataset["plot"].to_numpy(), name="plot_id"))
    since_clear = np.datetime64(dataset.attrs["as_of"], "D") - dataset["last_clear"].to_numpy().astype("datetime64[D]")
    return table.assign(complete=table["complete"] == 1.0, days_since_clear=since_clear / np.timedelta64(1, "D"))


@compiled
def _measure_all(days: Doubles, curves: Doubles, shares: Doubles, out: Doubles) -> None:
    """Fill `out` (plot, measure) from `curves` (plot, step), leaving out steps without value."""
    for p in range(curves.shape[0]):
        known = np.isfinite(curves[p]) & np.isfinite(days)
        if known.sum() >= POINTS_MIN:
            _measure(days[known], curves[p][known], shares, out[p])


@compiled
def _measure(days: Doubles, curve: Doubles, shares: Doubles, out: Doubles) -> None:
    """Fill the measures of one curve without gaps, in the order of `COLUMNS`."""
    start_share, slope_share, complete_share, fall_min = shares
    top = int(np.argmax(curve))
    peak_day, peak = summit(days, curve, top)
    foot_left, foot_right = curve[: top + 1].min(), curve[top:].min()
    rise, fall = peak - foot_left, peak - foot_right
    base = foot_left if top > 0 else foot_right
    complete = fall >= max(complete_share * rise, fall_min)
    start = rise_day(days, curve, top, foot_left + start_share * rise)
    steep = rise_day(days, curve, top, foot_left + slope_share * rise)
    out[0], out[1], out[2] = base, peak, peak - base
    out[3] = start
    out[4] = rise_day(days, curve, top, foot_left + 0.5 * rise)
    out[5] = peak_day
    if complete:
        end = fall_day(days, curve, top, foot_right + start_share * fall)
        out[6] = fall_day(days, curve, top, foot_right + 0.5 * fall)
        out[7], out[8] = end, end - start
        steep_end = fall_day(days, curve, top, foot_right + slope_share * fall)
        out[10] = (slope_share - start_share) * fall / (end - steep_end)
    if steep > start:
        out[9] = (slope_share - start_share) * rise / (steep - start)
    out[11], out[12] = area_above(days, curve, 0.0), area_above(days, curve, base)
    out[13] = 1.0 if complete else 0.0
