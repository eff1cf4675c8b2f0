"""A decision with all that a reader wants to know beside it, and how it stands in the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agrocredit.credit.in_force import LimitChange
from agrocredit.domain.decision import CapName

if TYPE_CHECKING:
    from datetime import date

    from agrocredit.credit.case import Case
    from agrocredit.credit.schedule import Bullet
    from agrocredit.domain.decision import Decision

_TEXT = {name: str(name) for name in CapName}
"""JSON writers ask for plain texts as keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A decision with what a reader wants to know beside it."""

    case: Case
    decision: Decision
    """The one that stands: today's own, or the one in force until a cut is sure."""
    today: Decision
    """What today's look alone would answer."""
    change: LimitChange | None
    """What it does to the limit in force; None where there was none and there is none."""
    cut_pending_looks: int | None
    """Clear observations of the plot seen least when a cut was first asked for; None where none is pending."""
    bullets: tuple[Bullet, ...]
    """How the limit comes back; empty unless approved today: a limit that is kept keeps its schedule."""
    plots: int
    plots_missing: int
    """Plots of which nothing counts."""
    area_eff_m2: float
    """Area that counts."""

    @property
    def limit_since(self) -> date | None:
        """Day on which the season's first limit came into force; None without a limit."""
        if not self.decision.limit_minor:
            return None
        before = self.case.in_force
        return before.since if before is not None and self.change is not LimitChange.NEW else self.decision.as_of

    def result(self) -> dict[str, Any]:
        """Return what came out, as it stands in the record."""
        held, since = self.decision is not self.today, self.limit_since
        return {
            **_answered(self.decision),
            "limit_since": since and since.isoformat(),
            "limit_change": self.change and str(self.change),
            "cut_pending_looks": self.cut_pending_looks,
            "today": _answered(self.today) if held else None,
            "bullets": [
                {"crop": b.crop, "due_on": b.due_on.isoformat(), "principal_minor": b.principal_minor}
                for b in self.bullets
            ],
            "plots": self.plots,
            "plots_missing": self.plots_missing,
            "area_eff_m2": self.area_eff_m2,
        }


def _answered(decision: Decision) -> dict[str, Any]:
    return {
        "outcome": str(decision.outcome),
        "limit_minor": decision.limit_minor,
        "currency": decision.currency,
        "binding_cap": decision.binding_cap and str(decision.binding_cap),
        "caps": {_TEXT[name]: amount for name, amount in decision.caps.items()},
        "reasons": list(map(str, decision.reasons)),
        "due_on": decision.due_on and decision.due_on.isoformat(),
    }
