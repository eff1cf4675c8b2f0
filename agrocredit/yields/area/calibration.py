"""How far the network is to be believed, and how wide its intervals must be: learnt on whole years it never saw.

Every calibration year was predicted by a network that knew only earlier years (rolling origin), as of every stage of
the season. From these years come, stage by stage,

- the **trust**: the share of the network's anomaly that would have served best, between 0 and 1. It is the credibility
  of the season's evidence beside the area's level; 0 gives the level itself.
- the **shifts** of the quantiles, in widths of the network's own 80 % interval. Areas of one year share its weather, so
  years, not rows, are taken as exchangeable (two-layer conformal prediction: Dunn, Wasserman and Ramdas 2023, JASA
  118:2491-2502): every year counts the same, and a quantile's rank is the one that held on average over years left out
  one at a time, which makes it wider the fewer years there are.
- the **widths**: how much wider than the pooled interval that of each region must be, or how much narrower. A region's
  own errors count by credibility, and a region with few years of them keeps the pooled width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.estimate import QUANTILE_LEVELS
from agrocredit.yields.calibration import in_order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

CALIBRATION_YEARS_MIN: Final = 3
"""With fewer held-out years nothing can be said of a year that is left out of them."""

WIDTH_FLOOR_T_HA: Final = 0.02
_LOW, _MEDIAN, _HIGH = (QUANTILE_LEVELS.index(level) for level in (0.10, 0.50, 0.90))
_RANKS: Final = np.linspace(0.0005, 0.9995, 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaCalibration:
    """Corrections of each stage of the season, the first being that of a season nobody has seen anything of."""

    trust: tuple[float, ...]
    shifts: tuple[tuple[float, ...], ...]
    """(stage, quantile), in widths of the network's 80 % interval; 0 for the median."""
    widths: Mapping[str, tuple[float, ...]]
    """Width of a region's interval over the pooled one, stage by stage; 1 for a region that is not named."""
    strangeness_max: tuple[float, ...]
    """Beyond it a season is unlike those trained on."""
    climate_distance_max: float
    """Beyond it a place of a region never met is unlike those trained on."""
    years: tuple[int, ...]
    """The held-out harvest years."""

    def __post_init__(self) -> None:
        stages = len(self.trust)
        right = stages >= 1 and len(self.shifts) == stages and len(self.strangeness_max) == stages
        right = right and all(len(row) == len(QUANTILE_LEVELS) and np.isfinite(row).all() for row in self.shifts)
        right = right and all(len(row) == stages and 0 < min(row) <= max(row) < np.inf for row in self.widths.values())
        if not (
            right
            and all(0 <= one <= 1 for one in self.trust)
            and all(one >= 0 for one in self.strangeness_max)
            and self.climate_distance_max >= 0
        ):
            raise InputUnusableError("model_invalid", f"calibration of {stages} stages out of range")

    def apply(
        self,
        quantiles: NDArray[np.float64],
        levels_t_ha: NDArray[np.float64],
        *,
        stage: NDArray[np.int64],
        regions: NDArray[np.object_],
    ) -> NDArray[np.float64]:
        """Return corrected quantiles (n, 7) in t/ha, rising and never below 0.

        Parameters
        ----------
        quantiles : ndarray, shape (n, 7)
            The network's, t/ha.
        levels_t_ha : ndarray, shape (n,)
        stage : ndarray of int, shape (n,)
        regions : ndarray of str, shape (n,)
        """
        trusted = trusting(quantiles, levels_t_ha, np.array(self.trust)[stage])
        pooled = shifted(trusted, np.array(self.shifts)[stage])
        everywhere = (1.0,) * len(self.trust)
        width = [self.widths.get(str(region), everywhere)[at] for region, at in zip(regions, stage, strict=True)]
        median = pooled[:, _MEDIAN : _MEDIAN + 1]
        return in_order(median + (pooled - median) * np.array(width)[:, None])


def fit_trust(network: NDArray[np.float64], truth: NDArray[np.float64], years: NDArray[np.int64]) -> float:
    """Return the share of the network's anomaly that would have left the least squared error, years counting the same.

    Parameters
    ----------
    network, truth : ndarray, shape (n,)
        Anomalies from the level: the network's and what came, in one unit.
    years : ndarray of int, shape (n,)
    """
    weight = _year_weights(years)
    moved = float(np.sum(weight * network**2))
    return float(np.clip(np.sum(weight * network * truth) / moved, 0.0, 1.0)) if moved > 0 else 0.0


