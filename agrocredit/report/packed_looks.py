"""Looks packed into short text, so that a page of thousands of plots stays small enough to mail.

All plots share one list of slots, one a day (two where a plot was looked at twice that day). A plot's text says, slot
by slot: ``.`` no look; ``-`` a look without a value; else three characters, two for the value and one for the share of
the plot that was seen. ``page.js`` unpacks it (`unpackLooks`).
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agrocredit.report.looks import Looks

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+_"
VALUE_LOW, VALUE_HIGH = -2.0, 2.0
"""Range of packed values, in 4,095 steps of about 0.001; what lies beyond is drawn at the edge of the axis anyway."""
_VALUE_STEPS, _FRACTION_STEPS = 64 * 64 - 1, 63


def slots_of(all_looks: Iterable[Looks]) -> list[int]:
    """Return the days of all slots in order, as days since 1970-01-01; a day stands as often as any plot needs it."""
    most: dict[int, int] = {}
    for looks in all_looks:
        for day_number, times in Counter(looks.days.tolist()).items():
            most[day_number] = max(most.get(day_number, 0), times)
    return [day_number for day_number in sorted(most) for _ in range(most[day_number])]


def pack_looks(looks: Looks, slots: Sequence[int]) -> str:
    """Return a plot's looks as text over the shared slots."""
    pieces: list[str] = []
    slot = 0
    for day_number, fraction, value in zip(
        looks.days.tolist(), looks.fractions.tolist(), looks.values.tolist(), strict=True
    ):
        while slots[slot] != day_number:
            pieces.append(".")
            slot += 1
        pieces.append(_packed(value, fraction))
        slot += 1
    return "".join(pieces)


def _packed(value: float, fraction: float) -> str:
    if not math.isfinite(value):
        return "-"
    inside = min(max(value, VALUE_LOW), VALUE_HIGH)
    high, low = divmod(round((inside - VALUE_LOW) / (VALUE_HIGH - VALUE_LOW) * _VALUE_STEPS), 64)
    share = round(min(max(fraction, 0.0), 1.0) * _FRACTION_STEPS) if math.isfinite(fraction) else 0
    return ALPHABET[high] + ALPHABET[low] + ALPHABET[share]
