"""Limits in force: raised at any time, cut only after two clear looks and by more than trifles.

A look is *clear* where every plot counts, areas agree and finances are known: cloud, a missing record or a fresh
declaration never cut a limit. The first clear look that asks for a cut by more than the policy's materiality makes it
pending; the next one, in which every plot was seen clear once more, makes it. Until then the decision in force stands
with the caps it was given by. What no look decides holds at once: product, law, and what is owed elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from agrocredit.credit.reasons import ReasonCode, limited_by
from agrocredit.domain.decision import REASONS_MAX, CapName, Outcome
from agrocredit.domain.errors import RefusedError
from agrocredit.domain.money import floor_to_step

if TYPE_CHECKING:
    from datetime import date

    from agrocredit.credit.terms import Product
    from agrocredit.domain.decision import Decision

_HOLD_AT_ONCE = (CapName.PRODUCT_MAXIMUM, CapName.LEGAL_MAXIMUM, CapName.EXPOSURE)


class LimitChange(StrEnum):
    """What a decision does to the limit that was in force."""

    NEW = "new"
    """There was none."""
    KEPT = "kept"
    RAISED = "raised"
    CUT_PENDING = "cut_pending"
    """A clear look asks for less; the limit stands until another one does."""
    CUT = "cut"
    """An adverse action: the farmer is told, with the reasons and a way to a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The decision that a farmer's limit of a season rests on today."""

    limit_minor: int
    """Above 0, minor units of the policy's currency."""
    binding_cap: str
    caps: tuple[tuple[str, int], ...]
    """In minor units, as the decision gave them."""
    reasons: tuple[str, ...]
    due_on: date
    since: date
    """Day on which the season's first limit came into force."""
    cut_pending_looks: int | None
    """Clear observations of the plot seen least when a cut was first asked for; None where none is pending."""
    decision_sha256: str
    """Names that decision."""

    def __post_init__(self) -> None:
        caps = dict(self.caps)
        if self.limit_minor <= 0 or self.limit_minor > min(caps.values(), default=0) or self.binding_cap not in caps:
            raise RefusedError("in_force_invalid", f"a limit of {self.limit_minor} under caps {caps}")
        if not set(caps) <= set(CapName) or not set(self.reasons) <= set(ReasonCode):
            raise RefusedError(
                "in_force_invalid", f"caps {sorted(caps)} and reasons {self.reasons}, expected known ones"
            )
        if not 1 <= len(self.reasons) <= REASONS_MAX:
            raise RefusedError("in_force_invalid", f"{len(self.reasons)} reasons, expected 1 to {REASONS_MAX}")


class Settled(NamedTuple):
    """Today's decision once the limit in force has been heard; a tuple, since a region makes one a farmer."""

    decision: Decision
    change: LimitChange | None
    """None where there was no limit and there is none."""
    cut_pending_looks: int | None
    """As in `InForce`, for the next day."""
    held: bool
    """The limit is not today's own answer but that of the decision in force."""


def settle(today: Decision, in_force: InForce | None, *, clear_looks: int | None, product: Product) -> Settled:
    """Return the decision that stands: today's own, or the one in force until a cut is sure.

    Parameters
    ----------
    today : Decision
        What today's look alone would answer.
    in_force : InForce or None
        None without a limit.
    clear_looks : int or None
        Clear observations of the plot seen least; None where the look is not clear.
    product : Product
        Materiality, rounding step and smallest ticket.
    """
    if in_force is None or in_force.due_on <= today.as_of:
        new = LimitChange.NEW if today.outcome is Outcome.APPROVED else None
        return Settled(decision=today, change=new, cut_pending_looks=None, held=False)
    if today.limit_minor >= in_force.limit_minor:
        raised = today.limit_minor > in_force.limit_minor
        change = LimitChange.RAISED if raised else LimitChange.KEPT
        return Settled(decision=today, change=change, cut_pending_looks=None, held=False)
    pending = in_force.cut_pending_looks
    if in_force.limit_minor - today.limit_minor <= product.cut_materiality * in_force.limit_minor:
        return _held(today, in_force, LimitChange.KEPT, None, product)
    if clear_looks is None:
        change = LimitChange.KEPT if pending is None else LimitChange.CUT_PENDING
        return _held(today, in_force, change, pending, product)
    if pending is not None and clear_looks > pending:
        return Settled(decision=today, change=LimitChange.CUT, cut_pending_looks=None, held=False)
    return _held(today, in_force, LimitChange.CUT_PENDING, clear_looks if pending is None else pending, product)


def _held(today: Decision, in_force: InForce, change: LimitChange, pending: int | None, product: Product) -> Settled:
    """Return the decision in force under today's ceilings that no look decides."""
    at_once = {name: today.caps[name] for name in _HOLD_AT_ONCE if name in today.caps}
    known: dict[str, int] = {**dict(in_force.caps), **{str(name): amount for name, amount in at_once.items()}}
    caps = {name: known[name] for name in CapName if name in known}
    limit_minor, binding, reasons = in_force.limit_minor, CapName(in_force.binding_cap), in_force.reasons
    if min(at_once.values(), default=limit_minor) < limit_minor:
        binding = min(at_once, key=lambda name: at_once[name])
        limit_minor = floor_to_step(at_once[binding], product.rounding_step_minor)
        change, reasons = LimitChange.CUT, (str(limited_by(binding)),)
        if limit_minor < product.minimum_ticket_minor:
            return Settled(decision=today, change=change, cut_pending_looks=None, held=False)
    decision = replace(
        today,
        outcome=Outcome.APPROVED,
        limit_minor=limit_minor,
        binding_cap=binding,
        caps=caps,
        reasons=reasons,
        due_on=in_force.due_on,
    )
    return Settled(decision=decision, change=change, cut_pending_looks=pending, held=True)
