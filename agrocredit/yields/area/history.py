"""What an area's earlier harvests let one expect of the next, before anyone looks at the season.

The level of an area is its mean yield, recent years counting more, carried on by a slope that all areas share. Both
are shrunk by credibility (Buehlmann and Gisler 2005, *A Course in Credibility Theory*, chapter 3): a short history
gives way to its region's level, and a slope out of few years to the long-run growth of the crop's yields. One failed
harvest tilts neither, because residuals beyond a few robust standard deviations are pulled in (Huber 1964, Annals of
Mathematical Statistics 35:73-101). Nothing of the predicted year or later enters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAD_TO_SIGMA = 1.4826
"""Median absolute deviation of a normal distribution, in standard deviations, is 1 / 1.4826."""

PASSES: Final = 6
"""After so many the level of a lone failed harvest has settled."""


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
    years_min: int
    """Fewest years of history of the region; below there is no level."""

    def __post_init__(self) -> None:
        positive = min(self.growth_years, self.unit_years) >= 0 and self.clip_sigmas > 0
        if not (0 < self.decay <= 1 and abs(self.growth_per_year) < 0.1 and positive and self.years_min >= 2):
            raise InputUnusableError("config_invalid", f"level settings out of range: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaHistory:
    """Yields that were brought in. Arrays over h rows."""

    units: NDArray[np.object_]
    regions: NDArray[np.object_]
    harvest_years: NDArray[np.int64]
    yields_t_ha: NDArray[np.float64]

    def __post_init__(self) -> None:
        n = len(self.units)
        if any(v.shape != (n,) for v in (self.regions, self.harvest_years, self.yields_t_ha)):
            raise InputUnusableError("history_invalid", f"{n} units, other columns of another length")
        if not (np.isfinite(self.yields_t_ha).all() and (self.yields_t_ha >= 0).all()):
            raise InputUnusableError("history_invalid", "a yield of the history is missing or below 0")

    def __len__(self) -> int:
        return len(self.units)

    def before(self, year: int) -> AreaHistory:
        """Return the harvests of earlier years."""
        return self.take(self.harvest_years < year)

    def take(self, rows: NDArray[np.bool_]) -> AreaHistory:
        """Return some of the rows."""
        return AreaHistory(
            units=self.units[rows],
            regions=self.regions[rows],
            harvest_years=self.harvest_years[rows],
            yields_t_ha=self.yields_t_ha[rows],
        )

    def joined(self, other: AreaHistory) -> AreaHistory:
        """Return these rows and those of the other whose unit and year are not among them."""
        mine = set(zip(self.units, self.harvest_years.tolist(), strict=True))
        new = np.array(
            [pair not in mine for pair in zip(other.units, other.harvest_years.tolist(), strict=True)], dtype=bool
        )
        added = other.take(new)
        return AreaHistory(
            units=np.concatenate([self.units, added.units]),
            regions=np.concatenate([self.regions, added.regions]),
            harvest_years=np.concatenate([self.harvest_years, added.harvest_years]),
            yields_t_ha=np.concatenate([self.yields_t_ha, added.yields_t_ha]),
        )


def levels_t_ha(
    history: AreaHistory,
    *,
    units: NDArray[np.object_],
    regions: NDArray[np.object_],
    year: int,
    config: LevelConfig,
) -> NDArray[np.float64]:
    """Return the expected yield (n,) of areas in a year, t/ha; NaN where their region's history is too short.

    Parameters
    ----------
    history : AreaHistory
        Rows of `year` and later are not used.
    units, regions : ndarray of str, shape (n,)
        An area without a history takes its region's level.
    year : int
        Harvest year asked about.
    config : LevelConfig
    """
    known = history.before(year)
    found: NDArray[np.float64] = np.full(len(units), np.nan)
    if np.unique(known.harvest_years).size < config.years_min:
        return found
    names, place = np.unique(known.units.astype(str), return_inverse=True)
    at_year, weight = _unit_levels(known, place, len(names), year=year, config=config)
    region_of = {str(unit): str(region) for unit, region in zip(known.units, known.regions, strict=True)}
    home = np.array([region_of[name] for name in names])
    long_enough = {
        region
        for region in set(home.tolist())
        if np.unique(known.harvest_years[known.regions == region]).size >= config.years_min
    }
    region_level = {
        region: float(np.average(at_year[home == region], weights=weight[home == region])) for region in long_enough
    }
    own = {name: (level, n) for name, level, n in zip(names.tolist(), at_year, weight, strict=True)}
    for row, (unit, region) in enumerate(zip(units, regions, strict=True)):
        if region in region_level:
            level, n = own.get(str(unit), (0.0, 0.0))
            share = n / (n + config.unit_years) if n > 0 else 0.0
            found[row] = share * level + (1.0 - share) * region_level[region]
    return found.clip(min=0.0)


def _unit_levels(
    known: AreaHistory, place: NDArray[np.intp], units: int, *, year: int, config: LevelConfig
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each unit's own level carried on to `year`, and the weight in years that it rests on."""
    weights: NDArray[np.float64] = config.decay ** (year - 1.0 - known.harvest_years.astype(np.float64))
    n = _sums(place, weights, units)
    when = _sums(place, weights * known.harvest_years, units) / n
    since = known.harvest_years - when[place]
    brought = known.yields_t_ha
    for _ in range(PASSES):  # the first as it stands, the others with far residuals pulled in
        mean = _sums(place, weights * brought, units) / n
        slope = _shared_slope(
            brought - mean[place], since, weights, mean=float(mean.mean()), units=units, config=config
        )
        fitted = mean[place] + slope * since
        reach = config.clip_sigmas * _MAD_TO_SIGMA * float(np.median(np.abs(known.yields_t_ha - fitted)))
        brought = np.clip(known.yields_t_ha, fitted - reach, fitted + reach) if reach > 0 else brought
    return mean + slope * (year - when), n


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
