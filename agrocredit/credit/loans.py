"""Agreed loans: what each approved farmer owes, and which crops' cash stands against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.credit.cashflow import cash_blocks
from agrocredit.credit.decide import decide, fixed_cash
from agrocredit.credit.evidence import gaps
from agrocredit.credit.lines import Lines, add_up
from agrocredit.credit.rounding import simple_interest_minor
from agrocredit.domain.decision import Outcome
from agrocredit.domain.money import minor_per_major

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agrocredit.credit.case import Case
    from agrocredit.credit.schedule import Bullet
    from agrocredit.credit.terms import PolicyInForce


@dataclass(frozen=True, slots=True, kw_only=True)
class Loans:
    """Approved loans of some cases, in the order of the cases."""

    cases: Sequence[Case]
    """The approved cases, (loans,)."""
    lines: Lines
    """Crops of these cases, `Lines.case` counting loans."""
    bullets: Sequence[tuple[Bullet, ...]]
    """How each loan comes back, (loans,)."""
    last_line: NDArray[np.int64]
    """The line each loan falls due with, (loans,)."""
    limit_minor: NDArray[np.int64]
    due_minor: NDArray[np.int64]
    """Principal and interest to the due date."""
    days: NDArray[np.int64]
    """From the decision to the due date."""
    fixed: NDArray[np.float64]
    """Cash that no crop decides, major units; see `decide.fixed_cash`."""

    @property
    def farmers(self) -> list[str]:
        """Whose loans."""
        return [case.farmer_id for case in self.cases]

    @property
    def seasons(self) -> list[str]:
        """For which season."""
        return [case.season for case in self.cases]

    def needed(self, *, terms: PolicyInForce) -> NDArray[np.float64]:
        """Return the crop cash below which each loan fails, (loans,), major units."""
        return self.due_minor / minor_per_major(terms.currency) - self.fixed

    def shortfall_share(self, *, terms: PolicyInForce) -> NDArray[np.float64]:
        """Return the share of draws in which the cash by the due date is less than the amount due, (loans,)."""
        share = np.zeros(len(self.cases))
        if not len(self.cases):
            return share
        needed = self.needed(terms=terms)
        loan_of = {int(line): loan for loan, line in enumerate(self.last_line)}
        for start, _, cash in cash_blocks(self.lines, terms=terms):
            for i, of_line in enumerate(cash):
                if (loan := loan_of.get(start + i)) is not None:
                    share[loan] = np.count_nonzero(of_line < needed[loan]) / len(of_line)
        return share


def agreed_loans(cases: Sequence[Case], *, terms: PolicyInForce) -> Loans:
    """Return the loans that the terms agree to, among the cases.

    Parameters
    ----------
    cases : sequence of Case
        Each with at least one stake.
    terms : PolicyInForce
        The policy on the cases' day.
    """
    verdicts = [verdict for verdict in decide(cases, terms=terms) if verdict.decision.outcome is Outcome.APPROVED]
    approved = [verdict.case for verdict in verdicts]
    lines, _ = add_up(approved, [gaps(case, terms=terms) for case in approved], terms=terms)
    first = np.searchsorted(lines.case, np.arange(len(approved)))
    last_line = first + np.array([len(verdict.bullets) - 1 for verdict in verdicts], dtype=np.int64)
    as_of = np.array([case.as_of.toordinal() for case in approved], dtype=np.int64)
    days = lines.due[last_line] - as_of
    limits = [verdict.decision.limit_minor for verdict in verdicts]
    due = [
        limit + simple_interest_minor(limit, rate=terms.product.rate, days=int(day))
        for limit, day in zip(limits, days, strict=True)
    ]
    return Loans(
        cases=approved,
        lines=lines,
        bullets=[verdict.bullets for verdict in verdicts],
        last_line=last_line,
        limit_minor=np.array(limits, dtype=np.int64),
        due_minor=np.array(due, dtype=np.int64),
        days=days,
        fixed=np.array([fixed_cash(c.finances, terms=terms) for c in approved if c.finances], dtype=np.float64),
    )
