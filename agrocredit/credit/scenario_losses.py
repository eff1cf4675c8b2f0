"""Losses of many loans together, draw by draw: each region's season, one market for all, luck for each farmer.

Strategy. A limit gives every farmer the same order of luck, so that equal fields get equal limits. A portfolio must
not: equal luck would make all loans fail together. So luck is drawn here by farmer, crop and season, from the same
normal scores, and each crop's market is shared. A region's season is made of one that all regions share and its own,
``Z_r = sqrt(s) * Z + sqrt(1 - s) * own_r``; the price at a farm follows its region's season. Losses are whole
minor units added as integers, so neither the order of farmers nor the size of chunks changes a sum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.credit.cashflow import net_price
from agrocredit.credit.draws import counted_levels, named_scores, ordered_scores, regional_scores, yield_knots
from agrocredit.credit.evidence import gaps
from agrocredit.credit.lines import add_up
from agrocredit.credit.risk import exposure_at_default

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from agrocredit.credit.case import Case, Stake
    from agrocredit.credit.loans import Loans
    from agrocredit.credit.terms import PolicyInForce, Risk


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A season to try loans on; the loans stay as agreed."""

    name: str
    season_level: float | None = None
    """The region's season fixed at this probability; None draws it."""
    price_factor: float = 1.0
    """Every price times this."""
    flooded: frozenset[str] = frozenset()
    """Plots that bring nothing."""


def loss_draws(
    loans: Loans,
    *,
    scenarios: Sequence[Scenario],
    terms: PolicyInForce,
    risk: Risk,
    region_by_farmer: Mapping[str, str] | None = None,
) -> NDArray[np.int64]:
    """Return what the loans lose in each scenario and draw, minor units, (scenarios, draws).

    Parameters
    ----------
    loans : Loans
        As agreed under `terms`.
    scenarios : sequence of Scenario
        Seasons to try them on.
    terms, risk : PolicyInForce, Risk
        The policy on the loans' day, with its stress section.
    region_by_farmer : mapping of str to str, optional
        Whose season each farmer has; without it one region's season is that of all.
    """
    draws = terms.simulation.draws
    losses = np.zeros((len(scenarios), draws), dtype=np.int64)
    if not loans.cases:
        return losses
    weights_t = [_weights_t(loans, scenario, terms) for scenario in scenarios]
    regions = [None if region_by_farmer is None else region_by_farmer[farmer] for farmer in loans.farmers]
    climate = {region: _climates(loans, scenarios, region, terms) for region in sorted(set(regions), key=str)}
    loss_minor = np.rint(exposure_at_default(loans.limit_minor, risk=risk) * risk.lgd).astype(np.int64)
    needed = loans.needed(terms=terms)
    first = np.searchsorted(loans.lines.case, np.arange(len(loans.cases)))
    for loan, case in enumerate(loans.cases):
        lines = range(int(first[loan]), int(loans.last_line[loan]) + 1)
        luck = [ordered_scores(draws, "luck", *loans.lines.names[i], terms.version, case.farmer_id) for i in lines]
        for i, (season, prices) in enumerate(climate[regions[loan]]):
            cash = np.zeros(draws)
            for line, of_line in zip(lines, luck, strict=True):
                harvest_t = _harvest_t(weights_t[i][line], season, of_line, terms)
                cash += harvest_t * prices[loans.lines.names[line]]
            losses[i] += loss_minor[loan] * (cash < needed[loan])
    return losses


def _climates(
    loans: Loans, scenarios: Sequence[Scenario], region: str | None, terms: PolicyInForce
) -> list[tuple[NDArray[np.float64], dict[tuple[str, str], NDArray[np.float64]]]]:
    """Return a region's season, (draws,), and what a tonne of each crop leaves there, one pair a scenario."""
    seasons = [_season(scenario, region, terms) for scenario in scenarios]
    return [
        (season, _prices(loans, scenario, season, terms)) for scenario, season in zip(scenarios, seasons, strict=True)
    ]


def _season(scenario: Scenario, region: str | None, terms: PolicyInForce) -> NDArray[np.float64]:
    draws = terms.simulation.draws
    if scenario.season_level is not None:
        return np.full(draws, NormalDist().inv_cdf(scenario.season_level))
    shared = terms.stress.season_shared if region is not None and terms.stress is not None else 1.0
    own = named_scores(draws, "season", region or "", terms.version)
    season: NDArray[np.float64] = np.sqrt(shared) * regional_scores(draws) + np.sqrt(1.0 - shared) * own
    return season


def _harvest_t(
    quantiles_t: NDArray[np.float64], season: NDArray[np.float64], luck: NDArray[np.float64], terms: PolicyInForce
) -> NDArray[np.float64]:
    """Return a line's harvest, (draws,), t: its quantile function read at the copula's score."""
    rule = terms.simulation
    scores = np.sqrt(rule.regional_share) * season + np.sqrt(1.0 - rule.regional_share) * luck
    harvest_t: NDArray[np.float64] = np.interp(scores, yield_knots(rule), [0.0, *quantiles_t[: counted_levels(rule)]])
    return harvest_t


def _weights_t(loans: Loans, scenario: Scenario, terms: PolicyInForce) -> NDArray[np.float64]:
    """Return each line's weights at the quantile levels, (lines, 7), t, with flooded plots bringing nothing."""
    if not scenario.flooded:
        return loans.lines.quantiles_t
    flooded = [_flood(case, scenario.flooded) for case in loans.cases]
    lines, _ = add_up(flooded, [gaps(case, terms=terms) for case in flooded], terms=terms)
    return lines.quantiles_t


def _flood(case: Case, plots: frozenset[str]) -> Case:
    def drown(stake: Stake) -> Stake:
        if stake.plot_id not in plots or stake.quantiles_t_ha is None:
            return stake
        return replace(stake, quantiles_t_ha=(0.0,) * len(stake.quantiles_t_ha))

    return replace(case, stakes=tuple(drown(stake) for stake in case.stakes))


def _prices(
    loans: Loans, scenario: Scenario, season_scores: NDArray[np.float64], terms: PolicyInForce
) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Return what a tonne of each crop and season leaves, (draws,), major units."""
    prices = {}
    for crop, season in sorted(set(loans.lines.names)):
        rule = terms.crops[crop]
        prices[crop, season] = net_price(
            crop,
            rule=replace(rule, price=rule.price * scenario.price_factor),
            simulation=terms.simulation,
            season=season,
            version=terms.version,
            region=season_scores,
        )
    return prices
