"""Concentration: how much of a portfolio stands on few farmers, crops or places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Concentration:
    """The Herfindahl-Hirschman index of some shares, and the number of equal shares that would have it."""

    hhi: float
    """Sum of squared shares: 1 where all stands on one."""
    effective_count: float
    """``1 / hhi``; 0 for nothing."""


def concentration(amounts: Mapping[str, int | float]) -> Concentration:
    """Return how concentrated amounts are.

    Parameters
    ----------
    amounts : mapping of str to number
        Exposure by name, 0 or more, in any unit.

    >>> found = concentration({"wheat": 50, "maize": 30, "rice": 20})
    >>> round(found.hhi, 2), round(found.effective_count, 2)
    (0.38, 2.63)
    """
    whole = sum(amounts.values())
    if not whole:
        return Concentration(hhi=0.0, effective_count=0.0)
    hhi = sum((amounts[name] / whole) ** 2 for name in sorted(amounts))
    return Concentration(hhi=hhi, effective_count=1.0 / hhi)
