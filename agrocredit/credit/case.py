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
    """A farmer's share in one plot, with what the plot is estimated to bring of one crop.

    Fields stand in the order of the alphabet, in which a record writes them.
    """

    area_m2: float
    clear_observations: int
    crop: str
    declared_area_m2: float | None
    documented_area_m2: float | None
    estimate_as_of: date
    evidence_sha256: str
    grade: str
    harvest_end_on: date | None
    """Day after the last harvest."""
    harvest_from_on: date | None
    """First usual day of harvest; None where no calendar covers crop and place."""
    harvest_year: int
    plot_id: str
    quantiles_t_ha: tuple[float, ...] | None
    """Seven yields; None when abstained."""
    reason: str | None
    """Why abstained."""
    release: str
    status: str
    """``estimated`` or ``abstained``."""
    tenure_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finances:
    """What the lender knows of a farmer's money, minor units of the policy's currency; zeros without a record.

    Fields stand in the order of the alphabet, in which a record writes them.
    """

    existing_debt_service_minor: int = 0
    """Due on other loans until the loan is due."""
    off_farm_income_minor: int = 0
    """Until then, before any haircut."""
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
