"""Price: what each approved loan's risk costs, beside the decisions and by the same draws.

A flow asks for it after `assess`. It changes no decision: a rate that covers the risk is a figure for the lender, and
the rate charged is the product's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from agrocredit.credit.assess import CASES_AT_ONCE
from agrocredit.credit.intake import take_in
from agrocredit.credit.loans import Loans, agreed_loans
from agrocredit.credit.risk import bounded_pd, risk_of_loans
from agrocredit.credit.scorecard import PastLoans, blended_pd, past_loans
from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from agrocredit.credit.case_tables import CaseTables
    from agrocredit.credit.terms import PolicyInForce, Risk
    from agrocredit.domain.errors import Refusal

PRICES = pa.schema(
    [
        pa.field("farmer_id", pa.string(), nullable=False),
        pa.field("season", pa.string(), nullable=False),
        pa.field("currency", pa.string(), nullable=False),
        pa.field("limit_minor", pa.int64(), nullable=False),
        pa.field("due_minor", pa.int64(), nullable=False),
        pa.field("days", pa.int64(), nullable=False),
        pa.field("pd_simulated", pa.float64(), nullable=False),
        pa.field("pd", pa.float64(), nullable=False),
        pa.field("lgd", pa.float64(), nullable=False),
        pa.field("ead_minor", pa.int64(), nullable=False),
        pa.field("expected_loss_minor", pa.int64(), nullable=False),
        pa.field("capital_minor", pa.int64(), nullable=False),
        pa.field("rate", pa.float64(), nullable=False),
        pa.field("score", pa.float64(), nullable=False),
        pa.field("policy", pa.string(), nullable=False),
        pa.field("policy_version", pa.string(), nullable=False),
        pa.field("terms_sha256", pa.string(), nullable=False),
        pa.field("risk_sha256", pa.string(), nullable=False),
    ]
)
"""One row an approved loan: principal and interest due, probabilities and shares as fractions, rate a year.

`terms_sha256` names the terms that decided, `risk_sha256` those that priced.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """Prices of a table of estimates, and what could not be used."""

    prices: pa.Table
    """`PRICES`, by farmer and season."""
    refused: tuple[Refusal, ...]


def price(tables: CaseTables, *, loan_history: pa.Table | None = None, cases_at_once: int = CASES_AT_ONCE) -> Priced:
    """Return what the risk of each approved loan costs, with every refused row beside it.

    Parameters
    ----------
    tables : CaseTables
        As for `agrocredit.credit.assess`; what it refuses has no price either, and a limit in force changes none.
    loan_history : pyarrow.Table, optional
        `agrocredit.credit.LOAN_HISTORY`; with it the simulated probability of default meets the policy's scorecard.
    cases_at_once : int
        As for `agrocredit.credit.assess`.

    Raises
    ------
    InputUnusableError
        ``policy_prices_no_risk`` if the pack has no risk section, or no scorecard and a history is given;
        ``history_invalid``; else as `agrocredit.credit.assess`.
    """
    terms = tables.terms()
    risk = risk_terms(terms)
    intake = take_in(replace(tables, previous=None), terms=terms)
    loans = None if loan_history is None else past_loans(loan_history)
    if loans is not None and terms.scorecard is None:
        raise InputUnusableError("policy_prices_no_risk", f"policy {terms.name} has no [scorecard], expected one")
    priced = [
        _prices(agreed_loans(cases, terms=terms), terms, risk, loans) for cases in intake.cases(chunk=cases_at_once)
    ]
    prices = pa.concat_tables([PRICES.empty_table(), *priced]).combine_chunks()
    return Priced(prices=prices, refused=intake.refused)


def risk_terms(terms: PolicyInForce) -> Risk:
    """Return the risk section of the terms.

    Raises
    ------
    InputUnusableError
        ``policy_prices_no_risk``.
    """
    if terms.risk is None:
        raise InputUnusableError("policy_prices_no_risk", f"policy {terms.name} has no [risk] section, expected one")
    return terms.risk


def _prices(loans: Loans, terms: PolicyInForce, risk: Risk, past: Mapping[str, PastLoans] | None) -> pa.Table:
    simulated = bounded_pd(loans.shortfall_share(terms=terms), risk=risk)
    pd = simulated
    if past is not None and terms.scorecard is not None:
        pd = bounded_pd(blended_pd(simulated, cases=loans.cases, loans=past, scorecard=terms.scorecard), risk=risk)
    found = risk_of_loans(pd, limit_minor=loans.limit_minor, days=loans.days, risk=risk)
    count = len(loans.farmers)
    columns: dict[str, list[str] | NDArray[Any]] = {
        "farmer_id": loans.farmers,
        "season": loans.seasons,
        "currency": [terms.currency] * count,
        "limit_minor": loans.limit_minor,
        "due_minor": loans.due_minor,
        "days": loans.days,
        "pd_simulated": simulated,
        "pd": found.pd,
        "lgd": np.full(count, risk.lgd),
        "ead_minor": found.ead_minor,
        "expected_loss_minor": found.expected_loss_minor,
        "capital_minor": found.capital_minor,
        "rate": found.rate,
        "score": found.score,
        "policy": [terms.name] * count,
        "policy_version": [terms.version] * count,
        "terms_sha256": [terms.sha256] * count,
        "risk_sha256": [terms.beside_sha256] * count,
    }
    return pa.table(columns, schema=PRICES)
