"""One farmer's season as the room sees it: stakes in plots with their estimates, and what the lender knows of money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agrocredit.domain.errors import RefusedError

if TYPE_CHECKING:
    from datetime import date

    from agrocredit.credit.in_force import InForce


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """A farmer's share in one plot, with what the plot is estimated to bring of one crop."""

    plot_id: str
    crop: str
    harvest_year: int
    estimate_as_of: date
    status: str
    """``estimated`` or ``abstained``."""
    reason: str | None
    """Why abstained."""
    quantiles_t_ha: tuple[float, ...] | None
    """Seven yields; None when abstained."""
    clear_observations: int
    release: str
    evidence_sha256: str
    area_m2: float
    declared_area_m2: float | None
    tenure_share: float
    grade: str
    harvest_from_on: date | None
    """First usual day of harvest; None where no calendar covers crop and place."""
    harvest_end_on: date | None
    """Day after the last harvest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finances:
    """What the lender knows of a farmer's money, minor units of the policy's currency; zeros without a record."""

    off_farm_income_minor: int = 0
    """Until the loan is due, before any haircut."""
    existing_debt_service_minor: int = 0
    """Due on other loans until then."""
    outstanding_minor: int = 0
    """Owed on other loans today."""

    def __post_init__(self) -> None:
        for name in ("off_farm_income_minor", "existing_debt_service_minor", "outstanding_minor"):
            if getattr(self, name) < 0:
                raise RefusedError("amount_invalid", f"{name} is {getattr(self, name)}, expected 0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that one decision rests on, beside the policy."""

    farmer_id: str
    season: str
    as_of: date
    stakes: tuple[Stake, ...]
    """By crop and plot."""
    finances: Finances | None
    """None where a record was expected and is missing: caps that need it cannot be computed."""
    in_force: InForce | None = None
    """The limit of this season that stands already; None without one."""
