"""From rows of an observations table to looks: one value a plot, day and index, in a fixed order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from agrocredit.domain.errors import InputUnusableError, WrongUsageError
from agrocredit.domain.tables import OBSERVATION_KEYS, VALID_FRACTION_MIN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from agrocredit.domain.crop import Season

    Doubles = NDArray[np.float64]
    Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """Looks at plots, sorted by plot and day, one a pair; all arrays (look, ...)."""

    plot: Integers
    """Position of the plot in the caller's order."""
    day: Integers
    """Days since season start, UTC."""
    index_values: Doubles
    """(look, channel) weighted mean of the day's acquisitions; NaN where none has the index."""
    valid_fraction: Doubles
    """Share of the plot seen clear on the day, 0 to 1: of several acquisitions the clearest."""
    pixel_count: Doubles
    """Clear 10 m pixels of the clearest acquisition."""

    def spread(self, days: Integers, *, first: int, count: int) -> tuple[Doubles, Doubles]:
        """Return index values (plot, time, channel) and valid fractions (plot, time) of `count` plots from `first` on.

        `days` (time,) are the days of all looks, sorted; NaN and 0 stand where a plot has no look on a day.
        """
        rows = slice(*np.searchsorted(self.plot, (first, first + count)))
        values = np.full((count, days.size, self.index_values.shape[1]), np.nan)
        weights = np.zeros((count, days.size))
        at = (self.plot[rows] - first, np.searchsorted(days, self.day[rows]))
        values[at], weights[at] = self.index_values[rows], self.valid_fraction[rows]
        return values, weights


def gather_looks(
    observations: pd.DataFrame, *, plot_ids: Sequence[str], season: Season, indices: Sequence[str], as_of: date
) -> Looks:
    """Return the season's looks known on `as_of`.

    Parameters
    ----------
    observations : DataFrame
        Rows of the observations table (`agrocredit.domain.tables.observations`), in any order; plots that were not
        asked for are left out.
    plot_ids : sequence of str
        Plots wanted, each once.
    season : Season
        Rows from its start to the day before its end are used.
    indices : sequence of str
        Index columns, lower case, in channel order.
    as_of : date
        Rows acquired after this day (UTC) are not used.

    Raises
    ------
    InputUnusableError
        ``column_missing``, ``column_type_invalid`` or ``value_missing``, naming the column.
    WrongUsageError
        ``plot_id_repeated``, or ``index_missing`` if no index is asked for.
    """
    if not indices:
        raise WrongUsageError("index_missing", "no index asked for; expected at least one column")
    _check_columns(observations, indices)
    plots = pd.Index(np.asarray(plot_ids, dtype=object))
    if not plots.is_unique:
        raise WrongUsageError("plot_id_repeated", f"plot {plots[plots.duplicated()][0]} is asked for more than once")
    plot = plots.get_indexer(pd.Index(observations["plot_id"].to_numpy(dtype=object)))
    day = _days(observations["acquired_at"], season)
    days_known = min((season.end_on - season.start_on).days - 1, (as_of - season.start_on).days)
    used = np.flatnonzero((plot >= 0) & (day >= 0) & (day <= days_known))
    rows = observations.iloc[used]
    # Ties on plot and time are broken by scene, so that the order of rows changes no sum.
    order = np.lexsort((_codes(rows["scene_id"]), _instants(rows["acquired_at"]), plot[used]))
    return _combine(rows.iloc[order], plot[used][order], day[used][order], indices)


def _combine(rows: pd.DataFrame, plot: Integers, day: Integers, indices: Sequence[str]) -> Looks:
    """Return one look a plot and day; `rows` are sorted by plot and time."""
    fraction = np.clip(np.nan_to_num(rows["valid_fraction"].to_numpy(np.float64)), 0.0, 1.0)
    trust = np.where(fraction >= VALID_FRACTION_MIN, fraction, 0.0)
    pixels = rows["pixel_count"].to_numpy(np.float64)
    if plot.size == 0:
        return Looks(
            plot=plot, day=day, index_values=np.empty((0, len(indices))), valid_fraction=fraction, pixel_count=pixels
        )
    starts = np.flatnonzero(np.concatenate(([True], (np.diff(plot) != 0) | (np.diff(day) != 0))))
    values = np.empty((starts.size, len(indices)))
    for channel, name in enumerate(indices):
        column = rows[name].to_numpy(np.float64, na_value=np.nan)
        weight = np.where(np.isfinite(column), trust, 0.0)
        total = np.add.reduceat(weight, starts)
        summed = np.add.reduceat(weight * np.where(weight > 0, column, 0.0), starts)
        values[:, channel] = np.divide(summed, total, out=np.full(starts.size, np.nan), where=total > 0)
    return Looks(
        plot=plot[starts],
        day=day[starts],
        index_values=values,
        valid_fraction=np.maximum.reduceat(fraction, starts),
        pixel_count=np.fmax.reduceat(pixels, starts),
    )


def _check_columns(observations: pd.DataFrame, indices: Sequence[str]) -> None:
    wanted = [*OBSERVATION_KEYS.names, *indices]
    missing = [name for name in wanted if name not in observations.columns]
    if missing:
        raise InputUnusableError(
            "column_missing", f"observations: no column {', '.join(missing)}; found {', '.join(observations.columns)}"
        )
    for name in wanted[3:]:
        if not pd.api.types.is_numeric_dtype(observations[name].dtype):
            raise InputUnusableError(
                "column_type_invalid", f"observations: column {name} is {observations[name].dtype}, expected numbers"
            )
    instants = observations["acquired_at"]
    if not isinstance(instants.dtype, pd.DatetimeTZDtype):
        raise InputUnusableError(
            "column_type_invalid", f"observations: column acquired_at is {instants.dtype}, expected instants in UTC"
        )
    for name in ("plot_id", "acquired_at"):
        if observations[name].isna().any():
            raise InputUnusableError(
                "value_missing", f"observations: {int(observations[name].isna().sum())} rows without {name}"
            )


def _instants(acquired_at: pd.Series) -> Integers:
    """Return microseconds since 1970, UTC."""
    return acquired_at.to_numpy("datetime64[us]").astype(np.int64)


def _days(acquired_at: pd.Series, season: Season) -> Integers:
    """Return days since season start, negative before it."""
    start = np.datetime64(season.start_on, "D")
    return (acquired_at.to_numpy("datetime64[D]") - start).astype(np.int64)


def _codes(texts: pd.Series) -> Integers:
    """Return the rank of each text among the sorted distinct texts."""
    return np.asarray(pd.factorize(texts, sort=True)[0], np.int64)
