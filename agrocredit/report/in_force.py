"""What a run does to limits in force, what it tells those it cuts, and which parts of the limits are released."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from agrocredit.report.bars import Bar, bars
from agrocredit.report.display import counted, day, money, percent, printable
from agrocredit.report.inputs import ReportInputs, checked_frame
from agrocredit.report.wording import CHANGES, RELEASED

if TYPE_CHECKING:
    from agrocredit.report.joined import Run

NOTICES_SHOWN = 10
TRANCHES = pa.schema(
    [
        pa.field("farmer_id", pa.string(), nullable=False),
        pa.field("amount_minor", pa.int64(), nullable=False),
        pa.field("currency", pa.string(), nullable=False),
        pa.field("because", pa.string(), nullable=False),
        pa.field("waits_until", pa.date32()),
    ]
)
"""What the page reads of the parts of the limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Parts of limits of one currency that are released, or wait, for one reason."""

    words: str
    parts: str
    amount: str
    until: str
    """Last day that any of them waits; empty where none does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CutNotice:
    """What one farmer is told."""

    farmer: str
    sentences: tuple[str, ...]


def limit_changes(run: Run) -> tuple[Bar, ...]:
    """Return how many limits are new, stand, rise and fall; nothing where no limit was in force before."""
    counts = Counter(farmer.change for farmer in run.farmers if farmer.change)
    if not counts.keys() - {"new"}:
        return ()
    total = counts.total()
    return bars(
        [
            (words, counts[change], f"{percent(counts[change], total)} of limits", change)
            for change, words in CHANGES.items()
            if counts[change]
        ]
    )


def cut_notices(inputs: ReportInputs) -> tuple[CutNotice, ...]:
    """Return the first notices by farmer; their number is that of the limits cut."""
    ordered = sorted(inputs.notices, key=lambda one: (str(one["farmer_id"]), str(one["season"])))
    return tuple(
        CutNotice(farmer=printable(one["farmer_id"]), sentences=tuple(map(printable, one["sentences"])))
        for one in ordered[:NOTICES_SHOWN]
    )


def parts_released(inputs: ReportInputs) -> tuple[Part, ...]:
    """Return what is released at once, what was released since, and what still waits, by currency.

    Raises
    ------
    InputUnusableError
        As `checked_frame`.
    """
    frame = checked_frame(inputs.tranches, TRANCHES, name="tranches")
    if frame is None:
        return ()
    found = []
    for currency in sorted(frame["currency"].unique()):
        for because, words in RELEASED.items():
            rows = frame[(frame["currency"] == currency) & (frame["because"] == because)]
            if rows.empty:
                continue
            last = rows["waits_until"].dropna()
            found.append(
                Part(
                    words=words,
                    parts=counted(len(rows), "part"),
                    amount=money(int(rows["amount_minor"].sum()), currency),
                    until="" if last.empty else day(max(last)),
                )
            )
    return tuple(found)
