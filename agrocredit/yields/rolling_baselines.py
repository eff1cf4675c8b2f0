"""What a careful person would use instead of a model: means, trends, ridge regression and gradient boosting.

Rolling origin: a year is answered from harvests of earlier years only, as it would have been in that year. So are the
intervals: they are the quantiles of the errors that the same baseline made in the years before, each answered from its
own past; where fewer than `ERROR_YEARS_MIN` such years exist, the residuals of the fit stand in, which are too small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from agrocredit.domain.estimate import QUANTILE_LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from agrocredit.yields.area.rows import AreaRows

    Doubles = NDArray[np.float64]

YEARS_MIN: Final = 2
"""Fewer years of earlier harvests answer nothing."""

TREND_YEARS_MIN: Final = 5
"""A slope out of fewer years is luck; the mean stands in."""

ERROR_YEARS_MIN: Final = 3
ERROR_YEARS_MAX: Final = 10
"""Years before the answered one whose errors make the interval."""

RIDGE_PENALTIES: Final = tuple(10.0**power for power in range(-1, 6))
_MEDIAN = QUANTILE_LEVELS.index(0.50)


def rolling_baselines(rows: AreaRows, *, years: Sequence[int]) -> dict[str, Doubles]:
    """Return the quantiles (n, 7) in t/ha of every baseline for the rows of some years; NaN for all other rows.

    ``mean``: of the unit's earlier harvests, else of its region's, else of all. ``climatology``: the quantiles of its
    region's earlier harvests. ``pooled_trend``: the unit's mean, carried on by one slope for all. ``county_trend``:
    each unit's own line. ``ridge`` and ``gradient_boosting``: on the features, the year and the unit's mean; the
    penalty is chosen by generalised cross-validation, all other settings are the library's.

    Parameters
    ----------
    rows : AreaRows
        Harvests of the years asked about and of all earlier ones that are known. A row without any feature serves the
        means and trends only.
    years : sequence of int
        Harvest years to answer.
    """
    answers = {"climatology": _climatology(rows, years)}
    for name, fit in _BASELINES.items():
        answers[name] = _rolled(fit, rows, years, needs_features=name in _ON_FEATURES)
    return answers


def _rolled(fit: Fit, rows: AreaRows, years: Sequence[int], *, needs_features: bool) -> Doubles:
    """Return the baseline's answers with intervals out of its own errors of earlier years."""
    usable = np.isfinite(rows.yields_t_ha)
    if needs_features:
        usable &= np.isfinite(rows.features).any(axis=1)
    quantiles = np.full((len(rows), len(QUANTILE_LEVELS)), np.nan)
    errors: dict[int, Doubles] = {}
    for year in [year for year in _with_error_years(rows, years) if year <= max(years, default=0)]:
        past, now = usable & (rows.harvest_years < year), rows.harvest_years == year
        if needs_features:
            now &= np.isfinite(rows.features).any(axis=1)
        if np.unique(rows.harvest_years[past]).size < YEARS_MIN or not now.any():
            continue
        before = rows.take(past)
        middle, inside = fit(before, rows.take(now))
        if year in years:
            recent = [errors[one] for one in sorted(errors)[-ERROR_YEARS_MAX:]]
            made = np.concatenate(recent) if len(recent) >= ERROR_YEARS_MIN else before.yields_t_ha - inside
            quantiles[now] = _around(middle, made)
        made_now = rows.yields_t_ha[now] - middle
        errors[year] = made_now[np.isfinite(made_now)]
    return quantiles


def _with_error_years(rows: AreaRows, years: Sequence[int]) -> list[int]:
    """Return the years to fit for, in order: those asked about, and those before that make the first interval."""
    asked = sorted(set(years))
    known = sorted(set(rows.harvest_years.tolist()) - set(asked))
    earlier = [year for year in known if asked and year < asked[0]]
    between = [year for year in known if asked and asked[0] < year < asked[-1]]
    return sorted([*earlier[-ERROR_YEARS_MAX:], *between, *asked])


def _around(middle: Doubles, errors: Doubles) -> Doubles:
    """Return quantiles around the baseline's own answer, which stays the middle however one-sided its errors were."""
    spread = np.quantile(errors, QUANTILE_LEVELS)
    spread[: _MEDIAN + 1] = np.minimum(spread[: _MEDIAN + 1], 0.0)
    spread[_MEDIAN:] = np.maximum(spread[_MEDIAN:], 0.0)
    spread[_MEDIAN] = 0.0
    return np.maximum(middle[:, None] + spread, 0.0)


def _climatology(rows: AreaRows, years: Sequence[int]) -> Doubles:
    quantiles = np.full((len(rows), len(QUANTILE_LEVELS)), np.nan)
    known = np.isfinite(rows.yields_t_ha)
    for year in sorted(set(years)):
        past = known & (rows.harvest_years < year)
        for region in sorted(set(rows.regions[rows.harvest_years == year].tolist())):
            brought = rows.yields_t_ha[past & (rows.regions == region)]
            if np.unique(rows.harvest_years[past & (rows.regions == region)]).size >= YEARS_MIN:
                asked = (rows.harvest_years == year) & (rows.regions == region)
                quantiles[asked] = np.quantile(brought, QUANTILE_LEVELS)
    return quantiles


def _mean(past: AreaRows, now: AreaRows) -> tuple[Doubles, Doubles]:
    return _unit_means(past, now, past.yields_t_ha), _earlier_means(past, past.yields_t_ha)


