"""The page's own words for outcomes, caps and abstentions. Sentences about reasons come from the caller."""

from __future__ import annotations

from dataclasses import dataclass

from agrocredit.domain.decision import CapName, Outcome
from agrocredit.domain.estimate import AbstainReason

OUTCOMES: dict[Outcome, str] = {
    Outcome.APPROVED: "approved",
    Outcome.REFERRED: "referred to a person",
    Outcome.DECLINED: "declined",
}

CHANGES: dict[str, str] = {
    "new": "new limits",
    "kept": "limits that stand as they were",
    "raised": "limits raised",
    "cut_pending": "limits that stand, where a clear look asked for less and a second one must agree",
    "cut": "limits cut after two clear looks, or by what is owed elsewhere: each is owed a notice",
}
"""What decisions do to limits in force."""

RELEASED: dict[str, str] = {
    "at_once": "released at once",
    "seen": "released, because the field showed what it waited for",
    "time_out": "released, because its time ran out without a clear look",
    "waiting": "waits for what is to be seen on the field",
}
"""Why a part of a limit is released or waits, in the order of the page."""

CAPS: dict[CapName, str] = {
    CapName.REPAYMENT_CAPACITY: "what a poor harvest can repay",
    CapName.WORKING_CAPITAL_NEED: "what the season's costs ask for",
    CapName.SCALE_OF_FINANCE: "the scheme's amount for the area",
    CapName.PRODUCT_MAXIMUM: "the product's ceiling",
    CapName.LEGAL_MAXIMUM: "the law's ceiling",
    CapName.EXPOSURE: "what other loans leave",
    CapName.EVIDENCE_GRADE: "how well the right to the plot is shown",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstention:
    """An abstention in plain words."""

    label: str
    """A few words, for legends."""
    meaning: str
    """What was found."""
    remedy: str
    """What would help to get an estimate."""


ABSTENTIONS: dict[AbstainReason, Abstention] = {
    AbstainReason.NOT_OBSERVED: Abstention(
        label="not observed",
        meaning="No scene of the run touches the plot.",
        remedy="Add scenes that cover the plot, or check where its outline lies.",
    ),
    AbstainReason.TOO_FEW_CLEAR_OBSERVATIONS: Abstention(
        label="too few clear looks",
        meaning="Cloud or missing scenes left too few clear looks to follow the season.",
        remedy="Wait for clear days, add other satellites' scenes, or send someone to look.",
    ),
    AbstainReason.PLOT_TOO_SMALL: Abstention(
        label="plot too small",
        meaning="The plot holds too few pixels for an honest mean.",
        remedy="Finer imagery, a visit, or a neighbouring plot of the same farmer.",
    ),
    AbstainReason.NO_CROP_SEEN: Abstention(
        label="no crop seen",
        meaning="The index does not rise and fall as a crop's does.",
        remedy="Check the outline and the sowing with the farmer: wrong place, fallow, or another crop.",
    ),
    AbstainReason.OUT_OF_DISTRIBUTION: Abstention(
        label="unlike the training",
        meaning="The season looks unlike anything the release was trained on.",
        remedy="A visit now; measured harvests from here would teach a later release.",
    ),
    AbstainReason.CROP_UNKNOWN: Abstention(
        label="crop unknown",
        meaning="No release in force knows this crop, or no calendar covers this place.",
        remedy="State the plot's crop, or ask for a release that covers it.",
    ),
}


def code_words(code: str) -> str:
    """Return a code as words.

    >>> code_words("plot_too_small")
    'plot too small'
    """
    return code.replace("_", " ")
