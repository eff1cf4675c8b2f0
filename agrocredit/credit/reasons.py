"""Reasons: codes that say why a decision is what it is, and the sentences people read.

A code enters a decision only where its cause was used: take the cause away and the result changes. Sentences stand in
one TOML file a language under ``texts/``, keyed by code. "No credit history" is no code and never will be.
"""

from __future__ import annotations

import string
import tomllib
from enum import StrEnum
from functools import cache
from pathlib import Path

from agrocredit.domain.decision import CapName
from agrocredit.domain.errors import WrongUsageError

TEXTS = Path(__file__).parent / "texts"


class ReasonCode(StrEnum):
    """Why a decision is what it is."""

    LIMITED_BY_REPAYMENT_CAPACITY = "limited_by_repayment_capacity"
    """The low end of the harvest repays no more."""
    LIMITED_BY_WORKING_CAPITAL_NEED = "limited_by_working_capital_need"
    """The season's cash costs ask for no more."""
    LIMITED_BY_SCALE_OF_FINANCE = "limited_by_scale_of_finance"
    """The rule's amount an area gives no more."""
    LIMITED_BY_PRODUCT_MAXIMUM = "limited_by_product_maximum"
    """The product's ceiling."""
    LIMITED_BY_LEGAL_MAXIMUM = "limited_by_legal_maximum"
    """The law's ceiling."""
    LIMITED_BY_EXPOSURE = "limited_by_exposure"
    """Other loans leave no more room."""
    LIMITED_BY_EVIDENCE_GRADE = "limited_by_evidence_grade"
    """The right to the plots and their crop is not shown well enough for more."""
    BELOW_MINIMUM_TICKET = "below_minimum_ticket"
    """The limit is under the product's smallest loan."""
    HARVEST_CANNOT_CARRY_LOAN = "harvest_cannot_carry_loan"
    """The low end of the harvest leaves nothing to repay with."""
    EXISTING_DEBT_SERVICE = "existing_debt_service"
    """Without what is due on other loans, something would be left."""
    HOUSEHOLD_FLOOR = "household_floor"
    """Without what the household keeps, something would be left."""
    DECLARED_AREA_DIFFERS = "declared_area_differs"
    """Declared and drawn area are too far apart; a person verifies."""
    FINANCES_MISSING = "finances_missing"
    """The record of other loans and income is missing."""
    NOT_OBSERVED = "not_observed"
    """No picture shows the plot."""
    TOO_FEW_CLEAR_OBSERVATIONS = "too_few_clear_observations"
    """Cloud or missing pictures left too little."""
    IMAGERY_STALE = "imagery_stale"
    """The newest estimate is older than the policy lends on."""
    PLOT_TOO_SMALL = "plot_too_small"
    """Too few pixels."""
    NO_CROP_SEEN = "no_crop_seen"
    """The season's curve is not that of a crop."""
    OUT_OF_DISTRIBUTION = "out_of_distribution"
    """The season looks unlike any the yield model learnt from."""
    CROP_UNKNOWN = "crop_unknown"
    """No yield model for this crop or place."""
    CROP_NOT_IN_POLICY = "crop_not_in_policy"
    """The policy has no price for this crop."""
    CALENDAR_MISSING = "calendar_missing"
    """No harvest calendar for this crop at this place."""
    CROPS_OVERLAP = "crops_overlap"
    """More crops are claimed on a plot than it can bear in a season."""
    SEASON_OVER = "season_over"
    """The harvest's money was due before the day of the decision."""


def limited_by(cap: CapName) -> ReasonCode:
    """Return the code that names a binding cap.

    >>> from agrocredit.domain.decision import CapName
    >>> limited_by(CapName.EXPOSURE).value
    'limited_by_exposure'
    """
    return _LIMITED_BY[cap]


_LIMITED_BY = {cap: ReasonCode(f"limited_by_{cap.value}") for cap in CapName}


def explain(reason_code: str, *, language: str = "en", **facts: object) -> str:
    """Return one plain sentence or two for a reason, in a language.

    Parameters
    ----------
    reason_code : str
        A `ReasonCode`.
    language : str
        Two-letter code of a file under ``texts/``.
    **facts : object
        What `agrocredit.credit.facts_of` gives for a decision. The specific sentence is used where all its facts are
        given, the general one elsewhere.

    Raises
    ------
    WrongUsageError
        ``language_unknown`` or ``reason_unknown``.
    """
    sentences = texts("reasons", language)
    if reason_code not in sentences:
        raise WrongUsageError("reason_unknown", f"no reason {reason_code!r} in language {language!r}")
    sentence = sentences[reason_code]
    specific = sentence.get("specific", "")
    needed = {name for _, name, _, _ in string.Formatter().parse(specific) if name}
    if specific and needed <= facts.keys():
        return specific.format(**{name: facts[name] for name in needed})
    return sentence["general"]


@cache
def texts(kind: str, language: str) -> dict[str, dict[str, str]]:
    """Return the sentences of a kind, ``reasons`` or ``notices``, in a language, by code.

    Raises
    ------
    WrongUsageError
        ``language_unknown``.
    """
    known = {path.name.split(".")[1]: path for path in sorted(TEXTS.glob(f"{kind}.*.toml"))}
    if language not in known:
        raise WrongUsageError("language_unknown", f"no texts in {language!r}, expected one of {', '.join(known)}")
    return tomllib.loads(known[language].read_text(encoding="utf-8"))
