"""When money comes back: due dates from the harvest window, and bullets that sum exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from agrocredit.credit.rounding import split_by_largest_remainder

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Bullet:
    """One repayment of principal."""

    crop: str
    due_on: date
    principal_minor: int


@lru_cache(maxsize=1_024)
def due_on(harvest_from_on: date, *, harvest_end_on: date, harvest_quantile: float, marketing_days: int) -> date:
    """Return the day a crop's loan falls due: a quantile of the harvest window, then time to sell.

    Harvest days count as equally likely within the crop's usual window.

    Parameters
    ----------
    harvest_from_on, harvest_end_on : date
        First usual day of harvest, and the day after the last.
    harvest_quantile : float
        Share of the window after which the crop counts as cut.
    marketing_days : int
        From harvest to money.

    >>> due_on(date(2024, 6, 1), harvest_end_on=date(2024, 6, 21), harvest_quantile=0.8, marketing_days=30)
    datetime.date(2024, 7, 17)
    """
    window_days = (harvest_end_on - harvest_from_on).days
    return harvest_from_on + timedelta(days=math.ceil(harvest_quantile * window_days) + marketing_days)


def bullets(limit_minor: int, *, crops: Sequence[tuple[str, date, int]]) -> tuple[Bullet, ...]:
    """Return one bullet a crop that sum to the limit exactly, in proportion to what each crop is worth.

    Parameters
    ----------
    limit_minor : int
        The limit in minor units.
    crops : sequence of (crop, due date, worth in minor units)
        In the order of their due dates; worth 0 or more, not all 0.
    """
    parts = split_by_largest_remainder(limit_minor, weights=[worth for _, _, worth in crops])
    return tuple(
        Bullet(crop=crop, due_on=due, principal_minor=part) for (crop, due, _), part in zip(crops, parts, strict=True)
    )
