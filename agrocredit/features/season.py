"""A season's curves as one labelled dataset, from a table of observations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from agrocredit.domain.errors import WrongUsageError
from agrocredit.features.arrays import CHUNK_PLOTS, DEFAULT_SMOOTHING, SeasonArrays, assemble_arrays
from agrocredit.features.axis import StepAxis, calendar_axis, thermal_axis
from agrocredit.features.evidence import count_evidence
from agrocredit.features.looks import Looks, gather_looks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd

    from agrocredit.domain.crop import Season
    from agrocredit.features.settings import Smoothing

STEPS = 36
GUIDE = "ndvi"
"""The index by which hazy looks are known, where it is among the channels."""


def assemble_season(
    observations: pd.DataFrame,
    *,
    plot_ids: Sequence[str],
    season: Season,
    indices: Sequence[str],
    as_of: date,
    thermal_time: pd.Series | None = None,
    thermal_total_c_day: float | None = None,
    steps: int = STEPS,
    clear_fraction_min: float = 0.5,
    smoothing: Smoothing = DEFAULT_SMOOTHING,
) -> xr.Dataset:
    """Return smooth curves of every plot at the steps of a season, with what they rest on.

    Parameters
    ----------
    observations : DataFrame
        Rows of the observations table, in any order.
    plot_ids : sequence of str
        Plots in output order; a plot without rows comes back all NaN with 0 clear observations.
    season : Season
        Half-open range of dates.
    indices : sequence of str
        Index columns, lower case: the channels.
    as_of : date
        Day of knowledge: nothing acquired later enters, later steps are NaN.
    thermal_time : Series, optional
        Cumulative degree days since season start by date; makes the axis thermal. Days after `as_of` are not read.
    thermal_total_c_day : float, optional
        Degree days that the steps of a thermal axis share out; needed with `thermal_time`.
    steps : int
        Number of steps.
    clear_fraction_min : float
        Share of a plot seen clear from which a look counts in `clear_observations`, above 0 to 1.
    smoothing : Smoothing
        The numbers of smoothing.

    Returns
    -------
    Dataset
        ``curve`` (plot, step, channel) and ``gap_days``, ``long_gap``, ``seen`` (plot, step); a plot each
        ``observations``, ``clear_observations``, ``first_clear``, ``last_clear``, ``pixel_count``, ``valid_fraction``;
        coordinates ``plot``, ``channel``, ``day`` and, on a thermal axis, ``thermal_time``. Attributes name the season,
        the axis and `as_of`. Two acquisitions of one day (UTC) are one look.

    Raises
    ------
    InputUnusableError
        ``column_missing``, ``column_type_invalid``, ``value_missing`` or ``thermal_time_invalid``.
    WrongUsageError
        ``plot_id_repeated``, ``index_missing``, ``axis_invalid`` or ``clear_fraction_invalid``.
    """
    if not 0 < clear_fraction_min <= 1:
        raise WrongUsageError(
            "clear_fraction_invalid", f"clear_fraction_min {clear_fraction_min}, expected above 0 to 1"
        )
    axis = _axis(season, thermal_time, thermal_total_c_day, steps, as_of)
    looks = gather_looks(observations, plot_ids=plot_ids, season=season, indices=indices, as_of=as_of)
    until_day = (as_of - season.start_on).days
    arrays = _draw(looks, len(plot_ids), axis, season, until_day, _guide(indices), smoothing)
    evidence = count_evidence(
        looks, plots=len(plot_ids), start_on=season.start_on, clear_fraction_min=clear_fraction_min
    )
    return _label(arrays, evidence, axis, plot_ids, indices, season, as_of)


def _axis(season: Season, thermal_time: pd.Series | None, total: float | None, steps: int, as_of: date) -> StepAxis:
    if thermal_time is None:
        return calendar_axis(season, steps=steps)
    if total is None:
        raise WrongUsageError("axis_invalid", "thermal_time without thermal_total_c_day; a thermal axis needs both")
    return thermal_axis(season, thermal_time=thermal_time, total_c_day=total, steps=steps, as_of=as_of)


def _guide(indices: Sequence[str]) -> int | None:
    return list(indices).index(GUIDE) if GUIDE in indices else None


def _draw(
    looks: Looks,
    plots: int,
    axis: StepAxis,
    season: Season,
    until_day: int,
    guide: int | None,
    smoothing: Smoothing,
) -> SeasonArrays:
    """Spread the looks over (plot, time) some plots at a time and draw them."""
    days = np.unique(looks.day)
    out = SeasonArrays.empty(plots, axis.day.size, looks.index_values.shape[1])
    for first in range(0, plots, CHUNK_PLOTS):
        values, weights = looks.spread(days, first=first, count=min(CHUNK_PLOTS, plots - first))
        part = assemble_arrays(
            values,
            weights,
            days.astype(np.float64),
            step_days=axis.day,
            length_days=(season.end_on - season.start_on).days,
            until_day=until_day,
            guide=guide,
            smoothing=smoothing,
        )
        out.put(part, first=first)
    return out


def _label(
    arrays: SeasonArrays,
    evidence: xr.Dataset,
    axis: StepAxis,
    plot_ids: Sequence[str],
    indices: Sequence[str],
    season: Season,
    as_of: date,
) -> xr.Dataset:
    """Return the dataset with coordinates, units and names."""
    cell, units = ("plot", "step"), "units"
    variables = {
        "curve": (("plot", "step", "channel"), arrays.curve, {units: "1", "long_name": "smoothed spectral index"}),
        "gap_days": (cell, arrays.gap_days, {units: "days", "long_name": "distance to the nearest look"}),
        "long_gap": (cell, arrays.long_gap, {units: "1", "long_name": "step lies in a long gap or outside the looks"}),
        "seen": (cell, arrays.seen, {units: "1", "long_name": "weight of evidence around the step, 0 to 1"}),
    }
    dataset = (
        xr.Dataset(variables)
        .merge(evidence)
        .assign_coords(
            plot=("plot", np.asarray(plot_ids, dtype=object), {"long_name": "plot id"}),
            channel=("channel", np.asarray(indices, dtype=object), {"long_name": "spectral index"}),
            day=("step", axis.day, {units: "days", "long_name": f"days since {season.start_on}, middle of the step"}),
        )
    )
    if axis.thermal_time_c_day is not None:
        attrs = {units: "degC day", "long_name": "thermal time since season start, middle of the step"}
        dataset = dataset.assign_coords(thermal_time=("step", axis.thermal_time_c_day, attrs))
        dataset = dataset.assign_attrs(thermal_total_c_day=axis.thermal_total_c_day)
    return dataset.assign_attrs(
        season=season.label,
        start_on=season.start_on.isoformat(),
        end_on=season.end_on.isoformat(),
        as_of=as_of.isoformat(),
        axis=axis.kind,
    )
