"""Named features of an area's season: means, sums and excesses of daily or monthly series over months or steps.

A feature is stated in a training file, kept in the release, and computed here for training and for prediction alike.
What is dated after the day of knowledge is left out first; a feature with fewer values than it asks for is unknown
(NaN), never half known. So an estimate in April reads April's weather as soon as April is (nearly) over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

FEATURES_VERSION: Final = 1
"""Rises whenever the same statement would give other numbers; a release made under another one is refused."""

Statistic = Literal["mean", "sum", "max", "min", "excess", "shortfall", "share_above"]
"""``excess`` is the mean of what lies above the threshold, ``shortfall`` the mean of what lies below it."""

Scale = Literal["linear", "root", "log"]
"""``root`` and ``log`` (of 1 + x) tame sums of rain, whose first millimetres matter most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureConfig:
    """A family of features: one statistic of one variable, over each of some months or steps, or the whole season."""

    name: str
    """A month's or step's feature is called ``name_04``."""
    variable: str
    """Column of the series."""
    statistic: Statistic = "mean"
    threshold: float = 0.0
    """Of ``excess``, ``shortfall`` and ``share_above``, in the variable's unit."""
    scale: Scale = "linear"
    months: tuple[int, ...] = ()
    """Calendar months, one feature each; empty for the whole season."""
    together: bool = False
    """One feature over all the months instead."""
    steps: tuple[int, ...] = ()
    """Steps of a series without dates, one feature each."""
    rows_min: int = 1
    """Fewest values a feature needs to be known."""

    def __post_init__(self) -> None:
        kinds = self.statistic in get_args(Statistic) and self.scale in get_args(Scale)
        months = all(1 <= month <= 12 for month in self.months) and not (self.months and self.steps)
        months = months and (bool(self.months) or not self.together)
        if not (self.name and self.variable and kinds and months and self.rows_min >= 1):
            raise InputUnusableError("config_invalid", f"feature out of range: {self}")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the family's features, in order."""
        parts = self.months or self.steps
        return (self.name,) if self.together or not parts else tuple(f"{self.name}_{part:02d}" for part in parts)


def feature_from(stated: Mapping[str, Any]) -> FeatureConfig:
    """Return a feature as a TOML table states it.

    Raises
    ------
    TypeError
        For a key that no feature has.
    """
    settings: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in stated.items()
    }
    return FeatureConfig(**settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRows:
    """A series of many areas and seasons, long form: arrays over r rows."""

    row: NDArray[np.int64]
    """Which area-year each value belongs to."""
    month: NDArray[np.int64]
    """Calendar month, 0 without a date."""
    step: NDArray[np.int64]
    """Step of a series without dates, else -1."""
    days: NDArray[np.datetime64]
    """Day the value was complete; NaT without a date."""
    values: Mapping[str, NDArray[np.float32]]
    """Variables by name; NaN where nothing was measured."""

    def until(self, as_of: NDArray[np.datetime64]) -> SeriesRows:
        """Return what was known at the end of each area-year's day (n,); a value without a date was not."""
        kept = self.days <= as_of[self.row]
        return SeriesRows(
            row=self.row[kept],
            month=self.month[kept],
            step=self.step[kept],
            days=self.days[kept],
            values={name: values[kept] for name, values in self.values.items()},
        )


def feature_names(features: Sequence[FeatureConfig]) -> tuple[str, ...]:
    """Return the names of all features, in the order of the columns.

    Raises
    ------
    InputUnusableError
        ``config_invalid`` for a name that stands twice.
    """
    names = tuple(name for feature in features for name in feature.names)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputUnusableError("config_invalid", f"features stated twice: {', '.join(twice)}")
    return names


def feature_table(series: SeriesRows, *, n: int, features: Sequence[FeatureConfig]) -> NDArray[np.float64]:
    """Return features (n, k) of n area-years; NaN where too little was measured.

    Parameters
    ----------
    series : SeriesRows
        Cut at the day of knowledge by `SeriesRows.until`.
    n : int
        Area-years that `series.row` counts.
    features : sequence of FeatureConfig
        A variable that the series lacks gives NaN.
    """
    columns: list[NDArray[np.float64]] = []
    month_rows = {month: np.flatnonzero(series.month == month) for month in {m for f in features for m in f.months}}
    for feature in features:
        values = series.values.get(feature.variable)
        if values is None:
            columns += [np.full(n, np.nan)] * len(feature.names)
        elif feature.together:
            inside = np.concatenate([month_rows[month] for month in feature.months])
            columns.append(_column(feature, series, values, inside, n))
        elif feature.months:
            columns += [_column(feature, series, values, month_rows[month], n) for month in feature.months]
        elif feature.steps:
            columns += [
                _column(feature, series, values, np.flatnonzero(series.step == step), n) for step in feature.steps
            ]
        else:
            columns.append(_column(feature, series, values, np.arange(len(values)), n))
    return np.column_stack(columns) if columns else np.empty((n, 0))


def _column(
    feature: FeatureConfig, series: SeriesRows, values: NDArray[np.float32], inside: NDArray[np.intp], n: int
) -> NDArray[np.float64]:
    measured = values[inside].astype(np.float64)
    known = np.isfinite(measured)
    measured, row = measured[known], series.row[inside][known]
    count = np.bincount(row, minlength=n)
    result = _statistic(feature, measured, row, count)
    result[count < feature.rows_min] = np.nan
    if feature.scale == "linear":
        return result
    return np.sqrt(np.maximum(result, 0.0)) if feature.scale == "root" else np.log1p(np.maximum(result, 0.0))


def _statistic(
    feature: FeatureConfig, values: NDArray[np.float64], row: NDArray[np.int64], count: NDArray[np.int64]
) -> NDArray[np.float64]:
    if feature.statistic in {"max", "min"}:
        start = -np.inf if feature.statistic == "max" else np.inf
        extreme = np.full(count.size, start)
        (np.maximum if feature.statistic == "max" else np.minimum).at(extreme, row, values)
        return extreme
    beyond = values - feature.threshold
    weights = {
        "mean": values,
        "sum": values,
        "excess": np.maximum(beyond, 0.0),
        "shortfall": np.maximum(-beyond, 0.0),
        "share_above": (beyond > 0).astype(np.float64),
    }[feature.statistic]
    total: NDArray[np.float64] = np.bincount(row, weights=weights, minlength=count.size).astype(np.float64)
    return total if feature.statistic == "sum" else total / np.maximum(count, 1)
