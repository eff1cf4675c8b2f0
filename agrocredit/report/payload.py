"""What the page's script needs, as JSON that is safe inside a script element."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from agrocredit.report import packed_looks, plot_words
from agrocredit.report.curves import BOTTOM, LEFT, RIGHT, TOP, VALUE_MAX, VALUE_MIN
from agrocredit.report.display import day, money, printable, short_hash
from agrocredit.report.limits import ROWS_FIRST, cap_amounts, listed_farmers, yield_bar, yield_reach_t_ha, yield_words
from agrocredit.report.plot_words import area_words, crop_words, why_words
from agrocredit.report.wording import CAPS, OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agrocredit.report.atlas import Atlas
    from agrocredit.report.curves import Frame
    from agrocredit.report.inputs import ReportInputs
    from agrocredit.report.joined import FarmerView, Run
    from agrocredit.report.looks import Looks

CURVES_MAX = 5_000
"""Plots whose looks the page carries; beyond, every k-th of the plots on the map."""
FULL_HASHES_MAX = 2_000
"""Up to this many plots or farmers the page carries whole hashes, beyond only their first characters."""


class Numbered:
    """Texts by number, each kept once; numbers are given in the order of first use."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """Return the number of a text."""
        return self._numbers.setdefault(text, len(self._numbers))

    @property
    def texts(self) -> list[str]:
        """All texts in order of their numbers."""
        return list(self._numbers)


def safe_json(value: object) -> Markup:
    """Return JSON in ASCII in which no character can end a script element or start a tag.

    Raises
    ------
    ValueError
        Where a number is not finite: a mistake of ours, since JSON has no word for it.
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - the characters that matter are escaped above


def payload(inputs: ReportInputs, run: Run, *, atlas: Atlas | None, frame: Frame | None) -> dict[str, Any]:
    """Return the data of the page's script: plots on the map, farmers of the table, shared texts, axes."""
    drawn = atlas.drawn if atlas else ()
    number_of = {position: number for number, position in enumerate(drawn)}
    farmers = listed_farmers(run)
    texts = Numbered()
    return {
        "plots": _plots(inputs, run, drawn, texts=texts),
        "farmers": _farmers(inputs, farmers, number_of, texts=texts),
        "painted": list(atlas.painted) if atlas else [],
        "looks": _looks([run.plots[position].looks for position in drawn]),
        "frame": _frame(frame),
        "map": {"width_m": atlas.width_m if atlas else 0},
        "rows": ROWS_FIRST,
        "texts": texts.texts,
    }


def _plots(inputs: ReportInputs, run: Run, drawn: Sequence[int], *, texts: Numbered) -> dict[str, list[Any]]:
    plots = [run.plots[position] for position in drawn]
    whole = len(plots) <= FULL_HASHES_MAX
    return {
        "id": [printable(plot.id) for plot in plots],
        "crop": [texts.number(crop_words(inputs, plot.crop)) for plot in plots],
        "area": [area_words(plot, unit=inputs.area_unit) for plot in plots],
        "yield": [plot_words.yield_words(plot) for plot in plots],
        "why": [texts.number(why_words(plot)) for plot in plots],
        "clear": [plot.estimate.clear_observations if plot.estimate else None for plot in plots],
        "evidence": [_hash(plot.estimate.evidence_sha256, whole) if plot.estimate else "" for plot in plots],
    }


def _farmers(
    inputs: ReportInputs, farmers: tuple[FarmerView, ...], number_of: dict[int, int], *, texts: Numbered
) -> dict[str, list[Any]]:
    reach_t_ha = yield_reach_t_ha(farmers)
    decisions = [farmer.decision for farmer in farmers]
    whole = len(farmers) <= FULL_HASHES_MAX
    return {
        "id": [printable(decision.farmer_id) for decision in decisions],
        "outcome": [texts.number(OUTCOMES[decision.outcome]) for decision in decisions],
        "minor": [decision.limit_minor for decision in decisions],
        "limit": [money(one.limit_minor, one.currency) if one.limit_minor else "" for one in decisions],
        "cap": [texts.number(CAPS[one.binding_cap] if one.binding_cap else "") for one in decisions],
        "caps": [[[texts.number(name), amount] for name, amount in cap_amounts(one)] for one in decisions],
        "reasons": [[texts.number(inputs.sentence(code)) for code in one.reasons] for one in decisions],
        "due": [texts.number(day(one.due_on) if one.due_on and one.limit_minor else "") for one in decisions],
        "due_on": [texts.number(one.due_on.isoformat() if one.due_on and one.limit_minor else "") for one in decisions],
        "yield": [yield_words(farmer) for farmer in farmers],
        "bar": [yield_bar(farmer, reach_t_ha) for farmer in farmers],
        "estimated": [farmer.estimated for farmer in farmers],
        "held": [len(farmer.plots) for farmer in farmers],
        "plots": [[number_of[one] for one in farmer.plots if one in number_of] for farmer in farmers],
        "hash": [_hash(farmer.decision_sha256, whole) for farmer in farmers],
    }


def _hash(digest: str, whole: bool) -> str:  # noqa: FBT001 - private, one call a table
    return printable(digest) if whole else short_hash(printable(digest))


def carried(count: int) -> int:
    """Return the step at which plots carry their looks: 1 up to `CURVES_MAX` plots."""
    return -(-count // CURVES_MAX) or 1


def _looks(looks: Sequence[Looks]) -> dict[str, Any]:
    every = carried(len(looks))
    kept = looks[::every]
    slots = packed_looks.slots_of(kept)
    return {
        "every": every,
        "slots": slots,
        "packed": [packed_looks.pack_looks(one, slots) for one in kept],
        "alphabet": packed_looks.ALPHABET,
        "low": packed_looks.VALUE_LOW,
        "high": packed_looks.VALUE_HIGH,
    }


def _frame(frame: Frame | None) -> dict[str, Any] | None:
    if frame is None:
        return None
    return {
        "window": list(frame.window),
        "index": frame.index,
        "clear_min": frame.clear_fraction_min,
        "gap_days": frame.gap_days_min,
        "box": [LEFT, RIGHT, TOP, BOTTOM],
        "range": [VALUE_MIN, VALUE_MAX],
    }


def notes(run: Run, atlas: Atlas | None) -> Iterable[str]:
    """Yield what the page leaves out of the data it carries, in sentences."""
    drawn = len(atlas.drawn) if atlas else 0
    if carried(drawn) > 1:
        kept = -(-drawn // carried(drawn))
        yield f"The page carries the curves of {kept:,} of {len(run.plots):,} plots; the observations hold them all."
    listed = len(listed_farmers(run))
    if listed < len(run.farmers):
        yield f"The table lists the {listed:,} largest limits of {len(run.farmers):,}; the decisions hold them all."
