"""Portfolio: what all approved loans of a season may lose together, in the draws and under stress, and on how few."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.credit.assess import CASES_AT_ONCE
from agrocredit.credit.concentration import Concentration, concentration
from agrocredit.credit.intake import take_in
from agrocredit.credit.loans import agreed_loans
from agrocredit.credit.price import risk_terms
from agrocredit.credit.scenario_losses import Scenario, loss_draws
from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from agrocredit.credit.case_tables import CaseTables
    from agrocredit.credit.loans import Loans
    from agrocredit.credit.terms import PolicyInForce, Stress
    from agrocredit.domain.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """Losses of a season's loans under one policy. Simulated: no repayment stands behind it."""

    currency: str
    loans: int
    limit_minor: int
    expected_loss_minor: int
    """Mean over the draws."""
    value_at_risk_minor: int
    """Loss that the policy's share of seasons does not pass."""
    expected_shortfall_minor: int
    """Mean loss of the seasons from the value at risk on."""
    stressed_loss_minor: Mapping[str, int]
    """Mean loss by scenario: ``drought``, ``price_fall`` and, where plots were named, ``flood``."""
    by_farmer: Concentration
    by_crop: Concentration
    """Principal by the crop whose sale repays it."""
    by_region: Concentration | None
    """None without regions."""
    refused: tuple[Refusal, ...]
    """Rows that no loan rests on."""


def portfolio(
    tables: CaseTables,
    *,
    flooded_plots: Iterable[str] = (),
    region_by_farmer: Mapping[str, str] | None = None,
    cases_at_once: int = CASES_AT_ONCE,
) -> Portfolio:
    """Return what the approved loans of the tables may lose together.

    Parameters
    ----------
    tables : CaseTables
        As for `agrocredit.credit.assess`; a limit in force changes nothing.
    flooded_plots : iterable of str
        Plots inside a flood's polygon: they bring nothing in the scenario ``flood``.
    region_by_farmer : mapping of str to str, optional
        Where each farmer is counted, and whose season each has; without it all share one season.
    cases_at_once : int
        As for `agrocredit.credit.assess`.

    Raises
    ------
    InputUnusableError
        ``policy_prices_no_risk`` if the pack lacks ``[risk]`` or ``[stress]``, ``plot_unknown`` for a flooded plot
        that has no estimate, ``region_missing`` for an approved farmer without a region, else as for `assess`.
    """
    terms = tables.terms()
    risk, stress = risk_terms(terms), _stress_terms(terms)
    intake = take_in(replace(tables, previous=None), terms=terms)
    scenarios = _scenarios(stress, frozenset(flooded_plots), known=set(intake.estimates["plot_id"].to_pylist()))
    losses = np.zeros((len(scenarios), terms.simulation.draws), dtype=np.int64)
    shares = _Shares(Counter(), Counter(), Counter())
    for cases in intake.cases(chunk=cases_at_once):
        loans = agreed_loans(cases, terms=terms)
        shares.add(loans, region_by_farmer)
        losses += loss_draws(loans, scenarios=scenarios, terms=terms, risk=risk, region_by_farmer=region_by_farmer)
    drawn, place = np.sort(losses[0]), math.ceil(stress.loss_level * losses.shape[1]) - 1
    return Portfolio(
        currency=terms.currency,
        loans=shares.loans,
        limit_minor=shares.by_farmer.total(),
        expected_loss_minor=_mean(drawn),
        value_at_risk_minor=int(drawn[place]),
        expected_shortfall_minor=_mean(drawn[place:]),
        stressed_loss_minor={s.name: _mean(of_s) for s, of_s in zip(scenarios[1:], losses[1:], strict=True)},
        by_farmer=concentration(shares.by_farmer),
        by_crop=concentration(shares.by_crop),
        by_region=None if region_by_farmer is None else concentration(shares.by_region),
        refused=intake.refused,
    )


@dataclass(slots=True)
class _Shares:
    """Principal agreed so far, minor units, by farmer, crop and region."""

    by_farmer: Counter[str]
    by_crop: Counter[str]
    by_region: Counter[str]
    loans: int = 0

    def add(self, loans: Loans, region_by_farmer: Mapping[str, str] | None) -> None:
        for farmer, limit, repaid in zip(loans.farmers, loans.limit_minor.tolist(), loans.bullets, strict=True):
            self.loans += 1
            self.by_farmer[farmer] += limit
            for bullet in repaid:
                self.by_crop[bullet.crop] += bullet.principal_minor
            if region_by_farmer is not None:
                if farmer not in region_by_farmer:
                    raise InputUnusableError("region_missing", f"no region of farmer {farmer!r}, expected one for each")
                self.by_region[region_by_farmer[farmer]] += limit


def _stress_terms(terms: PolicyInForce) -> Stress:
    if terms.stress is None:
        raise InputUnusableError("policy_prices_no_risk", f"policy {terms.name} has no [stress] section, expected one")
    return terms.stress


def _scenarios(stress: Stress, flooded: frozenset[str], *, known: set[str]) -> list[Scenario]:
    """Return the season as drawn, then the stresses."""
    if unknown := sorted(flooded - known):
        raise InputUnusableError("plot_unknown", f"flooded plot {unknown[0]!r} has no estimate")
    scenarios = [
        Scenario(name="drawn"),
        Scenario(name="drought", season_level=stress.drought_level),
        Scenario(name="price_fall", price_factor=1.0 - stress.price_fall),
    ]
    return [*scenarios, Scenario(name="flood", flooded=flooded)] if flooded else scenarios


def _mean(losses: NDArray[np.int64]) -> int:
    """Return the mean in whole minor units, rounded up: no loss is rounded away."""
    return -(-int(losses.sum()) // len(losses))
