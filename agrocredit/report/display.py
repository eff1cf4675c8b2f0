"""Numbers, dates and ids as a reader sees them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from agrocredit.domain.money import minor_per_major
from agrocredit.domain.units import area_from_m2

if TYPE_CHECKING:
    from datetime import date

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
UNIT_SIGNS = {"m2": "m\u00b2"}
HASH_SHOWN = 12
"""Characters of a SHA-256 that are shown; the whole stands in the title."""
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def printable(text: object) -> str:
    """Return a text without control characters, direction overrides and lone surrogates, each shown as U+FFFD.

    They could hide what an id says, or keep the page from being written as UTF-8.
    """
    return _UNPRINTABLE.sub("\ufffd", str(text))


def counted(number: int, thing: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "plot"), counted(2500, "plot")
    ('1 plot', '2,500 plots')
    """
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def percent(part: float, whole: float) -> str:
    """Return a share in per cent, or a dash where there is no whole.

    >>> percent(1, 4), percent(1, 200)
    ('25 %', '0.5 %')
    """
    if not whole:
        return "\u2013"
    share = 100 * part / whole
    return f"{share:.1f} %" if 0 < share < 1 else f"{share:.0f} %"


def money(amount_minor: int, currency: str) -> str:
    """Return an amount with its currency, without decimals where they are all zero.

    >>> money(755_000, "CNY"), money(755_050, "CNY"), money(5_000, "UGX")
    ('CNY 7,550', 'CNY 7,550.50', 'UGX 5,000')
    """
    per_major = minor_per_major(currency)
    digits = 0 if amount_minor % per_major == 0 else len(str(per_major)) - 1
    return f"{currency} {Decimal(amount_minor) / per_major:,.{digits}f}"


def area(area_m2: float, unit: str) -> str:
    """Return an area in a unit, with about three digits.

    >>> area(6666.67, "mu"), area(6666.67, "ha")
    ('10.0 mu', '0.67 ha')
    """
    value = area_from_m2(area_m2, unit)
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {UNIT_SIGNS.get(unit, unit)}"


def tonnes(yield_t_ha: float) -> str:
    """Return a yield in t/ha as a bare number.

    >>> tonnes(5.214), tonnes(48.3), tonnes(0.42)
    ('5.2', '48', '0.42')
    """
    digits = 0 if yield_t_ha >= 20 else 1 if yield_t_ha >= 1 else 2
    return f"{yield_t_ha:,.{digits}f}"


def day(on: date) -> str:
    """Return a date that no country reads backwards.

    >>> from datetime import date
    >>> day(date(2026, 6, 4))
    '4 Jun 2026'
    """
    return f"{on.day} {MONTHS[on.month - 1]} {on.year}"


def day_range(first_on: date, last_on: date) -> str:
    """Return one date or two."""
    return day(first_on) if first_on == last_on else f"{day(first_on)} to {day(last_on)}"


def short_hash(digest: str) -> str:
    """Return the first characters of a hash."""
    return digest[:HASH_SHOWN]