def fit_shifts(
    quantiles: NDArray[np.float64], truth: NDArray[np.float64], years: NDArray[np.int64]
) -> tuple[float, ...]:
    """Return the shift of every quantile, in widths of the 80 % interval.

    Parameters
    ----------
    quantiles : ndarray, shape (n, 7)
        After `trusting`.
    truth : ndarray, shape (n,)
        In the same unit.
    years : ndarray of int, shape (n,)

    Raises
    ------
    InputUnusableError
        ``training_data_invalid`` with fewer than three years.
    """
    if np.unique(years).size < CALIBRATION_YEARS_MIN:
        raise InputUnusableError(
            "training_data_invalid", f"{np.unique(years).size} calibration years, at least {CALIBRATION_YEARS_MIN}"
        )
    errors = (truth[:, None] - quantiles) / _width(quantiles)[:, None]
    shifts = [_shift(errors[:, at], years, level) for at, level in enumerate(QUANTILE_LEVELS)]
    shifts[_MEDIAN] = 0.0  # the middle answers for the error, which squares; the level and trust have set it
    return tuple(shifts)


def fit_widths(
    quantiles: NDArray[np.float64],
    truth: NDArray[np.float64],
    *,
    years: NDArray[np.int64],
    regions: NDArray[np.object_],
    half_years: float,
) -> dict[str, float]:
    """Return how much wider than the pooled interval each region's must be, by name.

    A region's errors, in halves of the pooled 90 % interval, are held against everybody's by the root of their mean
    squares, years counting the same. The ratio, in logarithms, counts by credibility: ``n / (n + half_years)`` with n
    years (Buehlmann and Gisler 2005, *A Course in Credibility Theory*, chapter 3).

    Parameters
    ----------
    quantiles : ndarray, shape (n, 7)
        After `shifted`.
    truth : ndarray, shape (n,)
        In the same unit.
    years : ndarray of int, shape (n,)
    regions : ndarray of str, shape (n,)
    half_years : float
        Held-out years at which a region's own errors count half.
    """
    median = quantiles[:, _MEDIAN]
    half = np.where(truth > median, quantiles[:, -1] - median, median - quantiles[:, 0])
    squared = ((truth - median) / np.maximum(half, WIDTH_FLOOR_T_HA)) ** 2
    pooled = np.average(squared, weights=_year_weights(years))
    widths = {}
    for region in sorted(set(regions.astype(str).tolist())):
        here = regions == region
        known = np.unique(years[here]).size
        own = np.average(squared[here], weights=_year_weights(years[here]))
        if known >= CALIBRATION_YEARS_MIN and own > 0:
            widths[region] = float((own / pooled) ** (0.5 * known / (known + half_years)))
    return widths


def shifted(quantiles: NDArray[np.float64], shifts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return quantiles moved by shifts in widths of their own 80 % interval, rising and never below 0.

    Parameters
    ----------
    quantiles : ndarray, shape (n, 7)
    shifts : ndarray, shape (n, 7) or (7,)
    """
    return in_order(quantiles + shifts * _width(quantiles)[:, None])


def trusting(
    quantiles: NDArray[np.float64], levels_t_ha: NDArray[np.float64], trust: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Return the quantiles moved so that their middle keeps only the trusted share of its distance from the level.

    Parameters
    ----------
    quantiles : ndarray, shape (n, 7)
    levels_t_ha : ndarray, shape (n,)
    trust : ndarray, shape (n,), or float
    """
    back = (1.0 - np.asarray(trust)) * (quantiles[:, _MEDIAN] - levels_t_ha)
    moved: NDArray[np.float64] = quantiles - back[:, None]
    return moved


def _shift(errors: NDArray[np.float64], years: NDArray[np.int64], level: float) -> float:
    """Return the error at the rank that held `level` on average over years left out one at a time."""
    weight = _year_weights(years)
    held = np.zeros(_RANKS.size)
    each = np.unique(years)
    for year in each:
        rest = years != year
        cut = _weighted_quantiles(errors[rest], weight[rest], _RANKS)
        held += np.searchsorted(np.sort(errors[~rest]), cut, side="right") / (~rest).sum() / each.size
    # Outer quantiles must hold at least (low ones at most) what they say; the ends of the data where nothing does.
    if level > 0.5:
        enough = np.flatnonzero(held >= level)
        rank = _RANKS[enough[0]] if enough.size else 1.0
    else:
        enough = np.flatnonzero(held <= level)
        rank = _RANKS[enough[-1]] if enough.size else 0.0
    return float(_weighted_quantiles(errors, weight, np.array([rank]))[0])


def _weighted_quantiles(
    values: NDArray[np.float64], weight: NDArray[np.float64], ranks: NDArray[np.float64]
) -> NDArray[np.float64]:
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weight[order])
    at = np.searchsorted(share / share[-1], ranks, side="left")
    return values[order][np.minimum(at, values.size - 1)]


def _year_weights(years: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return weights that make every year count the same, whatever its rows."""
    _, place, count = np.unique(years, return_inverse=True, return_counts=True)
    weights: NDArray[np.float64] = 1.0 / count[place]
    return weights


def _width(quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
    width: NDArray[np.float64] = np.maximum(quantiles[:, _HIGH] - quantiles[:, _LOW], WIDTH_FLOOR_T_HA)
    return width
