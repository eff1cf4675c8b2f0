"""The telling plots, each with its curve and what the run says about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agrocredit.report.curves import Frame, draw_curve, longest_gap
from agrocredit.report.looks import number_of
from agrocredit.report.picks import telling_plots
from agrocredit.report.plot_words import area_words, crop_words, why_words, yield_words

if TYPE_CHECKING:
    from markupsafe import Markup

    from agrocredit.report.inputs import ReportInputs
    from agrocredit.report.joined import PlotView, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveCard:
    """One plot with its curve."""

    plot_id: str
    why: str
    """Why this plot is shown."""
    facts: str
    answer: str
    looks: str
    drawing: Markup


def shared_frame(inputs: ReportInputs, run: Run) -> Frame | None:
    """Return the axes of all curves of a page, or None where nothing was looked at."""
    if run.window is None:
        return None
    as_of = max((plot.estimate.as_of for plot in run.plots if plot.estimate), default=None)
    return Frame(
        window=run.window,
        index=inputs.index.upper(),
        clear_fraction_min=inputs.clear_fraction_min,
        gap_days_min=inputs.gap_days_min,
        as_of=number_of(as_of) if as_of else None,
    )


def curve_cards(inputs: ReportInputs, run: Run, *, frame: Frame) -> tuple[CurveCard, ...]:
    """Return the cards of the telling plots."""
    return tuple(_card(inputs, run.plots[pick.position], frame=frame, why=pick.why) for pick in telling_plots(run))


def _card(inputs: ReportInputs, plot: PlotView, *, frame: Frame, why: str) -> CurveCard:
    stated = yield_words(plot)
    looks = looks_words(plot, frame)
    return CurveCard(
        plot_id=plot.id,
        why=why,
        facts=f"{crop_words(inputs, plot.crop)}, {area_words(plot, unit=inputs.area_unit)}",
        answer=f"Yield {stated} t/ha." if stated else why_words(plot),
        looks=looks,
        drawing=draw_curve(plot.looks, frame=frame, label=f"{frame.index} of plot {plot.id}: {looks}"),
    )


def looks_words(plot: PlotView, frame: Frame) -> str:
    """Return how many looks were clear, and the longest time without one."""
    clear = int(plot.looks.clear(frame.clear_fraction_min).sum())
    gap = longest_gap(frame.gaps(plot.looks))
    return f"{clear} of {len(plot.looks)} looks clear" + (f"; {gap}" if gap else "")