def _pooled_trend(past: AreaRows, now: AreaRows) -> tuple[Doubles, Doubles]:
    """Return the trend's answers, and what it says of each past row from those before."""
    brought, years = past.yields_t_ha, past.harvest_years.astype(np.float64)
    since = years - _unit_means(past, past, years)
    rest = brought - _unit_means(past, past, brought)
    enough = np.unique(years).size >= TREND_YEARS_MIN and (since**2).sum() > 0
    slope = float((since * rest).sum() / (since**2).sum()) if enough else 0.0
    ahead = now.harvest_years - _unit_means(past, now, years)
    inside = _earlier_means(past, brought) + slope * (years - _earlier_means(past, years))
    return _unit_means(past, now, brought) + slope * ahead, inside


def _county_trend(past: AreaRows, now: AreaRows) -> tuple[Doubles, Doubles]:
    """Return each unit's own line, the pooled trend where its harvests are too few for one."""
    names, place = np.unique(past.units.astype(str), return_inverse=True)
    years = past.harvest_years.astype(np.float64)
    n = np.bincount(place)
    when, brought = np.bincount(place, years) / n, np.bincount(place, past.yields_t_ha) / n
    since = years - when[place]
    reach = np.bincount(place, since**2)
    slope = np.bincount(place, since * past.yields_t_ha) / np.maximum(reach, 1e-9)
    own = (n >= TREND_YEARS_MIN) & (reach > 0)
    where = {name: row for row, name in enumerate(names.tolist()) if own[row]}
    ahead, inside = _pooled_trend(past, now)
    for row, unit in enumerate(now.units.astype(str)):
        if unit in where:
            line = where[unit]
            ahead[row] = brought[line] + slope[line] * (now.harvest_years[row] - when[line])
    return ahead, np.where(own[place], brought[place] + slope[place] * since, inside)


def _ridge(past: AreaRows, now: AreaRows) -> tuple[Doubles, Doubles]:
    from sklearn.linear_model import RidgeCV

    columns, asked = _columns(past), _columns(past, now)
    centre = np.nanmean(columns, axis=0)
    spread = np.nanstd(columns, axis=0)
    spread[~(spread > 0)] = 1.0
    x, x_now = (np.nan_to_num((table - centre) / spread) for table in (columns, asked))
    model = RidgeCV(alphas=RIDGE_PENALTIES).fit(x, past.yields_t_ha)
    return np.asarray(model.predict(x_now)), np.asarray(model.predict(x))


def _gradient_boosting(past: AreaRows, now: AreaRows) -> tuple[Doubles, Doubles]:
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    model = HistGradientBoostingRegressor(early_stopping=False, random_state=0)
    x = _columns(past)
    with threadpool_limits(1):  # its threads spin for each other where the cores have other work: 50 times slower
        model.fit(x, past.yields_t_ha)
        return np.asarray(model.predict(_columns(past, now))), np.asarray(model.predict(x))


def _columns(past: AreaRows, now: AreaRows | None = None) -> Doubles:
    """Return what ridge and boosting read: features known at least once in the past, the year, the unit's mean.

    For the past rows themselves the mean is that of the unit's harvests before, else it would hold the answer.
    """
    known = np.isfinite(past.features).any(axis=0)
    rows = past if now is None else now
    brought = past.yields_t_ha
    means = _earlier_means(past, brought) if now is None else _unit_means(past, now, brought)
    return np.column_stack([rows.features[:, known], rows.harvest_years, means])


def _unit_means(past: AreaRows, rows: AreaRows, values: Doubles) -> Doubles:
    """Return the mean of a value over each row's unit's past, its region's, or everything's."""
    by_unit, by_region = (_means(keys, values) for keys in (past.units, past.regions))
    overall = float(values.mean())
    return np.array(
        [
            by_unit.get(unit, by_region.get(region, overall))
            for unit, region in zip(rows.units.astype(str), rows.regions.astype(str), strict=True)
        ]
    )


def _earlier_means(past: AreaRows, values: Doubles) -> Doubles:
    """Return the mean of a value over the unit's harvests before each row's, its region's mean where there are none."""
    _, place = np.unique(past.units.astype(str), return_inverse=True)
    order = np.lexsort((past.harvest_years, place))
    ordered = values[order]
    first = np.flatnonzero(np.diff(place[order], prepend=-1))
    rank = np.arange(len(past)) - np.repeat(first, np.diff(np.append(first, len(past))))
    before = np.cumsum(ordered) - ordered
    sums = before - np.repeat(before[first], np.diff(np.append(first, len(past))))
    means = np.empty(len(past))
    means[order] = np.where(rank > 0, sums / np.maximum(rank, 1), np.nan)
    by_region = _means(past.regions, values)
    of_region = np.array([by_region[region] for region in past.regions.astype(str)])
    return np.where(np.isfinite(means), means, of_region)


def _means(keys: NDArray[np.object_], values: Doubles) -> Mapping[str, float]:
    names, place = np.unique(keys.astype(str), return_inverse=True)
    means = np.bincount(place, values) / np.bincount(place)
    return dict(zip(names.tolist(), means.tolist(), strict=True))


if TYPE_CHECKING:
    Fit = Callable[[AreaRows, AreaRows], tuple[Doubles, Doubles]]

_ON_FEATURES: Final = ("ridge", "gradient_boosting")
_BASELINES: Final[dict[str, Fit]] = {
    "mean": _mean,
    "pooled_trend": _pooled_trend,
    "county_trend": _county_trend,
    "ridge": _ridge,
    "gradient_boosting": _gradient_boosting,
}
