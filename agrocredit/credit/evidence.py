"""Which stakes count: seen clearly and lately, of a crop the policy knows, with money that comes after the decision.

What does not count is a gap with a reason. A gap never declines anyone: it means that more evidence would change the
answer.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from agrocredit.credit.reasons import ReasonCode
from agrocredit.credit.schedule import due_on
from agrocredit.domain.estimate import EstimateStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from agrocredit.credit.case import Case, Stake
    from agrocredit.credit.terms import PolicyInForce


def gaps(case: Case, *, terms: PolicyInForce) -> tuple[ReasonCode | None, ...]:
    """Return, for each stake of a case, why it does not count, or None where it does."""
    found = [_gap(stake, as_of=case.as_of, terms=terms) for stake in case.stakes]
    if len(found) == 1:
        return (found[0],)
    crops_seen = Counter(stake.plot_id for stake, gap in zip(case.stakes, found, strict=True) if gap is None)
    crowded = {plot for plot, crops in crops_seen.items() if crops > terms.area.crops_per_plot_max}
    return tuple(
        ReasonCode.CROPS_OVERLAP if gap is None and stake.plot_id in crowded else gap
        for stake, gap in zip(case.stakes, found, strict=True)
    )


def _gap(stake: Stake, *, as_of: date, terms: PolicyInForce) -> ReasonCode | None:
    if stake.status == EstimateStatus.ABSTAINED:
        return ReasonCode(str(stake.reason))
    if stake.clear_observations < terms.evidence.clear_observations_min:
        return ReasonCode.TOO_FEW_CLEAR_OBSERVATIONS
    if stake.crop not in terms.crops:
        return ReasonCode.CROP_NOT_IN_POLICY
    due = stake_due_on(stake, terms=terms)
    if due is None:
        return ReasonCode.CALENDAR_MISSING
    if due <= as_of:
        return ReasonCode.SEASON_OVER
    age_days = (as_of - stake.estimate_as_of).days
    return ReasonCode.IMAGERY_STALE if age_days > terms.evidence.estimate_age_max_days else None


def stake_due_on(stake: Stake, *, terms: PolicyInForce) -> date | None:
    """Return the day the money of a stake's crop is due, None where no calendar covers it."""
    if stake.harvest_from_on is None or stake.harvest_end_on is None:
        return None
    return due_on(
        stake.harvest_from_on,
        harvest_end_on=stake.harvest_end_on,
        harvest_quantile=terms.schedule.harvest_quantile,
        marketing_days=terms.crops[stake.crop].marketing_days,
    )


def gap_reasons(stakes: Sequence[Stake], found: Sequence[ReasonCode | None]) -> tuple[ReasonCode, ...]:
    """Return the distinct gaps of a case, the one over most land first."""
    if not any(found):
        return ()
    area_m2: Counter[ReasonCode] = Counter()
    for stake, gap in zip(stakes, found, strict=True):
        if gap is not None:
            area_m2[gap] += stake.area_m2  # type: ignore[assignment]  # a Counter adds floats as well
    return tuple(sorted(area_m2, key=lambda gap: (-area_m2[gap], gap)))
