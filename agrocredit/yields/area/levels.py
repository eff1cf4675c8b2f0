"""What an area's earlier harvests let one expect of the next, before anyone looks at the season.

The level of an area is its mean yield, recent years counting more, carried on by a slope that all areas share. Both
are shrunk by credibility (Buehlmann and Gisler 2005, *A Course in Credibility Theory*, chapter 3): a short history
gives way to its region's level, and a slope out of few years to the long-run growth of the crop's yields. One failed
harvest tilts neither, because residuals beyond a few robust standard deviations are pulled in (Huber 1964, Annals of
Mathematical Statistics 35:73-101). An area's usual deviation, how far its yields have lain from that line, is shrunk
towards its region's in the same way. The caller hands in the history that was known: `AreaHistory.before` the harvest
year for an estimate, `AreaHistory.without` it for training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agrocredit.yields.area.history import AreaHistory

_MAD_TO_SIGMA = 1.4826
"""Median absolute deviation of a normal distribution, in standard deviations, is 1 / 1.4826."""

PASSES: Final = 6
"""After so many the level of a lone failed harvest has settled."""

DEVIATION_FLOOR_T_HA: Final = 0.05
"""Smallest usual deviation: a history of equal yields is a history that was filled in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelConfig:
    """How a level is made; each number with its reason in the training file."""

    decay: float
    """Weight of a year over that of the year after it."""
    growth_per_year: float
    """Long-run growth of yields, as a share of the mean, that the slope is shrunk to."""
    growth_years: float
    """Years of an even history that would count as much as that prior."""
    unit_years: float
    """Years of its own history at which an area's own level counts half beside its region's."""
    clip_sigmas: float
    """Residuals beyond so many robust standard deviations are pulled in."""
    deviation_years: float
    """Years of its own history at which an area's own deviation counts half beside its region's."""
    years_min: int
    """Fewest years of history of the region; below there is no level."""

    def __post_init__(self) -> None:
        positive = min(self.growth_years, self.unit_years, self.deviation_years) >= 0 and self.clip_sigmas > 0
        if not (0 < self.decay <= 1 and abs(self.growth_per_year) < 0.1 and positive and self.years_min >= 2):
            raise InputUnusableError("config_invalid", f"level settings out of range: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaLevels:
    """What areas' histories let one expect of a year. Arrays over n rows, NaN where the history is too short."""

    expected_t_ha: NDArray[np.float64]
    deviation_t_ha: NDArray[np.float64]
    """Mean distance of an area's yields from its line, t/ha; above 0."""

    @property
    def swing(self) -> NDArray[np.float64]:
        """How wide each area's interval starts out: the root of its deviation.

        Halfway, in logarithms, between one width for all and each area's own: deviations out of ten or twenty years are
        themselves uncertain, and weather shared by all areas moves the calm ones, too.
        """
        return np.sqrt(self.deviation_t_ha)


@dataclass(frozen=True, slots=True, kw_only=True)
class _UnitLines:
    """The units of a history, each with its line read at one year. Arrays over u units."""

    place_of: dict[str, int]
    regions: NDArray[np.str_]
    at_year_t_ha: NDArray[np.float64]
    weight_years: NDArray[np.float64]
    """Years it rests on, recent ones counting more."""
    deviation_t_ha: NDArray[np.float64]
    years: NDArray[np.float64]


def levels(
    history: AreaHistory,
    *,
    units: NDArray[np.object_],
    regions: NDArray[np.object_],
    year: int,
    config: LevelConfig,
) -> AreaLevels:
    """Return what a history lets one expect of areas in a year.

    Parameters
    ----------
    history : AreaHistory
        Every row of it is used.
    units, regions : ndarray of str, shape (n,)
        An area without a history takes its region's level; a region without one has none.
    year : int
        Harvest year asked about.
    config : LevelConfig
    """
    nothing = np.full(len(units), np.nan)
    if len(history) == 0:
        return AreaLevels(expected_t_ha=nothing, deviation_t_ha=nothing)
    lines = _unit_lines(history, year=year, config=config)
    expected, deviation = nothing, nothing.copy()
    for region in sorted(set(regions.tolist())):
        home = lines.regions == region
        if np.unique(history.harvest_years[history.regions == region]).size < config.years_min:
            continue
        rows = np.flatnonzero(regions == region)
        place = np.array([lines.place_of.get(str(unit), -1) for unit in units[rows]])
        pairs = (
            (expected, lines.at_year_t_ha, lines.weight_years, config.unit_years),
            (deviation, lines.deviation_t_ha, lines.years, config.deviation_years),
        )
        for found, own, weight, half in pairs:
            of_region = float(np.average(own[home], weights=weight[home]))
            mine = np.where(place >= 0, weight[place], 0.0)
            share = mine / np.maximum(mine + half, 1e-9)
            found[rows] = share * own[place] + (1.0 - share) * of_region
    return AreaLevels(
        expected_t_ha=np.maximum(expected, 0.0), deviation_t_ha=np.maximum(deviation, DEVIATION_FLOOR_T_HA)
    )


def _unit_lines(history: AreaHistory, *, year: int, config: LevelConfig) -> _UnitLines:
    names, first, place = np.unique(history.units.astype(str), return_index=True, return_inverse=True)
    count = len(names)
    away = np.abs(year - history.harvest_years.astype(np.float64)) - 1.0
    weights: NDArray[np.float64] = config.decay ** np.maximum(away, 0.0)
    n = _sums(place, weights, count)
    when = _sums(place, weights * history.harvest_years, count) / n
    since = history.harvest_years - when[place]
    brought = history.yields_t_ha
    for _ in range(PASSES):  # the first as it stands, the others with far residuals pulled in
        mean = _sums(place, weights * brought, count) / n
        slope = _shared_slope(
            brought - mean[place], since, weights, mean=float(mean.mean()), units=count, config=config
        )
        fitted = mean[place] + slope * since
        away_t_ha = np.abs(history.yields_t_ha - fitted)
        reach = config.clip_sigmas * _MAD_TO_SIGMA * float(np.median(away_t_ha))
        brought = np.clip(history.yields_t_ha, fitted - reach, fitted + reach) if reach > 0 else brought
    years = _sums(place, np.ones(len(history)), count)
    return _UnitLines(
        place_of={str(name): at for at, name in enumerate(names)},
        regions=history.regions[first].astype(str),
        at_year_t_ha=mean + slope * (year - when),
        weight_years=n,
        deviation_t_ha=_sums(place, np.minimum(away_t_ha, max(reach, 0.0)), count) / years,
        years=years,
    )


def _shared_slope(
    rest: NDArray[np.float64],
    since: NDArray[np.float64],
    weights: NDArray[np.float64],
    *,
    mean: float,
    units: int,
    config: LevelConfig,
) -> float:
    """Return the slope in t/ha a year that all units share, shrunk to the long-run growth.

    Units of one region rise and fall together, so the sums are taken per unit: many neighbours count as one history.
    """
    prior = config.growth_years * (config.growth_years**2 - 1.0) / 12.0  # sum of squares of so many even years
    with_years = float((weights * since**2).sum()) / units
    moved = float((weights * since * rest).sum()) / units
    total = with_years + max(prior, 0.0)
    return (moved + prior * config.growth_per_year * mean) / total if total > 0 else 0.0


def _sums(place: NDArray[np.intp], values: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    return np.bincount(place, values, minlength=n).astype(np.float64)
