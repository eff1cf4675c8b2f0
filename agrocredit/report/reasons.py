"""Reasons and abstentions, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agrocredit.domain.decision import Outcome
from agrocredit.domain.estimate import AbstainReason
from agrocredit.report.bars import Bar, bars
from agrocredit.report.display import area, counted, percent
from agrocredit.report.wording import ABSTENTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from agrocredit.report.joined import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class AbstentionCount:
    """One reason to abstain, with what it means and what would help."""

    bar: Bar
    meaning: str
    remedy: str


def reason_bars(run: Run, *, outcome: Outcome, sentence: Callable[[str], str]) -> tuple[Bar, ...]:
    """Return how many decisions of one outcome name each reason, and how many name it first."""
    named = [farmer.decision.reasons for farmer in run.farmers if farmer.decision.outcome is outcome]
    mentioned = Counter(code for codes in named for code in set(codes))
    leading = Counter(codes[0] for codes in named)
    rows = [
        (sentence(code), count, f"leads in {leading[code]:,}" if leading[code] else "never leads", code)
        for code, count in mentioned.items()
    ]
    return bars(rows)


def abstentions(run: Run, *, area_unit: str) -> tuple[AbstentionCount, ...]:
    """Return the abstentions counted, most frequent first, each with what would help."""
    counts: Counter[AbstainReason] = Counter()
    areas_m2: Counter[AbstainReason] = Counter()
    for plot in run.plots:
        if plot.estimate is not None and plot.estimate.reason is not None:
            counts[plot.estimate.reason] += 1
            areas_m2[plot.estimate.reason] += plot.area_m2  # type: ignore[assignment]
    rows = [
        (
            ABSTENTIONS[reason].label,
            count,
            f"{percent(count, len(run.plots))} of plots, {area(areas_m2[reason], area_unit)}",
            str(reason),
        )
        for reason, count in counts.items()
    ]
    words = {str(reason): ABSTENTIONS[reason] for reason in AbstainReason}
    return tuple(
        AbstentionCount(bar=bar, meaning=words[bar.code].meaning, remedy=words[bar.code].remedy) for bar in bars(rows)
    )


def abstention_sentence(run: Run) -> str:
    """Return what the abstentions mean for the farmers behind them."""
    outcomes = Counter(
        farmer.decision.outcome for farmer in run.farmers if farmer.plots and farmer.estimated < len(farmer.plots)
    )
    if not outcomes:
        return ""
    parts = [f"{outcomes[outcome]:,} {outcome}" for outcome in Outcome if outcomes[outcome]]
    who = counted(outcomes.total(), "farmer")
    return (
        f"{who} hold at least one such plot: {', '.join(parts)}."
        if outcomes.total() > 1
        else (f"1 farmer holds such a plot: {parts[0].removeprefix('1 ')}.")
    )
