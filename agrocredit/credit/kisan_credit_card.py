"""Scale of finance: the short-term limit of India's Kisan Credit Card, year by year.

Year 1 is scale of finance times area (plus crop insurance) with shares on top for the household and for upkeep; each
later year adds a share for rising costs. Source: Reserve Bank of India, master circular
FIDD.CO.FSD.BC.No.6/05.05.010/2018-19 (4 July 2018), as answered in the Lok Sabha. Banks differ in whether the yearly
increase is on the crop part or on the whole limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from agrocredit.credit.terms import ScaleOfFinance


def short_term_limit(crop_part: NDArray[np.float64], *, rule: ScaleOfFinance, year: int) -> NDArray[np.float64]:
    """Return the short-term limit of a year of the card, in the unit of `crop_part`.

    Parameters
    ----------
    crop_part : ndarray of float, any shape
        Scale of finance times area, summed over crops, with the insurance premium where there is one.
    rule : ScaleOfFinance
        Shares and switch from policy, all present.
    year : int
        Year of the card, from 1.
    """
    if rule.household_share is None or rule.upkeep_share is None or rule.yearly_increase is None:
        msg = f"incomplete rule {rule}"
        raise ValueError(msg)
    first = crop_part * (1.0 + rule.household_share + rule.upkeep_share)
    years_after = year - 1
    if rule.increase_on == "whole_limit":
        return first * (1.0 + rule.yearly_increase) ** years_after
    grown = crop_part * (1.0 + rule.yearly_increase) ** years_after
    return first + (grown - crop_part)
