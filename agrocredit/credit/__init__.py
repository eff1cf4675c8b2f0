"""Credit: from yield estimates to a loan limit with the cap that set it, its reasons and its due date.

The room knows no pixels. It reads estimates, plots and holdings, draws harvests and prices, and gives back the least
of named caps under the terms of a dated policy pack: `load_policy`, `assess` for a region, `assess_one` for a farmer,
`replay` to check a record, `explain` to say a reason in words,
`what_would_change` to say what would have brought an approval. Beside the decisions, `price` says what the risk of an
approved loan costs and `portfolio` what all of them may lose together. Formulas: ``docs/method/credit.md``.
"""

from __future__ import annotations

from agrocredit.credit.assess import (
    Assessment,
    assess,
    assess_one,
    decision_record,
    decision_records,
    facts_of,
    replay,
)
from agrocredit.credit.case import Case, Finances, Stake
from agrocredit.credit.case_tables import CaseTables
from agrocredit.credit.counterfactual import Counterfactual, what_would_change
from agrocredit.credit.difference import Change, decision_changes
from agrocredit.credit.notice import Notice, notice
from agrocredit.credit.one_farmer import assess_rows
from agrocredit.credit.policy import CreditPolicy, load_policy, parse_policy
from agrocredit.credit.portfolio import Portfolio, portfolio
from agrocredit.credit.price import PRICES, Priced, price
from agrocredit.credit.reasons import ReasonCode, explain
from agrocredit.credit.record import canonical_json, record_sha256
from agrocredit.credit.relief import RELIEF, ReliefProposal, ReliefTerms, load_relief, propose_relief
from agrocredit.credit.scorecard import LOAN_HISTORY
from agrocredit.credit.terms import PolicyInForce
from agrocredit.credit.tranches import SEEN, TRANCHES, tranches
from agrocredit.credit.usable import PLOTS
from agrocredit.domain.tables import FINANCES

__all__ = [
    "FINANCES",
    "LOAN_HISTORY",
    "PLOTS",
    "PRICES",
    "RELIEF",
    "SEEN",
    "TRANCHES",
    "Assessment",
    "Case",
    "CaseTables",
    "Change",
    "Counterfactual",
    "CreditPolicy",
    "Finances",
    "Notice",
    "PolicyInForce",
    "Portfolio",
    "Priced",
    "ReasonCode",
    "ReliefProposal",
    "ReliefTerms",
    "Stake",
    "assess",
    "assess_one",
    "assess_rows",
    "canonical_json",
    "decision_changes",
    "decision_record",
    "decision_records",
    "explain",
    "facts_of",
    "load_policy",
    "load_relief",
    "notice",
    "parse_policy",
    "portfolio",
    "price",
    "propose_relief",
    "record_sha256",
    "replay",
    "tranches",
    "what_would_change",
]
