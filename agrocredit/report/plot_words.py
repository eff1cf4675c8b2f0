"""A plot in words: its crop, its area against the declared one, its yield, or why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agrocredit.report.display import area, percent, printable, tonnes
from agrocredit.report.wording import ABSTENTIONS, code_words

if TYPE_CHECKING:
    from agrocredit.report.inputs import ReportInputs
    from agrocredit.report.joined import PlotView


def crop_words(inputs: ReportInputs, crop: str | None) -> str:
    """Return a crop's name for people."""
    if crop is None:
        return "crop not stated"
    return inputs.crops[crop].label if crop in inputs.crops else printable(code_words(crop))


def area_words(plot: PlotView, *, unit: str) -> str:
    """Return the plot's area, with the declared one and how far it is off."""
    measured = area(plot.area_m2, unit)
    if plot.declared_area_m2 is None:
        return measured
    more_m2 = plot.declared_area_m2 - plot.area_m2
    off = percent(abs(more_m2), plot.area_m2)
    return f"{measured} (declared {area(plot.declared_area_m2, unit)}, {off} {'more' if more_m2 > 0 else 'less'})"


def yield_words(plot: PlotView) -> str:
    """Return median, q05 and q95 in t/ha as text without the unit, empty where no yield is stated."""
    if plot.estimate is None or plot.estimate.quantiles_t_ha is None:
        return ""
    quantiles = plot.estimate.quantiles_t_ha
    return f"{tonnes(quantiles[3])} ({tonnes(quantiles[0])} to {tonnes(quantiles[6])})"


def why_words(plot: PlotView) -> str:
    """Return why the plot has no yield and what would help, empty where it has one."""
    if plot.refusal_code:
        return f"Refused: {code_words(plot.refusal_code)}."
    if plot.estimate is None:
        return "No estimate in this run."
    if plot.estimate.reason is None:
        return ""
    words = ABSTENTIONS[plot.estimate.reason]
    return f"{words.meaning} {words.remedy}"
