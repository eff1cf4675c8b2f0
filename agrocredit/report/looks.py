"""A plot's looks from space: when, how much of it was seen, what the index was, and how long nothing clear came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.tables import observations as observations_schema
from agrocredit.report.inputs import Table, checked_frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

EPOCH = date(1970, 1, 1)


def date_of(day_number: int) -> date:
    """Return the date of a count of days since 1970-01-01."""
    return EPOCH + timedelta(days=int(day_number))


def number_of(on: date) -> int:
    """Return a date as days since 1970-01-01."""
    return (on - EPOCH).days


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """All looks at one plot, in order of time; three arrays of one length."""

    days: NDArray[np.int64]
    """UTC dates as days since 1970-01-01."""
    fractions: NDArray[np.float64]
    """Share of the plot seen clear, 0 to 1."""
    values: NDArray[np.float64]
    """The index; NaN where too little was seen to state it."""

    def __len__(self) -> int:
        return len(self.days)

    def clear(self, fraction_min: float) -> NDArray[np.bool_]:
        """Return which looks have a value and show at least this share of the plot."""
        return np.isfinite(self.values) & (self.fractions >= fraction_min)

    @property
    def seen(self) -> bool:
        """True where at least one look has a value."""
        return bool(np.isfinite(self.values).any())


NO_LOOKS = Looks(days=np.empty(0, dtype=np.int64), fractions=np.empty(0), values=np.empty(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A time without a clear look; both ends are days since 1970-01-01, a clear look or an end of the run."""

    first_day: int
    last_day: int

    @property
    def length_days(self) -> int:
        """Days from the last clear look to the next."""
        return self.last_day - self.first_day


def gaps(looks: Looks, *, window: tuple[int, int], clear_fraction_min: float, gap_days_min: int) -> tuple[Gap, ...]:
    """Return the times of at least `gap_days_min` days without a clear look, from the run's first day to its last.

    Parameters
    ----------
    looks : Looks
    window : (int, int)
        First and last day of any acquisition of the run, as days since 1970-01-01.
    clear_fraction_min : float
        Share of the plot that a clear look shows.
    gap_days_min : int
        Shorter gaps are left out.
    """
    clear_days = looks.days[looks.clear(clear_fraction_min)].tolist()
    stops = sorted({window[0], *clear_days, window[1]})
    return tuple(Gap(first_day=first, last_day=last) for first, last in pairwise(stops) if last - first >= gap_days_min)


def looks_by_plot(table: Table | None, *, index: str) -> dict[str, Looks]:
    """Return the looks at each plot of an observations table.

    Parameters
    ----------
    table : DataFrame, pyarrow Table or None
        Observations in any row order.
    index : str
        Index column, lower case.

    Raises
    ------
    InputUnusableError
        ``column_missing`` where the table has no such index, or what `checked_frame` raises.
    """
    columns = [] if table is None else list(table.column_names if hasattr(table, "column_names") else table.columns)
    if table is not None and len(table) and index not in columns:
        raise InputUnusableError("column_missing", f"observations: no index {index}; found {', '.join(columns)}")
    frame = checked_frame(table, observations_schema([index]), name="observations")
    if frame is None:
        return {}
    frame = frame.sort_values(["plot_id", "acquired_at", "scene_id"], kind="stable")
    days = frame["acquired_at"].dt.tz_convert(None).to_numpy().astype("datetime64[D]").astype(np.int64)
    fractions = frame["valid_fraction"].to_numpy(dtype=np.float64)
    values = frame[index].to_numpy(dtype=np.float64)
    ids, starts = np.unique(frame["plot_id"].to_numpy(dtype=object).astype(str), return_index=True)
    pieces = zip(ids, pairwise([*starts.tolist(), len(frame)]), strict=True)
    return {
        str(plot_id): Looks(days=days[start:end], fractions=fractions[start:end], values=values[start:end])
        for plot_id, (start, end) in pieces
    }
