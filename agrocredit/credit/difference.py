"""Difference: which farmers a change of policy moves, and by how much, from two tables of decisions on equal cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agrocredit.domain.decision import Outcome
from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One farmer's season under two policies; limits in minor units of one currency."""

    farmer_id: str
    season: str
    outcome_before: str
    outcome_after: str
    limit_before_minor: int
    limit_after_minor: int
    binding_cap_before: str | None
    binding_cap_after: str | None

    @property
    def change_minor(self) -> int:
        """What the farmer gains; below 0 what is lost."""
        return self.limit_after_minor - self.limit_before_minor

    @property
    def approved(self) -> int:
        """1 where only the second policy approves, -1 where only the first does, else 0."""
        return (self.outcome_after == Outcome.APPROVED) - (self.outcome_before == Outcome.APPROVED)


def decision_changes(before: pa.Table, after: pa.Table) -> tuple[Change, ...]:
    """Return the farmers whose limit or outcome differs, the largest change of limit first.

    Parameters
    ----------
    before, after : pyarrow.Table
        `agrocredit.domain.tables.DECISIONS` of the same estimates and day under two policies.

    Raises
    ------
    InputUnusableError
        ``currency_mismatch`` if the limits cannot be compared, ``case_ambiguous`` if the tables decide on different
        farmers or seasons.
    """
    rows_before, rows_after = _by_case(before), _by_case(after)
    if alone := sorted(rows_before.keys() ^ rows_after.keys()):
        raise InputUnusableError("case_ambiguous", f"{alone[0]} is decided on by one of two policies only")
    changes = [_change(row, rows_after[key]) for key, row in rows_before.items()]
    moved = [c for c in changes if c.change_minor or c.outcome_before != c.outcome_after]
    return tuple(sorted(moved, key=lambda c: (-abs(c.change_minor), c.farmer_id, c.season)))


def _by_case(decisions: pa.Table) -> dict[tuple[str, str], dict[str, Any]]:
    names = ["farmer_id", "season", "outcome", "limit_minor", "currency", "binding_cap"]
    return {(row["farmer_id"], row["season"]): row for row in decisions.select(names).to_pylist()}


def _change(before: Mapping[str, Any], after: Mapping[str, Any]) -> Change:
    if before["currency"] != after["currency"]:
        raise InputUnusableError(
            "currency_mismatch", f"limits in {before['currency']} and {after['currency']}, expected one currency"
        )
    return Change(
        farmer_id=before["farmer_id"],
        season=before["season"],
        outcome_before=before["outcome"],
        outcome_after=after["outcome"],
        limit_before_minor=before["limit_minor"],
        limit_after_minor=after["limit_minor"],
        binding_cap_before=before["binding_cap"],
        binding_cap_after=after["binding_cap"],
    )
