"""What the harvests of earlier years say of a place's next one: a forecast for every label, made before its year.

For a back-test nothing may look ahead, so every number here is a rolling origin: the answer for a year is computed from
rows of strictly earlier years, and so is its error distribution, from the errors that the same rule made in them.

    expected = region's level + place's offset       offset = sum of w * (yield - region's mean) / (sum of w + 1)
    s2 = (sum of w * error^2 + 10 * region's mean error^2) / (sum of w + 10)
    q_p = expected + s * t_p(degrees), at least 0

The level is the trend of the region's yearly means. A place learns from its own years, and from neighbours of its
region by a Gaussian of their distance; the added counts are credibility: a place seen once is mostly its region
(Buehlmann and Gisler 2005, *A Course in Credibility Theory*). Rows of a year share its weather, so the tails are
Student's with Satterthwaite's degrees of freedom: the years' share of the variance is known from few years, whatever
the number of rows. Too few degrees: no answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import sparse, stats
from scipy.spatial import cKDTree

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.estimate import QUANTILE_LEVELS
from agrocredit.yields.credibility import HISTORY_YEARS_MAX, HISTORY_YEARS_MIN, sure_trend

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

NEIGHBOUR_KM: Final = 10.0
"""Standard deviation of the Gaussian by which neighbours count; neighbours beyond twice that do not."""

CELL_DEG: Final = 0.02
"""Places are joined to cells of some 2 km, so that cost grows with land and not with the square of fields."""

OFFSET_PRIOR: Final = 1.0
"""Harvests whose weight the region keeps in a place's offset. This and `SPREAD_PRIOR` were chosen by the pinball loss
of the lower quantiles on US wheat until 2006 and Indian rice until 1998, and on no later harvest."""

SPREAD_PRIOR: Final = 10.0
"""Errors whose weight the region keeps in a place's spread."""

DEGREES_MIN: Final = 3.0
"""With fewer degrees of freedom a tail is a guess."""

_EARTH_KM = 6371.0
_COLUMNS = ("unit", "region", "harvest_year", "yield_t_ha", "longitude", "latitude")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Panel:
    """Labels as a matrix of units and years; units in the order of their names, years rising without holes."""

    yields: NDArray[np.float64]
    """(units, years), t/ha; NaN where there is no label."""
    years: NDArray[np.int64]
    region: NDArray[np.int64]
    """Place of each unit's region, (units,)."""
    near: sparse.csr_array
    """Weight of each unit's harvests for each unit, (units, cells) times (cells, units) as one product."""
    cells: sparse.csr_array
    """1 where a unit lies in a cell, (cells, units)."""

    @property
    def regions(self) -> int:
        return int(self.region.max()) + 1


def rolling_forecasts(labels: pd.DataFrame) -> NDArray[np.float64]:
    """Return a forecast for every label from the labels of earlier years: quantiles (rows, 7) in t/ha.

    Parameters
    ----------
    labels : DataFrame
        One crop: ``unit``, ``region``, ``harvest_year``, ``yield_t_ha``, ``longitude``, ``latitude`` (NaN where the
        place is not known), one row a unit and year.

    Returns
    -------
    ndarray, shape (rows, 7)
        In the order of the rows, at `agrocredit.domain.estimate.QUANTILE_LEVELS`; NaN where the earlier years are too
        few.

    Raises
    ------
    InputUnusableError
        ``column_missing``; ``history_invalid`` where a unit has two rows of a year.
    """
    missing = [name for name in _COLUMNS if name not in labels.columns]
    if missing:
        raise InputUnusableError("column_missing", f"labels: no column {', '.join(missing)}")
    if labels.empty:
        return np.empty((0, len(QUANTILE_LEVELS)))
    names, unit = np.unique(labels["unit"].to_numpy(dtype=str), return_inverse=True)
    years = labels["harvest_year"].to_numpy(np.int64)
    panel = _panel(labels, unit=unit, count=len(names))
    expected = _expected(panel)
    spread, degrees = _spread(panel, panel.yields - expected)
    known = np.isfinite(expected) & np.isfinite(spread) & (degrees >= DEGREES_MIN)
    tails = stats.t.ppf(np.array(QUANTILE_LEVELS), df=np.where(known, degrees, 1.0)[..., None])
    quantiles = np.maximum(expected[..., None] + spread[..., None] * tails, 0.0)
    quantiles[~known] = np.nan
    answers: NDArray[np.float64] = quantiles[unit, years - panel.years[0]]
    return answers


def _panel(labels: pd.DataFrame, *, unit: NDArray[np.int64], count: int) -> _Panel:
    year = labels["harvest_year"].to_numpy(np.int64)
    years = np.arange(year.min(), year.max() + 1)
    yields = np.full((count, years.size), np.nan)
    place = np.ravel_multi_index((unit, year - years[0]), yields.shape)
    if np.unique(place).size < place.size:
        raise InputUnusableError("history_invalid", "labels: two yields of one unit and year, expected one")
    yields.flat[place] = labels["yield_t_ha"].to_numpy(np.float64)
    first = np.unique(unit, return_index=True)[1]
    rows = labels.iloc[first]
    _, region = np.unique(rows["region"].to_numpy(dtype=str), return_inverse=True)
    lonlat = rows[["longitude", "latitude"]].to_numpy(np.float64)
    near, cells = _neighbours(lonlat, region)
    return _Panel(yields=yields, years=years, region=region, near=near, cells=cells)


