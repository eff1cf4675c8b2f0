"""Back-test: a past season lent to once more by the rules of `assess`, and what its true harvest then repaid.

Loans do not exist in yield data: this is simulated lending on measured yields. A season is decided from estimates that
knew only earlier years; the measured yield and the season's price then give the cash that was there:

    cash = effective area * measured yield * what a tonne left + cash that no crop decides
    loss = min(due, max(due - cash, 0))            default where cash < due

Where the price of the season is known there is one outcome. Where it is not, the policy's own price distribution
stands in, and default and loss are their means over it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.credit.area import effective_area_m2
from agrocredit.credit.assess import assess
from agrocredit.credit.case import Finances
from agrocredit.credit.case_tables import CaseTables
from agrocredit.credit.cashflow import cash_blocks, net_price
from agrocredit.credit.decide import fixed_cash
from agrocredit.credit.lines import Lines
from agrocredit.credit.rounding import DAYS_A_YEAR
from agrocredit.credit.schedule import due_on
from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.estimate import QUANTILE_COLUMNS, QUANTILE_LEVELS
from agrocredit.domain.money import minor_per_major
from agrocredit.domain.units import area_to_m2

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import pyarrow as pa
    from numpy.typing import NDArray

    from agrocredit.credit.policy import CreditPolicy
    from agrocredit.credit.terms import CropTerms, PolicyInForce
    from agrocredit.domain.crop import Crop
    from agrocredit.domain.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class LentSeason:
    """Farmers of one crop and harvest year: what they were lent, and what the harvest brought. Major units."""

    harvest_year: int
    farmers: tuple[str, ...]
    regions: tuple[str, ...]
    """Where each farms."""
    outcomes: tuple[str, ...]
    """What `assess` said of each."""
    limit: NDArray[np.float64]
    """What `assess` lent, 0 unless approved, (farmers,)."""
    area_eff_m2: NDArray[np.float64]
    growth: NDArray[np.float64]
    """Amount due a unit lent: 1 and interest to the due date, (farmers,)."""
    harvest_t: NDArray[np.float64]
    """Measured yield on the effective area, (farmers,)."""
    fixed: NDArray[np.float64]
    """Cash that no crop decides; below 0 where the household takes, (farmers,)."""
    left_a_tonne: NDArray[np.float64]
    """What a tonne left after sale, rising: one amount where the season's price is known, else draws, (prices,)."""
    usual_a_tonne: float
    """What a tonne leaves at the price that was expected."""
    lines: Lines
    """What was expected of each farmer, in the same order."""
    terms: PolicyInForce

    @property
    def worth(self) -> NDArray[np.float64]:
        """What each harvest brought at the best price, (farmers,)."""
        worth: NDArray[np.float64] = self.harvest_t * self.left_a_tonne[-1]
        return worth

    @property
    def expected_t(self) -> NDArray[np.float64]:
        """Median harvest expected before the season, (farmers,)."""
        median: NDArray[np.float64] = self.lines.quantiles_t[:, QUANTILE_LEVELS.index(0.5)]
        return median

    def predicted_default(self, due: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share of draws, made before the season, that fall short of amounts due, (rules, farmers)."""
        short = np.empty_like(due)
        needed = due - self.fixed
        for start, end, cash in cash_blocks(self.lines, terms=self.terms):
            for rule, need in enumerate(needed):
                short[rule, start:end] = np.mean(cash < need[start:end, None], axis=1)
        return short

    def realised(self, due: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return how probable default was given the harvest, and the loss to expect, for amounts due.

        Parameters
        ----------
        due : ndarray of float, (..., farmers)
            Major units, 0 or more.
        """
        needed = due - self.fixed
        missing = self._missing(needed) - self._missing(-self.fixed)
        return self._short(needed), np.minimum(np.maximum(missing, 0.0), due)

    def qualified(self) -> NDArray[np.bool_]:
        """Return whose measured harvest, at the expected price, would have carried the smallest loan, (farmers,)."""
        smallest = self.terms.product.minimum_ticket_minor / minor_per_major(self.terms.currency)
        cash = self.harvest_t * self.usual_a_tonne + self.fixed
        carried: NDArray[np.bool_] = cash >= self.terms.repayment.dscr_min * smallest * self.growth
        return carried

    def _short(self, needed: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share of prices at which the crop brings less than `needed`."""
        share: NDArray[np.float64] = self._too_low(needed) / len(self.left_a_tonne)
        return share

    def _too_low(self, needed: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return how many prices leave less than `needed`; without a harvest all or none do."""
        brought = np.where(self.harvest_t > 0, self.harvest_t, np.nan)
        with np.errstate(over="ignore"):  # next to no harvest needs a price beyond all numbers
            below = np.searchsorted(self.left_a_tonne, needed / brought, side="left")
        none = np.where(needed > 0, len(self.left_a_tonne), 0)
        return np.where(self.harvest_t > 0, below, none)

    def _missing(self, needed: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean over prices of what the crop lacks to `needed`, 0 where it brings more."""
        count = self._too_low(needed)
        sums = np.concatenate([[0.0], np.cumsum(self.left_a_tonne)])
        missing: NDArray[np.float64] = (needed * count - self.harvest_t * sums[count]) / len(self.left_a_tonne)
        return missing


def lend_again(
    estimates: pa.Table,
    plots: pa.Table,
    *,
    yields_t_ha: NDArray[np.float64],
    regions: Sequence[str],
    policy: CreditPolicy,
    crops: Mapping[str, Crop],
    as_of: date,
    price_over_expected: float | None,
) -> LentSeason:
    """Return a season lent to by `assess`, with what its harvest brought.

    Parameters
    ----------
    estimates : pyarrow.Table
        As for `assess`: one crop and harvest year, all estimated.
    plots : pyarrow.Table
        As for `assess`, row by row the plots of `estimates`; each plot is its own farmer.
    yields_t_ha : ndarray of float, (plots,)
        Measured yields.
    regions : sequence of str, (plots,)
        Where the plots lie; nothing is decided by it.
    policy : CreditPolicy
        In force on `as_of`; its price is what was expected before the season.
    crops : mapping of str to Crop
    as_of : date
        Day of the decisions.
    price_over_expected : float or None
        The season's price over the expected one; None where it is not known and the policy's distribution stands in.

    Raises
    ------
    InputUnusableError
        As `assess`; ``season_invalid`` for several crops or years, or a row that `assess` refuses; ``price_invalid``
        for a price ratio that is not above 0.
    """
    if price_over_expected is not None and not 0.0 < price_over_expected < np.inf:
        raise InputUnusableError("price_invalid", f"price over expected of {price_over_expected}, expected above 0")
    terms = policy.on(as_of)
    assessed = assess(CaseTables(estimates=estimates, plots=plots, policy=policy, crops=crops, as_of=as_of))
    decisions = {row["farmer_id"]: row for row in assessed.decisions.to_pylist()}
    crop, season, year = _one_season(estimates, assessed.refused)
    farmers = plots["plot_id"].to_pylist()
    area_m2 = plots["area_m2"].to_numpy()
    area_eff_m2 = effective_area_m2(
        area_m2,
        declared_area_m2=np.full(len(area_m2), np.nan),
        tenure_share=np.ones(len(area_m2)),
        cropped_fraction_low=terms.area.cropped_fraction_low,
    )
    area_ha = area_eff_m2 / area_to_m2(1, "ha")
    due = _due(plots["latitude_deg"].to_numpy(), crops[crop], rule=terms.crops[crop], year=year, terms=terms)
    left = _left_a_tonne(crop, season=season, ratio=price_over_expected, terms=terms)
    return LentSeason(
        harvest_year=year,
        farmers=tuple(farmers),
        regions=tuple(regions),
        outcomes=tuple(decisions[farmer]["outcome"] for farmer in farmers),
        limit=np.array([decisions[farmer]["limit_minor"] for farmer in farmers]) / minor_per_major(terms.currency),
        area_eff_m2=area_eff_m2,
        growth=1.0 + float(terms.product.rate) * (due - as_of.toordinal()) / DAYS_A_YEAR,
        harvest_t=yields_t_ha * area_ha,
        fixed=np.full(len(farmers), fixed_cash(Finances(), terms=terms)),
        left_a_tonne=left,
        usual_a_tonne=float(_left_a_tonne(crop, season=season, ratio=1.0, terms=terms)[0]),
        lines=_lines(estimates, area_ha=area_ha, due=due, name=(crop, season)),
        terms=terms,
    )


def _lines(
    estimates: pa.Table, *, area_ha: NDArray[np.float64], due: NDArray[np.int64], name: tuple[str, str]
) -> Lines:
    """Return what is expected of each plot, as `assess` adds it up: one line a farmer."""
    quantiles = np.column_stack([estimates[column].to_numpy() for column in QUANTILE_COLUMNS])
    return Lines(
        case=np.arange(len(due)),
        rank=np.zeros(len(due), dtype=np.int64),
        names=[name] * len(due),
        due=due,
        quantiles_t=quantiles * area_ha[:, None],
    )


def _one_season(estimates: pa.Table, refused: Sequence[Refusal]) -> tuple[str, str, int]:
    """Return the crop, season and harvest year that all estimates share."""
    found = {name: estimates[name].unique().to_pylist() for name in ("crop", "season", "harvest_year")}
    if refused or any(len(values) != 1 for values in found.values()):
        first = f"; first refusal: {refused[0].code}, {refused[0].detail}" if refused else ""
        raise InputUnusableError("season_invalid", f"{found}, expected one crop, season and year{first}")
    crop, season, year = (values[0] for values in found.values())
    return crop, season, year


def _due(
    latitude_deg: NDArray[np.float64], crop: Crop, *, rule: CropTerms, year: int, terms: PolicyInForce
) -> NDArray[np.int64]:
    """Return the day each loan falls due, as `assess` dates it, proleptic ordinals, (plots,)."""
    known: dict[float, int] = {}
    for latitude in np.unique(latitude_deg).tolist():
        season = crop.season(year, latitude_deg=latitude)
        day = due_on(
            season.harvest_from_on,
            harvest_end_on=season.end_on,
            harvest_quantile=terms.schedule.harvest_quantile,
            marketing_days=rule.marketing_days,
        )
        known[latitude] = day.toordinal()
    return np.array([known[latitude] for latitude in latitude_deg.tolist()], dtype=np.int64)


def _left_a_tonne(crop: str, *, season: str, ratio: float | None, terms: PolicyInForce) -> NDArray[np.float64]:
    """Return what a tonne leaves, rising: one amount at a known price over the policy's, else the policy's draws."""
    rule = terms.crops[crop]
    if ratio is not None:
        rule = replace(rule, price=rule.price * ratio, price_volatility=0.0)
    left = np.sort(net_price(crop, rule=rule, simulation=terms.simulation, season=season, version=terms.version))
    return left if ratio is None else left[:1]
