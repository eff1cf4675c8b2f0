"""Join what the pixels say with what the region usually brings, by credibility.

``w = s2_area / (s2_area + s2_model)``, ``w <= w_max``, ``blended = w * model + (1 - w) * area`` (Buehlmann and Straub's
credibility with error variances as weights; Buehlmann and Gisler 2005, *A Course in Credibility Theory*, chapter 3).

The blend is taken quantile by quantile, ``q_p = w * q_p(model) + (1 - w) * q_p(area)``. That is the distribution of the
weighted sum when both errors rise and fall together, its widest case for errors of one shape: the standard deviation is
``w s_model + (1 - w) s_area``, while independent errors would allow only ``sqrt(w^2 s2_model + (1 - w)^2 s2_area)``.
Nobody knows how the two errors move together on a given plot, and the low end is what is lent against, so the wide case
is the honest one. Quantiles cannot cross (two rising sequences, weights at or above 0) and cannot fall below 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import stats

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.estimate import QUANTILE_LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

HISTORY_YEARS_MIN: Final = 5
"""A trend and its scatter out of fewer years say nothing; such a history counts as none."""

HISTORY_YEARS_MAX: Final = 25
"""Only the latest years make the trend: many national yields have stopped rising, and a line through their rise runs
past them (Grassini, Eskridge and Cassman 2013, doi:10.1038/ncomms3918)."""

TREND_SURE: Final = 0.95
"""How sure the sign of a trend must be before it is drawn on to the next harvest."""

_LOW, _HIGH = QUANTILE_LEVELS.index(0.10), QUANTILE_LEVELS.index(0.90)
_SIGMAS_80 = float(stats.norm.ppf(0.90) - stats.norm.ppf(0.10))


@dataclass(frozen=True, slots=True, kw_only=True)
class CredibilityConfig:
    """Numbers of the blend that a person could argue about; each release states its own with their source."""

    w_max: float
    """Most weight the model's own view of a plot ever gets."""
    within_region_cv: float
    """Spread of plot yields inside one region and year over their mean."""
    within_region_cv_source: str
    """Where that number comes from."""

    def __post_init__(self) -> None:
        if not 0 <= self.w_max <= 1 or not 0 < self.within_region_cv < 2 or not self.within_region_cv_source:
            raise InputUnusableError("config_invalid", f"credibility settings out of range: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaOutlook:
    """What a plot of a region brings in a year before anyone has looked at it."""

    expected_t_ha: float
    """The trend's yield in the harvest year, t/ha."""
    s2_year: float
    """Variance of the region's yield around its trend, with the trend's own error at this year, (t/ha)^2."""
    s2_plot: float
    """Variance of plots around their region's yield of the year, (t/ha)^2."""
    years: int
    """Years of history."""

    def __post_init__(self) -> None:
        if not (self.expected_t_ha > 0 and self.s2_year >= 0 and self.s2_plot > 0 and self.years >= HISTORY_YEARS_MIN):
            raise InputUnusableError("history_invalid", f"area outlook out of range: {self}")

    @property
    def s2_area(self) -> float:
        """Variance of one plot's yield as seen from the region alone, (t/ha)^2."""
        return self.s2_year + self.s2_plot

    @property
    def quantiles_t_ha(self) -> tuple[float, ...]:
        """Yields in t/ha at the seven levels: a t distribution around the trend, cut at 0.

        The variance between years is estimated from few years, so tails are Student's with the degrees of freedom of
        Welch and Satterthwaite for the sum (Satterthwaite 1946, Biometrics Bulletin 2:110-114), the plots' part being
        taken as known.
        """
        degrees = min((self.years - 2) * (self.s2_area / max(self.s2_year, 1e-12)) ** 2, 1e6)
        spread = np.sqrt(self.s2_area) * stats.t.ppf(QUANTILE_LEVELS, df=degrees)
        return tuple(float(value) for value in np.maximum(self.expected_t_ha + spread, 0.0))


def area_outlook(
    years: ArrayLike, yields_t_ha: ArrayLike, *, harvest_year: int, config: CredibilityConfig
) -> AreaOutlook | None:
    """Return a region's outlook for a harvest year from its yields of earlier years, or None if they are too few.

    The trend is Theil and Sen's (median of slopes; Sen 1968, JASA 63:1379-1389) with the median intercept: one failed
    harvest does not tilt it. A slope whose 95 % interval holds 0 is none: drawn on from twenty years it would add more
    error than it takes away. Years from `harvest_year` on are not used: they were not known.

    Parameters
    ----------
    years, yields_t_ha : array_like, shape (n,)
        Harvest years and yields in t/ha; a yield that is missing, 0 or less counts as not reported.
    harvest_year : int
        The year asked about.
    config : CredibilityConfig
    """
    year, brought = np.asarray(years, dtype=np.float64), np.asarray(yields_t_ha, dtype=np.float64)
    usable = np.isfinite(brought) & (brought > 0) & (year < harvest_year)
    latest = np.argsort(year[usable], kind="stable")[-HISTORY_YEARS_MAX:]
    year, brought = year[usable][latest], brought[usable][latest]
    if np.unique(year).size < HISTORY_YEARS_MIN:
        return None
    slope, intercept = sure_trend(year, brought)
    rest = brought - (intercept + slope * year)
    # A trend that runs below zero or past twice the best year ever is the trend's fault, not the region's.
    expected = float(np.clip(intercept + slope * harvest_year, 0.5 * brought.min(), 2.0 * brought.max()))
    residual = float(np.sum(rest**2) / (brought.size - 2))
    reach = 1.0 + 1.0 / brought.size + (harvest_year - year.mean()) ** 2 / np.sum((year - year.mean()) ** 2)
    return AreaOutlook(
        expected_t_ha=expected,
        s2_year=residual * float(reach),
        s2_plot=(config.within_region_cv * expected) ** 2,
        years=int(brought.size),
    )


def sure_trend(year: NDArray[np.float64], brought: NDArray[np.float64]) -> tuple[float, float]:
    """Return slope and intercept of Theil and Sen's trend; slope 0 and the median where the slope's sign is not sure.

    Parameters
    ----------
    year, brought : ndarray, shape (n,)
        Harvest years and yields in t/ha, finite; `HISTORY_YEARS_MIN` or more.
    """
    slope, intercept, low, high = stats.theilslopes(brought, year, alpha=TREND_SURE, method="joint")
    if low <= 0.0 <= high:
        return 0.0, float(np.median(brought))
    return float(slope), float(intercept)


def area_outlooks(
    history: pd.DataFrame, *, crop: str, harvest_year: int, config: CredibilityConfig
) -> dict[str | None, AreaOutlook]:
    """Return the outlook of every region of a history table that reaches back far enough.

    Parameters
    ----------
    history : DataFrame
        Columns of `agrocredit.domain.tables.HISTORY`. A null region speaks for all plots without one of their own.
    crop : str
        Rows of other crops are left out.
    harvest_year : int
    config : CredibilityConfig

    Raises
    ------
    InputUnusableError
        ``history_invalid`` if a region has two yields of one crop and year.
    """
    rows = history.loc[history["crop"] == crop]
    twice = rows.duplicated(["region", "harvest_year"])
    if twice.any():
        first = rows.loc[twice].iloc[0]
        raise InputUnusableError(
            "history_invalid", f"two yields of {crop} in region {first['region']} and year {first['harvest_year']}"
        )
    outlooks: dict[str | None, AreaOutlook] = {}
    for name, members in rows.groupby("region", dropna=False, sort=True):
        outlook = area_outlook(members["harvest_year"], members["yield_t_ha"], harvest_year=harvest_year, config=config)
        if outlook is not None:
            outlooks[str(name) if isinstance(name, str) else None] = outlook
    return outlooks


def outlook_for(region: str | None, outlooks: dict[str | None, AreaOutlook]) -> AreaOutlook | None:
    """Return the outlook that speaks for a plot: its region's, else that of no region, else the only one.

    Parameters
    ----------
    region : str or None
        The plot's region, None where the plots file names none.
    outlooks : dict
        From `area_outlooks`.
    """
    if region is not None and region in outlooks:
        return outlooks[region]
    if None in outlooks:
        return outlooks[None]
    return next(iter(outlooks.values())) if region is None and len(outlooks) == 1 else None


def weight(s2_area: ArrayLike, s2_model: ArrayLike, *, w_max: float) -> NDArray[np.float64]:
    """Return the model's weight in the blend, 0 to `w_max`.

    Parameters
    ----------
    s2_area, s2_model : array_like
        Error variances in one unit.
    w_max : float
        Upper bound.

    Examples
    --------
    >>> float(weight(0.09, 0.36, w_max=0.5))
    0.2
    """
    area, model = np.asarray(s2_area, dtype=np.float64), np.asarray(s2_model, dtype=np.float64)
    total = area + model
    share = np.divide(
        area, total, out=np.zeros(np.broadcast(area, model).shape), where=np.isfinite(total) & (total > 0)
    )
    return np.asarray(np.minimum(share, w_max))


def model_variance(quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the error variance that an 80 % interval states, as of a normal distribution with its width.

    Parameters
    ----------
    quantiles : ndarray, shape (n, 7)
        In t/ha; the variance is in (t/ha)^2.
    """
    variance: NDArray[np.float64] = ((quantiles[:, _HIGH] - quantiles[:, _LOW]) / _SIGMAS_80) ** 2
    return variance


def blend(
    model: NDArray[np.float64], outlooks: Iterable[AreaOutlook | None], *, config: CredibilityConfig
) -> NDArray[np.float64]:
    """Return the model's quantiles joined with the regions'; a row without an outlook stays the model's.

    Parameters
    ----------
    model : ndarray, shape (n, 7)
        Calibrated quantiles in t/ha.
    outlooks : iterable of AreaOutlook or None, length n
    config : CredibilityConfig
    """
    known = list(outlooks)
    rows = [place for place, outlook in enumerate(known) if outlook is not None]
    joined = model.copy()
    if not rows:
        return joined
    table = {outlook: (outlook.quantiles_t_ha, outlook.s2_area) for outlook in known if outlook is not None}
    area = np.array([table[known[row]][0] for row in rows])  # type: ignore[index]  # rows hold no None
    s2_area = np.array([table[known[row]][1] for row in rows])  # type: ignore[index]
    w = weight(s2_area, model_variance(model[rows]), w_max=config.w_max)[:, None]
    joined[rows] = w * model[rows] + (1.0 - w) * area
    return joined
