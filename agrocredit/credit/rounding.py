"""Rounding, each with a name and a direction. The only place where a simulated float becomes money."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from numpy.typing import NDArray

NOISE_DECIMALS = 6
"""Decimals of a minor unit that are kept before flooring, so that 0.1 + 0.2 does not cost a farmer a cent."""
DAYS_A_YEAR = 365
"""Act/365: the day count convention, not a setting."""


def floor_to_minor(amount_major: NDArray[np.float64], *, minor_per_major: int) -> NDArray[np.int64]:
    """Return simulated amounts in whole minor units, rounded down: in the lender's favour.

    Parameters
    ----------
    amount_major : ndarray of float, any shape
        Amounts in the major unit of a currency, finite.
    minor_per_major : int
        Minor units in one major unit.

    >>> floor_to_minor(np.array([7553.029, 0.29]), minor_per_major=100).tolist()
    [755302, 29]
    """
    return np.floor(np.round(amount_major * minor_per_major, NOISE_DECIMALS)).astype(np.int64)


def half_up(amount: Fraction) -> int:
    """Return the nearest integer; a half goes up, as a bank's interest does.

    >>> half_up(Fraction(5, 2)), half_up(Fraction(7, 3))
    (3, 2)
    """
    return (2 * amount.numerator + amount.denominator) // (2 * amount.denominator)


def simple_interest_minor(principal_minor: int, *, rate: Decimal, days: int) -> int:
    """Return simple Act/365 interest in minor units, rounded half up.

    Parameters
    ----------
    principal_minor : int
        Outstanding principal, minor units.
    rate : Decimal
        Yearly rate as a share: ``Decimal("0.07")`` is 7 %.
    days : int
        Days outstanding, 0 or more.

    >>> from decimal import Decimal
    >>> simple_interest_minor(5_000_000, rate=Decimal("0.07"), days=180)
    172603
    """
    return half_up(Fraction(principal_minor) * Fraction(rate) * days / DAYS_A_YEAR)


def split_by_largest_remainder(total: int, *, weights: Sequence[int]) -> tuple[int, ...]:
    """Return integer parts in proportion to the weights whose sum is exactly `total` (Hamilton's method).

    The units left over after flooring go to the largest remainders; equal remainders to the earlier part.

    >>> split_by_largest_remainder(100, weights=(1, 1, 1))
    (34, 33, 33)
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        msg = f"weights {tuple(weights)}, expected 0 or more with a positive sum"
        raise ValueError(msg)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return tuple(parts)
