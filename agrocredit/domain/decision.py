"""Decisions: an outcome, a limit, the cap that binds, and true reasons."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from agrocredit.domain.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

REASONS_MAX = 4


class Outcome(StrEnum):
    """What the applicant hears."""

    APPROVED = "approved"
    """A limit above the product's smallest ticket."""
    REFERRED = "referred"
    """A person must look, or more evidence is needed; never a decline in disguise."""
    DECLINED = "declined"
    """The season seen cannot carry a loan under this policy."""


class CapName(StrEnum):
    """The named caps, in the order that decides ties."""

    REPAYMENT_CAPACITY = "repayment_capacity"
    """What the low end of the harvest can repay."""
    WORKING_CAPITAL_NEED = "working_capital_need"
    """What the season's cash costs ask for."""
    SCALE_OF_FINANCE = "scale_of_finance"
    """A rule pack's amount an area."""
    PRODUCT_MAXIMUM = "product_maximum"
    """The product's own ceiling."""
    LEGAL_MAXIMUM = "legal_maximum"
    """The law's ceiling."""
    EXPOSURE = "exposure"
    """What other loans leave of this farmer's room."""
    EVIDENCE_GRADE = "evidence_grade"
    """A ceiling by how well the right to the plot and its crop are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One farmer's answer for one season under one policy; immutable and replayable."""

    farmer_id: str
    season: str
    as_of: date
    outcome: Outcome
    limit_minor: int
    currency: str
    binding_cap: CapName | None
    """The cap that set the limit; None where no cap could be computed."""
    caps: Mapping[CapName, int]
    """Every cap that could be computed, in minor units, before flooring."""
    reasons: tuple[str, ...]
    """1 to 4 codes, the leading one first."""
    due_on: date | None
    policy: str
    policy_version: str

    def __post_init__(self) -> None:
        caps = dict(self.caps)
        object.__setattr__(self, "caps", MappingProxyType(caps))
        if not 1 <= len(self.reasons) <= REASONS_MAX or not all(self.reasons):
            raise RefusedError("decision_invalid", f"reasons {self.reasons}, expected 1 to {REASONS_MAX}")
        if (self.outcome is Outcome.APPROVED) != (self.limit_minor > 0) or self.limit_minor < 0:
            raise RefusedError("decision_invalid", f"{self.outcome} with a limit of {self.limit_minor} minor units")
        if self.outcome is Outcome.APPROVED and (self.binding_cap not in caps or self.due_on is None):
            raise RefusedError("decision_invalid", "an approval needs a binding cap and a due date")
        if caps and self.limit_minor > min(caps.values()):
            raise RefusedError("decision_invalid", f"limit {self.limit_minor} above a cap of {caps}")
