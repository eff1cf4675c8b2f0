"""What a finished run says, in figures: the same for the closing table, the JSON summary and the report."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from agrocredit.domain.decision import Outcome
from agrocredit.domain.estimate import EstimateStatus
from agrocredit.domain.money import Money
from agrocredit.domain.tables import VALID_FRACTION_MIN

if TYPE_CHECKING:
    import pyarrow as pa


def estimate_counts(estimates: pa.Table) -> dict[str, int]:
    """Return how many plots were estimated and how many abstained on."""
    status = Counter(estimates["status"].to_pylist())
    return {
        "plots": estimates.num_rows,
        "plots_estimated": status[EstimateStatus.ESTIMATED],
        "plots_abstained": status[EstimateStatus.ABSTAINED],
    }


def seen_counts(observations: pa.Table) -> dict[str, int]:
    """Return how many plots were seen at least once, enough of them for an index to have a value."""
    import pyarrow.compute as pc

    seen = observations.filter(pc.greater_equal(observations["valid_fraction"], VALID_FRACTION_MIN))
    return {"plots_seen": len(seen["plot_id"].unique())}


def abstained_because(estimates: pa.Table) -> dict[str, int]:
    """Return how often each reason to abstain was given, most frequent first."""
    return _tally(reason for reason in estimates["reason"].to_pylist() if reason is not None)


def decision_counts(decisions: pa.Table) -> dict[str, int]:
    """Return how many farmers were answered, and how."""
    outcomes = Counter(decisions["outcome"].to_pylist())
    return {"farmers": decisions.num_rows, **{outcome.value: outcomes[outcome] for outcome in Outcome}}


def decision_facts(decisions: pa.Table) -> dict[str, object]:
    """Return the total limit a currency, what bound the approved limits and why others were not approved."""
    rows = decisions.select(["outcome", "limit_minor", "currency", "binding_cap", "reasons"]).to_pylist()
    totals: Counter[str] = Counter()
    for row in rows:
        totals[row["currency"]] += row["limit_minor"]
    approved = [row for row in rows if row["outcome"] == Outcome.APPROVED]
    others = [row for row in rows if row["outcome"] != Outcome.APPROVED]
    return {
        "total_limit": ", ".join(str(Money(total, currency)) for currency, total in sorted(totals.items())),
        "total_limit_minor": dict(sorted(totals.items())),
        "binding_caps": _tally(row["binding_cap"] for row in approved),
        "not_approved_because": _tally(row["reasons"][0] for row in others),
    }


def _tally(names: object) -> dict[str, int]:
    counts = Counter(names)  # type: ignore[call-overload]
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
