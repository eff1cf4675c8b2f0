"""Which few plots tell a run: the ordinary, the clouded, the empty, the smallest, the largest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agrocredit.domain.decision import Outcome
from agrocredit.domain.estimate import AbstainReason
from agrocredit.report.joined import has_yield

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agrocredit.report.joined import PlotView, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A plot and why it is shown."""

    position: int
    """In `Run.plots`."""
    why: str


def telling_plots(run: Run) -> tuple[Pick, ...]:
    """Return up to six plots with looks, each for another reason, no plot twice; ties go to the first id."""
    picks: list[Pick] = []
    taken: set[int] = set()
    for why, candidates, rank in _wishes(run):
        free = [position for position in candidates if position not in taken and len(run.plots[position].looks)]
        if free:
            best = min(free, key=lambda position: (rank(run.plots[position]), position))
            taken.add(best)
            picks.append(Pick(position=best, why=why))
    return tuple(picks)


def _wishes(run: Run) -> Iterator[tuple[str, list[int], Callable[[PlotView], float]]]:
    everything = list(range(len(run.plots)))
    farmer_of = run.farmer_of()
    outcome_of = {farmer_id: farmer.decision.outcome for farmer_id, farmer in farmer_of.items()}

    def with_outcome(outcome: Outcome) -> list[int]:
        return [
            position
            for position in everything
            if has_yield(run.plots[position])
            and outcome in {outcome_of.get(farmer_id) for farmer_id in run.plots[position].farmer_ids}
        ]

    def abstained(reason: AbstainReason) -> list[int]:
        return [position for position in everything if _reason(run.plots[position]) is reason]

    approved = with_outcome(Outcome.APPROVED)
    medians = sorted(_median(run.plots[position]) for position in approved)
    middle = medians[len(medians) // 2] if medians else 0.0
    yield "approved, with the middle yield", approved, lambda plot: abs(_median(plot) - middle)
    yield "declined", with_outcome(Outcome.DECLINED), _median
    clouded = abstained(AbstainReason.TOO_FEW_CLEAR_OBSERVATIONS)
    yield "abstained: too few clear looks", clouded, lambda plot: -len(plot.looks)
    yield "abstained: no crop seen", abstained(AbstainReason.NO_CROP_SEEN), lambda plot: -plot.area_m2
    # Only the one plot that is smallest or largest may be called so: shown already, it is not shown again.
    by_area = sorted((p for p in everything if len(run.plots[p].looks)), key=lambda p: (run.plots[p].area_m2, p))
    yield "the smallest plot", by_area[:1], lambda plot: plot.area_m2
    yield "the largest plot", by_area[-1:], lambda plot: -plot.area_m2


def _reason(plot: PlotView) -> AbstainReason | None:
    return plot.estimate.reason if plot.estimate else None


def _median(plot: PlotView) -> float:
    return plot.estimate.quantiles_t_ha[3] if plot.estimate and plot.estimate.quantiles_t_ha else 0.0
