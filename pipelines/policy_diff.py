"""Compares two policies on the same estimates: who gains, who loses, and by how much."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from agrocredit.domain.summary import Summary
from pipelines.assess import AssessRequest, read_case_tables
from pipelines.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pyarrow as pa

    from agrocredit.credit import Change

CHANGES_LISTED_MAX = 100
"""Farmers named one by one, the largest change first; the counts hold them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffRequest:
    """What to compare, on which estimates, on which day."""

    before: str
    """Name of a policy that ships, or a TOML file."""
    after: str
    estimates: Path
    plots: Path | None = None
    """Where none are named, ``plots.parquet`` beside the estimates, as a run leaves it."""
    as_of: date | None = None
    """Day of both decisions; where none is named, that of the newest estimate."""
    holdings: Path | None = None
    finances: Path | None = None
    id_field: str | None = None


def policy_diff(request: DiffRequest) -> Summary:
    """Return how many farmers gain and lose by the second policy, how much, and the largest changes; writes nothing.

    Raises
    ------
    InputUnusableError
        What readers and policies raise; ``currency_mismatch`` where the two lend in different currencies.
    """
    from agrocredit.credit import assess, decision_changes, load_policy
    from agrocredit.domain.errors import InputUnusableError

    tables = read_case_tables(
        AssessRequest(
            estimates=request.estimates,
            plots=request.plots or RunFolder(request.estimates.parent).plots,
            policy=request.before,
            as_of=request.as_of or _newest(request.estimates),
            out=Path(),  # nothing is written
            holdings=request.holdings,
            finances=request.finances,
            id_field=request.id_field,
        )
    )
    policies = tables.cases.policy, load_policy(request.after)
    if policies[0].currency != policies[1].currency:
        lent = f"{policies[0].name} lends {policies[0].currency}, {policies[1].name} {policies[1].currency}"
        raise InputUnusableError("currency_mismatch", f"{lent}, expected one currency")
    before, after = (assess(replace(tables.cases, policy=policy)) for policy in policies)
    changes = decision_changes(before.decisions, after.decisions)
    return Summary(
        counts=_counts(before.decisions.num_rows, changes),
        refused=(*tables.refused, *before.refused),
        facts={
            "before": _named(policies[0].name, before.decisions),
            "after": _named(policies[1].name, after.decisions),
            **_amounts(before.decisions, after.decisions, changes, currency=policies[0].currency),
            "changes": [{**asdict(c), "change_minor": c.change_minor} for c in changes[:CHANGES_LISTED_MAX]],
        },
    )


def _newest(estimates: Path) -> date:
    """Return the last day that an estimate knows of."""
    import pyarrow.compute as pc

    from agrocredit.domain.errors import InputUnusableError
    from agrocredit.domain.tables import ESTIMATES
    from agrocredit.store.tables import read_parquet_table

    found: date | None = pc.max(read_parquet_table(estimates, ESTIMATES, "estimates")["as_of"]).as_py()
    if found is None:
        raise InputUnusableError("no_usable_rows", f"estimates: no row in {estimates.name}")
    return found


def _counts(farmers: int, changes: Sequence[Change]) -> dict[str, int]:
    gained = sum(c.change_minor > 0 for c in changes)
    lost = sum(c.change_minor < 0 for c in changes)
    return {
        "farmers": farmers,
        "gained": gained,
        "lost": lost,
        "unchanged": farmers - gained - lost,
        "newly_approved": sum(c.approved > 0 for c in changes),
        "no_longer_approved": sum(c.approved < 0 for c in changes),
    }


def _named(name: str, decisions: pa.Table) -> str:
    versions = sorted(set(decisions["policy_version"].to_pylist()))
    return " ".join([name, *versions])


def _amounts(before: pa.Table, after: pa.Table, changes: Sequence[Change], *, currency: str) -> dict[str, object]:
    return {
        "currency": currency,
        "credit_before_minor": sum(before["limit_minor"].to_pylist()),
        "credit_after_minor": sum(after["limit_minor"].to_pylist()),
        "gained_minor": sum(c.change_minor for c in changes if c.change_minor > 0),
        "lost_minor": sum(-c.change_minor for c in changes if c.change_minor < 0),
    }
