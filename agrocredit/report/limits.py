"""Which caps set the limits, how limits are spread, and the farmers one by one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agrocredit.domain.decision import CapName, Decision, Outcome
from agrocredit.report.bars import Bar, bars, draw_histogram
from agrocredit.report.display import day, money, percent, printable, tonnes
from agrocredit.report.wording import CAPS, OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from markupsafe import Markup

    from agrocredit.report.joined import FarmerView, Run

ROWS_FIRST = 25
"""Farmers shown before a reader turns the page or searches."""
FARMERS_LISTED_MAX = 20_000
"""Farmers the page can search; beyond, the largest limits are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Limits of one currency."""

    currency: str
    drawing: Markup
    middle: str
    """The median limit."""


def binding_caps(run: Run) -> tuple[Bar, ...]:
    """Return how many approved limits each cap set."""
    approved = [farmer.decision for farmer in run.farmers if farmer.decision.outcome is Outcome.APPROVED]
    counts = Counter(decision.binding_cap for decision in approved)
    rows = [
        (CAPS[cap], counts[cap], f"{percent(counts[cap], len(approved))} of limits", str(cap))
        for cap in CapName
        if counts[cap]
    ]
    return bars(rows)


def spreads(run: Run) -> tuple[Spread, ...]:
    """Return the spread of the limits above 0, one a currency."""
    by_currency: dict[str, list[int]] = {}
    for farmer in run.farmers:
        if farmer.decision.limit_minor:
            by_currency.setdefault(farmer.decision.currency, []).append(farmer.decision.limit_minor)
    return tuple(
        Spread(
            currency=currency,
            drawing=draw_histogram(amounts, currency=currency),
            middle=money(sorted(amounts)[len(amounts) // 2], currency),
        )
        for currency, amounts in sorted(by_currency.items())
    )


def listed_farmers(run: Run) -> tuple[FarmerView, ...]:
    """Return the farmers of the table: largest limit first, then those referred, then those declined, then by id."""
    rank = {outcome: number for number, outcome in enumerate(Outcome)}
    ordered = sorted(
        run.farmers,
        key=lambda farmer: (-farmer.decision.limit_minor, rank[farmer.decision.outcome], farmer.decision.farmer_id),
    )
    return tuple(ordered[:FARMERS_LISTED_MAX])


def yield_reach_t_ha(farmers: tuple[FarmerView, ...]) -> float:
    """Return where the table's yield bars end: the 98th percentile of q95, so that one outlier flattens none."""
    tops = sorted(farmer.interval_t_ha[2] for farmer in farmers if farmer.interval_t_ha)
    return max(tops[(len(tops) - 1) * 98 // 100], 0.1) if tops else 1.0


def farmer_row(farmer: FarmerView, *, run: Run, reach_t_ha: float, sentence: Callable[[str], str]) -> dict[str, Any]:
    """Return the cells of one farmer's row, as text and bar positions in per cent."""
    decision = farmer.decision
    return {
        "farmer": printable(decision.farmer_id),
        "plots": [printable(run.plots[position].id) for position in farmer.plots],
        "outcome": str(decision.outcome),
        "outcome_words": OUTCOMES[decision.outcome],
        "limit": money(decision.limit_minor, decision.currency) if decision.limit_minor else "",
        "cap": CAPS[decision.binding_cap] if decision.binding_cap else "",
        "reasons": [{"code": code, "words": sentence(code)} for code in decision.reasons],
        "due": day(decision.due_on) if decision.due_on and decision.limit_minor else "",
        "hash": farmer.decision_sha256,
        "yield": yield_words(farmer),
        "bar": yield_bar(farmer, reach_t_ha),
        "partial": farmer.estimated < len(farmer.plots),
        "estimated": farmer.estimated,
    }


def yield_words(farmer: FarmerView) -> str:
    """Return the yield as its median and the interval from q05 to q95, empty where there is none."""
    if farmer.interval_t_ha is None:
        return ""
    low, middle, high = map(tonnes, farmer.interval_t_ha)
    return f"{middle} ({low} to {high})"


def yield_bar(farmer: FarmerView, reach_t_ha: float) -> tuple[float, float, float] | None:
    """Return left end, median and right end of the yield bar in per cent of its track, ends kept inside."""
    if farmer.interval_t_ha is None:
        return None
    low, middle, high = (round(100 * min(value / reach_t_ha, 1.0), 1) for value in farmer.interval_t_ha)
    return low, middle, high


def cap_amounts(decision: Decision) -> list[tuple[str, str]]:
    """Return every cap that was computed with its amount, smallest first; ties in the order of `CapName`."""
    order = list(CapName)
    caps = sorted(decision.caps.items(), key=lambda cap: (cap[1], order.index(cap[0])))
    return [(CAPS[name], money(amount, decision.currency)) for name, amount in caps]
