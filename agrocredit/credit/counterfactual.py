"""Counterfactual: what would have to change for an approval, found by solving and never guessed.

One input is moved at a time, all others held, through the whole decision. The laws of the limit say that more area,
yield or price and less debt never lower it, so the edge between no and yes is found by bisection over whole steps: the
value returned flips the outcome, and one step less does not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from agrocredit.credit.decide import decide
from agrocredit.credit.record import case_of
from agrocredit.domain.decision import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agrocredit.credit.case import Case, Finances
    from agrocredit.credit.policy import CreditPolicy
    from agrocredit.credit.terms import PolicyInForce

STEPS_A_WHOLE = 1_000
"""Area, yield and price move in thousandths of what they are."""
TIMES_MAX = 10
"""Area, yield and price are tried up to so many times what they are; a farm of another kind is no answer."""

Try = tuple["Case", "PolicyInForce"]


class Lever(StrEnum):
    """What may be moved."""

    AREA = "area"
    """Of all plots, drawn, declared and documented alike; as a share of what it is."""
    YIELD = "yield"
    """Every quantile of every plot; as a share of what it is."""
    PRICE = "price"
    """Of every crop; as a share of what it is."""
    EXISTING_DEBT_SERVICE = "existing_debt_service"
    """Due on other loans until the harvest is sold; minor units."""
    OUTSTANDING = "outstanding"
    """Owed on other loans today; minor units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual:
    """The least change of one input that turns a decision into an approval, all else as it is."""

    lever: Lever
    now: int
    """Thousandths for shares, so 1,000; minor units for money."""
    needed: int
    """In the same unit; one step back is not enough."""


def what_would_change(record: Mapping[str, Any], *, policy: CreditPolicy) -> tuple[Counterfactual, ...]:
    """Return, for each input that alone could, the least change that would have brought an approval.

    Empty for an approval, and where no single input helps: unseen plots need pictures, not hectares.

    Parameters
    ----------
    record : mapping
        As `agrocredit.credit.assess_one` gives it.
    policy : CreditPolicy
        The pack the record names.

    Raises
    ------
    RefusedError
        ``record_incomplete``.
    """
    case = case_of(record)
    terms = policy.on(case.as_of)
    if _approved((case, terms)):
        return ()
    found = [_more(lever, case, terms) for lever in (Lever.AREA, Lever.YIELD, Lever.PRICE)]
    if case.finances is not None:
        found += [
            _less(lever, case, case.finances, terms) for lever in (Lever.EXISTING_DEBT_SERVICE, Lever.OUTSTANDING)
        ]
    return tuple(change for change in found if change is not None)


def moved(case: Case, *, terms: PolicyInForce, lever: Lever, value: int) -> Try:
    """Return the case and terms with one input at another value.

    Parameters
    ----------
    case, terms : Case, PolicyInForce
        As they are.
    lever : Lever
        What moves.
    value : int
        Thousandths of what it is, or minor units for money.
    """
    if lever in {Lever.EXISTING_DEBT_SERVICE, Lever.OUTSTANDING}:
        if case.finances is None:
            msg = f"no finances to move {lever} of"
            raise ValueError(msg)
        return replace(case, finances=replace(case.finances, **{f"{lever}_minor": value})), terms
    times = value / STEPS_A_WHOLE
    if lever is Lever.PRICE:
        crops = {name: replace(crop, price=crop.price * times) for name, crop in terms.crops.items()}
        return case, replace(terms, crops=crops)
    stakes = tuple(
        replace(
            stake,
            area_m2=stake.area_m2 * times,
            declared_area_m2=stake.declared_area_m2 and stake.declared_area_m2 * times,
            documented_area_m2=stake.documented_area_m2 and stake.documented_area_m2 * times,
        )
        if lever is Lever.AREA
        else replace(stake, quantiles_t_ha=stake.quantiles_t_ha and tuple(q * times for q in stake.quantiles_t_ha))
        for stake in case.stakes
    )
    return replace(case, stakes=stakes), terms


def _more(lever: Lever, case: Case, terms: PolicyInForce) -> Counterfactual | None:
    """Return the smallest rise of an input that brings an approval, None where its most does not."""
    needed = _first(
        lambda value: _approved(moved(case, terms=terms, lever=lever, value=value)),
        low=STEPS_A_WHOLE,
        high=STEPS_A_WHOLE * TIMES_MAX,
    )
    return None if needed is None else Counterfactual(lever=lever, now=STEPS_A_WHOLE, needed=needed)


def _less(lever: Lever, case: Case, finances: Finances, terms: PolicyInForce) -> Counterfactual | None:
    """Return the smallest fall of an amount that brings an approval, None where its absence does not."""
    now: int = getattr(finances, f"{lever}_minor")
    fall = _first(lambda value: _approved(moved(case, terms=terms, lever=lever, value=now - value)), low=0, high=now)
    return None if fall is None else Counterfactual(lever=lever, now=now, needed=now - fall)


def _first(holds: Callable[[int], bool], *, low: int, high: int) -> int | None:
    """Return the smallest whole number above `low`, up to `high`, that holds; None where `high` does not."""
    if high <= low or not holds(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _approved(tried: Try) -> bool:
    case, terms = tried
    return decide([case], terms=terms)[0].decision.outcome is Outcome.APPROVED
