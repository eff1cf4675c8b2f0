"""The page: tables joined, sections drawn, template filled."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from agrocredit.domain.decision import Outcome
from agrocredit.report import headline, in_force, limits, reasons
from agrocredit.report.atlas import PLOTS_DRAWN_MAX, draw_atlas, overlap_words
from agrocredit.report.colours import CATEGORIES, shades
from agrocredit.report.curve_cards import curve_cards, shared_frame
from agrocredit.report.curves import empty_curve
from agrocredit.report.display import day_range, printable, short_hash
from agrocredit.report.joined import Run, join_run
from agrocredit.report.looks import date_of
from agrocredit.report.payload import notes, payload, safe_json
from agrocredit.report.provenance import provenance
from agrocredit.report.wording import OUTCOMES

if TYPE_CHECKING:
    from agrocredit.report.inputs import ReportInputs

SCRIPTS = ("unpack.js", "map.js", "card.js", "farmers.js", "print.js")
"""Parts of the page's one script, in order."""


def render_report(inputs: ReportInputs) -> str:
    """Return one self-contained HTML page about a run.

    The page needs no network and no other file; equal inputs, in any row order, give equal text.

    Parameters
    ----------
    inputs : ReportInputs
        The run's tables. Those after the point where a run stopped may be None or empty.

    Raises
    ------
    InputUnusableError
        Where a table breaks the contract: ``column_missing``, ``column_type_invalid``, ``value_missing``,
        ``estimate_invalid``, ``decision_invalid``, ``currency_unknown``; names table and row.
    """
    run = join_run(inputs)
    frame = shared_frame(inputs, run)
    atlas = draw_atlas(run)
    found = headline.tally(run)
    script = "\n".join(_file(name) for name in SCRIPTS)
    return (
        _environment()
        .get_template("page.html")
        .render(
            title=inputs.title,
            simulated=inputs.simulated,
            sentence=headline.sentence(run, found),
            figures=headline.figures(run, found, area_unit=inputs.area_unit),
            span=day_range(date_of(run.window[0]), date_of(run.window[1])) if run.window else "",
            run=run,
            atlas=atlas,
            overlap_words=overlap_words(),
            drawn_max=PLOTS_DRAWN_MAX,
            frame=frame,
            curves=curve_cards(inputs, run, frame=frame) if frame else (),
            empty_curve=empty_curve(frame) if frame else None,
            caps=limits.binding_caps(run),
            spreads=limits.spreads(run),
            changes=in_force.limit_changes(run),
            notices=in_force.cut_notices(inputs),
            notices_owed=len(inputs.notices),
            parts=in_force.parts_released(inputs),
            farmers=_first_rows(inputs, run),
            reasons=_reasons(inputs, run),
            abstentions=reasons.abstentions(run, area_unit=inputs.area_unit),
            abstention_sentence=reasons.abstention_sentence(run),
            sources=provenance(inputs, run),
            notes=(*(atlas.notes if atlas else ()), *notes(run, atlas)),
            data=safe_json(payload(inputs, run, atlas=atlas, frame=frame)),
            style=Markup(_colour_rules() + _file("page.css")),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            script_sha256=_digest(script),
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("agrocredit.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finished,
    )
    environment.filters["short_hash"] = short_hash
    return environment


def _finished(value: object) -> object:
    """Return what a template prints: whole numbers with separators, texts without characters that could mislead."""
    if isinstance(value, Markup) or not isinstance(value, int | str):
        return value
    return f"{value:,}" if isinstance(value, int) else printable(value)


def _file(name: str) -> str:
    return resources.files("agrocredit.report.templates").joinpath(name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    """Return the script's hash as the page's content security policy names it: no other script may run."""
    # The template puts one line break on each side.
    return base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode()


def _colour_rules() -> str:
    pairs = [(f"--s{number}", colour) for number, colour in enumerate(shades())]
    pairs += [(f"--c{number}", colour) for number, colour in enumerate(CATEGORIES)]
    return ":root{" + ";".join(f"{name}:{colour}" for name, colour in pairs) + "}\n"


def _first_rows(inputs: ReportInputs, run: Run) -> list[dict[str, Any]]:
    listed = limits.listed_farmers(run)
    reach_t_ha = limits.yield_reach_t_ha(listed)
    first = listed[: limits.ROWS_FIRST]
    return [limits.farmer_row(farmer, run=run, reach_t_ha=reach_t_ha, sentence=inputs.sentence) for farmer in first]


def _reasons(inputs: ReportInputs, run: Run) -> list[tuple[str, tuple[Any, ...]]]:
    counted = [
        (OUTCOMES[outcome], reasons.reason_bars(run, outcome=outcome, sentence=inputs.sentence)) for outcome in Outcome
    ]
    return [(words, bars) for words, bars in counted if bars]
