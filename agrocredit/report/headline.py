"""What the run says in one sentence, and its key figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agrocredit.domain.decision import Outcome
from agrocredit.domain.money import minor_per_major
from agrocredit.report.display import area, counted, day_range, money, percent
from agrocredit.report.joined import has_yield

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from agrocredit.report.joined import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A key figure with its label and what it means."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The counts that the headline rests on."""

    plots: int
    seen: int
    """Plots with at least one look that has a value."""
    estimated: int
    abstained: int
    farmers: int
    """Decisions."""
    outcomes: dict[Outcome, int]
    limit_minor: dict[str, int]
    """Sum of the limits a currency."""


def tally(run: Run) -> Tally:
    """Return the counts of a run."""
    limit_minor: Counter[str] = Counter()
    for farmer in run.farmers:
        limit_minor[farmer.decision.currency] += farmer.decision.limit_minor
    outcomes = Counter(farmer.decision.outcome for farmer in run.farmers)
    return Tally(
        plots=len(run.plots),
        seen=sum(plot.looks.seen for plot in run.plots),
        estimated=sum(has_yield(plot) for plot in run.plots),
        abstained=sum(plot.estimate is not None and not has_yield(plot) for plot in run.plots),
        farmers=len(run.farmers),
        outcomes={outcome: outcomes[outcome] for outcome in Outcome},
        limit_minor=dict(sorted(limit_minor.items())),
    )


def sentence(run: Run, found: Tally) -> str:
    """Return what the run says, in one or two sentences."""
    if not found.plots:
        return "No plot of this run could be used."
    if run.decided:
        return _decided(found)
    if run.estimated:
        return (
            f"Of {counted(found.plots, 'plot')}, {found.estimated:,} have a yield estimate and"
            f" {found.abstained:,} do not; no limit has been decided yet."
        )
    if found.seen:
        return f"{found.seen:,} of {counted(found.plots, 'plot')} were seen; no yield has been estimated yet."
    return f"None of {counted(found.plots, 'plot')} was seen, so nothing can be said about any of them."


def _decided(found: Tally) -> str:
    approved, referred, declined = (found.outcomes[outcome] for outcome in Outcome)
    if approved:
        total = " and ".join(money(amount, currency) for currency, amount in found.limit_minor.items() if amount)
        first = f"{approved:,} of {counted(found.farmers, 'farmer')} can be lent {total} in total"
    else:
        first = f"None of {counted(found.farmers, 'farmer')} is approved"
    rest = []
    if referred:
        rest.append(f"{referred:,} {'needs' if referred == 1 else 'need'} a person to look")
    if declined:
        rest.append(f"{declined:,} {'is' if declined == 1 else 'are'} declined")
    said = f"{first}; {' and '.join(rest)}." if rest else f"{first}."
    if found.abstained:
        said += f" For {found.abstained:,} of {counted(found.plots, 'plot')} the yield cannot be told."
    return said


def figures(run: Run, found: Tally, *, area_unit: str) -> tuple[Figure, ...]:
    """Return the key figures; those a run has not come to are left out."""
    total_m2 = sum(plot.area_m2 for plot in run.plots)
    shown = [
        Figure(label="plots", value=f"{found.plots:,}", note=area(total_m2, area_unit)),
        Figure(label="seen", value=f"{found.seen:,}", note="at least one look with a value"),
    ]
    if run.estimated:
        note = f"{percent(found.abstained, found.plots)} of plots; no yield stated"
        shown.append(Figure(label="abstained", value=f"{found.abstained:,}", note=note))
    if run.decided:
        shown += _decision_figures(run, found)
    as_of = _span(plot.estimate.as_of for plot in run.plots if plot.estimate)
    as_of = _span(farmer.decision.as_of for farmer in run.farmers) or as_of
    if as_of:
        shown.append(Figure(label="as of", value=as_of, note="nothing later was used"))
    return tuple(shown)


def _decision_figures(run: Run, found: Tally) -> list[Figure]:
    notes = {
        Outcome.APPROVED: f"{percent(found.outcomes[Outcome.APPROVED], found.farmers)} of farmers",
        Outcome.REFERRED: "to a person; not a decline",
        Outcome.DECLINED: "under this policy, this season",
    }
    shown = [
        Figure(label=f"farmers {outcome}", value=f"{found.outcomes[outcome]:,}", note=note)
        for outcome, note in notes.items()
    ]
    for currency, amount in found.limit_minor.items():
        approved = [f for f in run.farmers if f.decision.limit_minor and f.decision.currency == currency]
        mean = f"mean {money(_whole(amount / len(approved), currency), currency)}" if approved else ""
        shown.append(Figure(label="total limit", value=money(amount, currency), note=mean))
    due = _span(farmer.decision.due_on for farmer in run.farmers if farmer.decision.limit_minor)
    if due:
        shown.append(Figure(label="due", value=due))
    for policy, version in sorted({(f.decision.policy, f.decision.policy_version) for f in run.farmers}):
        shown.append(Figure(label="policy", value=policy, note=f"version {version}"))
    return shown


def _whole(amount_minor: float, currency: str) -> int:
    per_major = minor_per_major(currency)
    return round(amount_minor / per_major) * per_major


def _span(dates: Iterable[date | None]) -> str:
    known = sorted(on for on in dates if on is not None)
    return day_range(known[0], known[-1]) if known else ""
