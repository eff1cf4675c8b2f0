"""A plot's yield out of its region's level and its standing among its peers of the season.

For plots that are measured once and never again there is no history of their own. Two scales stay:

    yield = level of the region + what was done on the plot + what sets it apart from its peers of the season

*Practices* (seed, fertiliser, intercrop) mean the same in every season, so a season's level is compared net of them.
*Traits* (warmth of the nights, rain) count as differences from the peers of the same region and season, because the
season's own share of them is one draw a season. Responses are learnt inside seasons, each season counting the same, and
shrunk by a ridge; the level is the mean of the seasons' levels, each counting the same: seasons are scarce, not plots.

Intervals are conformal by whole seasons: every season is estimated from all others, and the quantiles of yield over
estimate, each season counting the same, are the release's relative quantiles (Lei et al. 2018, JASA 113:1094-1111, with
seasons in the place of folds). Relative errors keep the low end above 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.estimate import QUANTILE_LEVELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agrocredit.yields.area.rows import AreaRows

    Doubles = NDArray[np.float64]

SEASONS_MIN: Final = 2
"""One season cannot say how far the next one may lie from it."""

ESTIMATE_MIN_SHARE: Final = 0.1
"""An estimate stays above this share of the level: responses are straight lines, yields are not below 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerConfig:
    """What is read of a plot, and how much evidence a response needs."""

    traits: tuple[str, ...]
    practices: tuple[str, ...]
    penalty_plots: float
    """Plots without any response that would hold one back as much."""

    def __post_init__(self) -> None:
        names = (*self.traits, *self.practices)
        if not names or len(set(names)) < len(names) or not self.penalty_plots > 0:
            raise InputUnusableError("config_invalid", f"peer settings out of range: {self}")

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that is read, traits first."""
        return (*self.traits, *self.practices)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerModel:
    """What was learnt of some seasons."""

    config: PeerConfig
    level_t_ha: float
    """Of a plot like its peers with all practices at 0."""
    responses: Doubles
    """(k,) t/ha a unit of each feature, in the order of ``config.names``."""
    relative: Doubles
    """(7,) quantiles of yield over estimate."""

    def estimate_t_ha(self, rows: AreaRows) -> Doubles:
        """Return the estimate (n,) of plots before its quantiles; the peers of a plot are the rows of its season."""
        values = _columns(rows, self.config)
        traits = len(self.config.traits)
        apart = values - _season_means(values, seasons_of(rows))
        used = np.column_stack([apart[:, :traits], values[:, traits:]])
        estimate: Doubles = self.level_t_ha + np.nan_to_num(used) @ self.responses
        return np.maximum(estimate, ESTIMATE_MIN_SHARE * self.level_t_ha)

    def quantiles_t_ha(self, rows: AreaRows) -> Doubles:
        """Return the quantiles (n, 7) of plots at `agrocredit.domain.estimate.QUANTILE_LEVELS`."""
        quantiles: Doubles = self.estimate_t_ha(rows)[:, None] * self.relative
        return quantiles

    def at_level(self, rows: AreaRows, level_t_ha: float) -> PeerModel:
        """Return the model for another region whose mean yield is known: responses scale with the level.

        Parameters
        ----------
        rows : AreaRows
            Plots of that region; their yields are not read.
        level_t_ha : float
            Mean yield expected there.
        """
        own = float(self.estimate_t_ha(rows).mean())
        share = level_t_ha / own
        return replace(self, level_t_ha=self.level_t_ha * share, responses=self.responses * share)


def fit_peers(rows: AreaRows, config: PeerConfig) -> PeerModel:
    """Return a model learnt of plots with known yield.

    Parameters
    ----------
    rows : AreaRows
        Of two seasons or more; a season is a region's harvest year.
    config : PeerConfig

    Raises
    ------
    InputUnusableError
        ``training_data_invalid`` for fewer seasons, ``column_missing`` for a feature the rows lack.
    """
    seasons = seasons_of(rows)
    names = np.unique(seasons)
    if names.size < SEASONS_MIN:
        raise InputUnusableError("training_data_invalid", f"{names.size} seasons, expected {SEASONS_MIN} or more")
    ratios, weights = [], []
    for season in names:
        held = seasons == season
        answered = _fitted(rows.take(~held), config).estimate_t_ha(rows.take(held))
        ratios.append(rows.yields_t_ha[held] / answered)
        weights.append(np.full(int(held.sum()), 1.0 / held.sum()))
    relative = _weighted_quantiles(np.concatenate(ratios), np.concatenate(weights))
    return replace(_fitted(rows, config), relative=relative)


def seasons_of(rows: AreaRows) -> NDArray[np.str_]:
    """Return the season (n,) of every row: its region and harvest year."""
    return np.array([f"{region} {year}" for region, year in zip(rows.regions, rows.harvest_years, strict=True)])


def _fitted(rows: AreaRows, config: PeerConfig) -> PeerModel:
    seasons, values = seasons_of(rows), _columns(rows, config)
    apart = np.nan_to_num(values - _season_means(values, seasons))
    yields = rows.yields_t_ha
    rest = yields - _season_means(yields[:, None], seasons)[:, 0]
    _, place, counts = np.unique(seasons, return_inverse=True, return_counts=True)
    weights = len(rows) / (counts.size * counts[place])
    spread = np.sqrt(np.average(apart**2, axis=0, weights=weights))
    spread[spread == 0] = 1.0
    x = apart / spread
    gram = (x * weights[:, None]).T @ x + config.penalty_plots * np.eye(x.shape[1])
    responses = np.linalg.solve(gram, (x * weights[:, None]).T @ rest) / spread
    done = np.nan_to_num(values[:, len(config.traits) :]) @ responses[len(config.traits) :]
    level = float(np.mean(np.bincount(place, yields - done) / counts))
    return PeerModel(config=config, level_t_ha=level, responses=responses, relative=np.ones(len(QUANTILE_LEVELS)))


def _columns(rows: AreaRows, config: PeerConfig) -> Doubles:
    missing = [name for name in config.names if name not in rows.names]
    if missing:
        raise InputUnusableError("column_missing", f"plots without {', '.join(missing)}; found {', '.join(rows.names)}")
    columns: Doubles = rows.features[:, [rows.names.index(name) for name in config.names]]
    return columns


def _season_means(values: Doubles, seasons: NDArray[np.str_]) -> Doubles:
    """Return the mean (n, k) of each row's season over what is known; NaN where nothing is."""
    _, place = np.unique(seasons, return_inverse=True)
    known = np.isfinite(values)
    sums, counts = (np.zeros((int(place.max()) + 1, values.shape[1])) for _ in range(2))
    np.add.at(sums, place, np.where(known, values, 0.0))
    np.add.at(counts, place, known)
    means = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    found: Doubles = means[place]
    return found


def _weighted_quantiles(values: Doubles, weights: Doubles) -> Doubles:
    order = np.argsort(values, kind="stable")
    passed = np.cumsum(weights[order]) / weights.sum()
    return np.interp(QUANTILE_LEVELS, passed, values[order])
