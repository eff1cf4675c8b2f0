"""Scorecard: what past loans and evidence add to a simulated probability of default, blended on log-odds.

The simulation knows the field; a history knows what no field shows. The longer the history the more it weighs, as in
credibility theory (Buehlmann 1967): ``w(n) = weight_max * n / (n + half_weight)`` with n loans. Loans repaid in time
and loans repaid late are weighed apart, so that a loan repaid in time never counts against its farmer and a late one
never for him. Without past loans both weights are 0: nobody is priced worse, or better, for having no credit history.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from scipy.special import expit, logit

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.tables import conform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from agrocredit.credit.case import Case
    from agrocredit.credit.terms import Scorecard

LOAN_HISTORY = pa.schema(
    [
        pa.field("farmer_id", pa.string(), nullable=False),
        pa.field("loans_repaid", pa.int64(), nullable=False),
        pa.field("loans_late", pa.int64(), nullable=False),
    ]
)
"""Closed loans of a farmer: repaid in time, and repaid late or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastLoans:
    """A farmer's closed loans, counted."""

    repaid: int = 0
    """In time."""
    late: int = 0
    """Late or not at all."""


def past_loans(history: pa.Table) -> Mapping[str, PastLoans]:
    """Return each farmer's closed loans.

    Parameters
    ----------
    history : pyarrow.Table
        `LOAN_HISTORY`, one row a farmer.

    Raises
    ------
    InputUnusableError
        ``history_invalid`` for a count below 0 or a second row of one farmer, or what
        `agrocredit.domain.tables.conform` raises.
    """
    found: dict[str, PastLoans] = {}
    for row, values in enumerate(conform(history, LOAN_HISTORY, name="loan history").to_pylist(), start=1):
        farmer, repaid, late = (values[name] for name in LOAN_HISTORY.names)
        if farmer in found or min(repaid, late) < 0:
            detail = (
                f"loan history: row {row}: {repaid} repaid and {late} late, expected one row a farmer and 0 or more"
            )
            raise InputUnusableError("history_invalid", detail)
        found[farmer] = PastLoans(repaid=repaid, late=late)
    return found


def blended_pd(
    structural_pd: NDArray[np.float64],
    *,
    cases: Sequence[Case],
    loans: Mapping[str, PastLoans],
    scorecard: Scorecard,
) -> NDArray[np.float64]:
    """Return probabilities of default, blended on log-odds, (loans,).

    With s the simulated log-odds of good to bad:
    ``(1 - w(late)) * s + w(late) * min(s, base - per_late * late) + w(repaid) * (per_repaid * repaid + grade)``.

    Parameters
    ----------
    structural_pd : ndarray of float, (loans,)
        From the simulation; between 0 and 1, both excluded.
    cases : sequence of Case, (loans,)
        Whose loans, with their plots' grades of evidence.
    loans : mapping of str to PastLoans
        By farmer; who is not in it has no history.
    scorecard : Scorecard
        From policy.
    """
    past = [loans.get(case.farmer_id, PastLoans()) for case in cases]
    most = scorecard.counted_loans_max
    late = np.array([min(known.late, most) for known in past], dtype=np.float64)
    repaid = np.array([min(known.repaid, most) for known in past], dtype=np.float64)
    grade = np.array([_grade_points(case, scorecard) for case in cases], dtype=np.float64)
    simulated = logit(1.0 - structural_pd)
    of_late = _weight(late, scorecard)
    target = np.minimum(simulated, scorecard.base - scorecard.per_late * late)
    odds = (1.0 - of_late) * simulated + of_late * target
    odds += _weight(repaid, scorecard) * (scorecard.per_repaid * repaid + grade)
    return np.where(late + repaid > 0, expit(-odds), structural_pd)


def _weight(loans: NDArray[np.float64], scorecard: Scorecard) -> NDArray[np.float64]:
    return scorecard.weight_max * loans / (loans + scorecard.half_weight_loans)


def _grade_points(case: Case, scorecard: Scorecard) -> float:
    """Return what the evidence of the plot shown worst adds, log-odds."""
    worst = max(stake.grade for stake in case.stakes)
    return {"A": scorecard.grade_a, "B": scorecard.grade_b}.get(worst, 0.0)
