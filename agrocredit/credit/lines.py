"""From stakes to lines: plots of one farmer and crop added up, in the order their money comes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.credit.area import declared_differs, effective_area_m2
from agrocredit.credit.caps import costs_to_fund, grade_amount
from agrocredit.credit.evidence import stake_due_on
from agrocredit.domain.decision import CapName
from agrocredit.domain.estimate import QUANTILE_LEVELS
from agrocredit.domain.units import area_to_m2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agrocredit.credit.case import Case, Stake
    from agrocredit.credit.reasons import ReasonCode
    from agrocredit.credit.terms import PolicyInForce

_M2_PER_HA = area_to_m2(1, "ha")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Crops of farmers that count, sorted by case, then by the day their money comes, then by name."""

    case: NDArray[np.int64]
    """Index of the farmer's case, (lines,)."""
    rank: NDArray[np.int64]
    """Place among the case's lines, from 0, (lines,)."""
    names: Sequence[tuple[str, str]]
    """Crop and season of each line."""
    due: NDArray[np.int64]
    """Day the money comes, proleptic ordinal, (lines,)."""
    quantiles_t: NDArray[np.float64]
    """Weight that the line's plots bring at the seven levels, (lines, 7), t."""

    def due_on(self, line: int) -> date:
        """Return the day the money of a line comes."""
        return date.fromordinal(int(self.due[line]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Land:
    """Sums over the stakes that count, one a case, major units unless named."""

    area_m2: NDArray[np.float64]
    """Effective area."""
    costs: NDArray[np.float64]
    """Cash costs before harvest that a loan may fund."""
    grade_amount: NDArray[np.float64]
    """What the evidence grades allow."""
    scale_amount: NDArray[np.float64]
    """Scale of finance times area."""
    differs: NDArray[np.bool_]
    """Some declared area is too far from the drawn one."""


def add_up(
    cases: Sequence[Case], gaps: Sequence[Sequence[ReasonCode | None]], *, terms: PolicyInForce
) -> tuple[Lines, Land]:
    """Return the lines of the cases and the sums over their land.

    Parameters
    ----------
    cases : sequence of Case
    gaps : sequence of sequences
        As from `evidence.gaps`, one a case.
    terms : PolicyInForce
    """
    counted = [
        (i, stake)
        for i, (case, found) in enumerate(zip(cases, gaps, strict=True))
        for stake, gap in zip(case.stakes, found, strict=True)
        if gap is None
    ]
    of_case = np.array([i for i, _ in counted], dtype=np.int64)
    stakes = [stake for _, stake in counted]
    drawn_m2 = np.array([stake.area_m2 for stake in stakes], dtype=np.float64)
    # numpy reads None as NaN
    declared_m2 = np.array([stake.declared_area_m2 for stake in stakes], dtype=np.float64)
    area_m2 = effective_area_m2(
        drawn_m2,
        declared_area_m2=declared_m2,
        documented_area_m2=np.array([stake.documented_area_m2 for stake in stakes], dtype=np.float64),
        tenure_share=np.array([stake.tenure_share for stake in stakes], dtype=np.float64),
        cropped_fraction_low=terms.area.cropped_fraction_low,
    )
    differs = declared_differs(drawn_m2, declared_area_m2=declared_m2, tolerance=terms.area.declared_tolerance)
    sums = {
        name: np.bincount(of_case, weights=area_m2 * amounts, minlength=len(cases)).astype(np.float64)
        for name, amounts in _amounts_per_m2(cases, counted, terms).items()
    }
    land = Land(differs=np.bincount(of_case, weights=differs, minlength=len(cases)) > 0, **sums)
    return _lines(cases, counted, area_m2, terms), land


def _amounts_per_m2(
    cases: Sequence[Case], counted: Sequence[tuple[int, Stake]], terms: PolicyInForce
) -> dict[str, NDArray[np.float64]]:
    """Return what each counted stake adds to each sum of `Land`, a m2; 0 where the policy does not ask."""
    known_costs: dict[tuple[str, date, date], float] = {}

    def costs(case: Case, stake: Stake) -> float:
        assert stake.harvest_from_on is not None  # noqa: S101 - a stake without a calendar is a gap
        key = (stake.crop, stake.harvest_from_on, case.as_of)
        if key not in known_costs:
            known_costs[key] = costs_to_fund(
                terms.crops[stake.crop], harvest_from_on=stake.harvest_from_on, as_of=case.as_of, need=terms.need
            )
        return known_costs[key]

    graded = CapName.EVIDENCE_GRADE in terms.caps
    amounts = [
        (
            1.0,
            costs(cases[i], stake),
            grade_amount(terms.evidence, grade=stake.grade) if graded else 0.0,
            terms.crops[stake.crop].scale_of_finance or 0.0,
        )
        for i, stake in counted
    ]
    columns = np.array(amounts, dtype=np.float64).reshape(-1, 4).T
    return dict(zip(("area_m2", "costs", "grade_amount", "scale_amount"), columns, strict=True))


def _lines(
    cases: Sequence[Case], counted: Sequence[tuple[int, Stake]], area_m2: NDArray[np.float64], terms: PolicyInForce
) -> Lines:
    last_due: dict[tuple[int, str], int] = {}
    for i, stake in counted:
        due = stake_due_on(stake, terms=terms)
        assert due is not None  # noqa: S101 - a stake without a due date is a gap
        last_due[i, stake.crop] = max(last_due.get((i, stake.crop), 0), due.toordinal())
    keys = sorted((i, due, crop) for (i, crop), due in last_due.items())
    place = {(i, crop): line for line, (i, _, crop) in enumerate(keys)}
    of_line = np.array([place[i, stake.crop] for i, stake in counted], dtype=np.int64)
    quantiles = np.array([stake.quantiles_t_ha for _, stake in counted], dtype=np.float64)
    weights_t = quantiles.reshape(-1, len(QUANTILE_LEVELS)) * (area_m2 / _M2_PER_HA)[:, None]
    case = np.array([i for i, _, _ in keys], dtype=np.int64)
    return Lines(
        case=case,
        rank=np.arange(len(keys), dtype=np.int64) - np.searchsorted(case, case),
        names=[(crop, cases[i].season) for i, _, crop in keys],
        due=np.array([due for _, due, _ in keys], dtype=np.int64),
        quantiles_t=np.column_stack(
            [np.bincount(of_line, weights=column, minlength=len(keys)) for column in weights_t.T]
        ),
    )
