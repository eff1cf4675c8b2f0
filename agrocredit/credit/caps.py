"""The named caps: each a small formula over many farmers at once, in major units of the policy's currency.

Sources: the debt service coverage form follows the Farm Financial Standards Council's repayment capacity; the other
caps are the product's own. ``docs/method/credit.md`` has them all with their words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agrocredit.credit.rounding import DAYS_A_YEAR

if TYPE_CHECKING:
    from datetime import date

    import numpy as np
    from numpy.typing import NDArray

    from agrocredit.credit.terms import CropTerms, Evidence, Need


def bullet_capacity(
    cash_quantile: NDArray[np.float64], *, dscr_min: float, rate: float, days: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the principal that cash at harvest repays at one date: ``Q / (dscr_min * (1 + rate * days / 365))``.

    Parameters
    ----------
    cash_quantile : ndarray of float
        The low quantile of cash available for debt service, major units; may be negative.
    dscr_min : float
        Cash over amount due, at least.
    rate : float
        Simple yearly interest as a share.
    days : ndarray of int
        Days until due, same shape.

    >>> import numpy as np
    >>> round(float(bullet_capacity(np.array([10_000.0]), dscr_min=1.25, rate=0.12, days=np.array([180]))[0]), 2)
    7553.03
    """
    return cash_quantile / (dscr_min * (1.0 + rate * days / DAYS_A_YEAR))


def costs_to_fund(crop: CropTerms, *, harvest_from_on: date, as_of: date, need: Need) -> float:
    """Return the cash costs before harvest that a loan of `as_of` may fund, major units a m2, before the loan's share.

    A cost counts if it falls due no earlier than `need.lookback_days` before `as_of`: with 0 only what is still to
    come.
    """
    oldest = as_of.toordinal() - (need.lookback_days or 0)
    first_harvest = harvest_from_on.toordinal()
    return sum(cost.amount for _, cost in crop.costs if first_harvest - cost.days_before_harvest >= oldest)


def grade_amount(evidence: Evidence, *, grade: str) -> float:
    """Return what a square metre of this evidence grade is worth at most, major units."""
    amount = {"A": evidence.grade_a, "B": evidence.grade_b, "C": evidence.grade_c}[grade]
    if amount is None:
        msg = f"no amount for grade {grade}"
        raise ValueError(msg)
    return amount