def _neighbours(lonlat: NDArray[np.float64], region: NDArray[np.int64]) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Return the weight of each cell for each unit, and the units of each cell.

    A unit without a place is alone in a cell.
    """
    placed: NDArray[np.bool_] = np.isfinite(lonlat.sum(axis=1))
    grid = np.where(placed[:, None], np.round(lonlat / CELL_DEG), 0.0)
    alone = np.where(placed, -1, np.arange(len(region)))
    keys, first, cell = np.unique(
        np.column_stack([region, alone, grid]), axis=0, return_index=True, return_inverse=True
    )
    of_cell = np.arange(len(keys))
    lon, lat = np.deg2rad(np.nan_to_num(lonlat[first])).T
    points = _EARTH_KM * np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    points[~placed[first]] += (of_cell[~placed[first], None] + 2) * 10.0 * _EARTH_KM  # out of everybody's reach
    tree = cKDTree(points)
    pairs = tree.sparse_distance_matrix(tree, 2.0 * NEIGHBOUR_KM, output_type="coo_matrix")
    same = region[first][pairs.row] == region[first][pairs.col]
    distance_km, at = pairs.data[same], (pairs.row[same], pairs.col[same])
    weights = sparse.csr_array((np.exp(-0.5 * (distance_km / NEIGHBOUR_KM) ** 2), at), shape=(len(keys), len(keys)))
    member = sparse.csr_array((np.ones(len(region)), (cell.ravel(), np.arange(len(region)))))
    return sparse.csr_array(member.T @ weights), member


def _before(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sums over the years strictly before each, NaN counting nothing, (rows, years)."""
    sums = np.cumsum(np.nan_to_num(values), axis=1)
    return np.hstack([np.zeros((len(values), 1)), sums[:, :-1]])


def _by_region(panel: _Panel, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sums over the units of each region, NaN counting nothing, (regions, years)."""
    sums = np.zeros((panel.regions, values.shape[1]))
    np.add.at(sums, panel.region, np.nan_to_num(values))
    return sums


def _mean(sums: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    return mean


def _around(panel: _Panel, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return weighted sums of earlier values at and around each unit, and their weights, (units, years) each."""
    known = np.isfinite(values).astype(np.float64)
    sums: NDArray[np.float64] = panel.near @ (panel.cells @ _before(values))
    weights: NDArray[np.float64] = panel.near @ (panel.cells @ _before(known))
    return sums, weights


def _expected(panel: _Panel) -> NDArray[np.float64]:
    """Return the yield expected of each unit in each year, (units, years), t/ha; NaN without an earlier year."""
    present = np.isfinite(panel.yields).astype(np.float64)
    means = _mean(_by_region(panel, panel.yields), _by_region(panel, present))
    levels = np.array([[_level(panel.years, row, j) for j in range(len(panel.years))] for row in means])
    sums, weights = _around(panel, panel.yields - means[panel.region])
    expected: NDArray[np.float64] = np.maximum(levels[panel.region] + sums / (weights + OFFSET_PRIOR), 0.0)
    return expected


def _level(years: NDArray[np.int64], means: NDArray[np.float64], j: int) -> float:
    """Return what a region is expected to bring in the j-th year, t/ha, from its means of earlier years."""
    known = np.flatnonzero(np.isfinite(means[:j]))[-HISTORY_YEARS_MAX:]
    if known.size == 0:
        return float("nan")
    brought = means[known]
    if known.size < HISTORY_YEARS_MIN:
        return float(brought.mean())
    slope, intercept = sure_trend(years[known].astype(np.float64), brought)
    return float(np.clip(intercept + slope * years[j], 0.5 * brought.min(), 2.0 * brought.max()))


def _spread(panel: _Panel, errors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return standard deviation (t/ha) and degrees of freedom of each forecast's error, (units, years) each."""
    made = np.isfinite(errors).astype(np.float64)
    yearly = _mean(_by_region(panel, errors), _by_region(panel, made))
    years_known = _before(np.isfinite(yearly).astype(np.float64))
    s2_years = _mean(_before(yearly**2), years_known)
    s2_region = _mean(_before(_by_region(panel, errors**2)), _before(_by_region(panel, made)))
    sums, weights = _around(panel, errors**2)
    s2 = (sums + SPREAD_PRIOR * s2_region[panel.region]) / (weights + SPREAD_PRIOR)
    share = np.clip(np.divide(s2_years, s2_region, out=np.ones_like(s2_region), where=s2_region > 0), 1e-3, 1.0)
    degrees = years_known / share**2
    return np.sqrt(s2), degrees[panel.region]
