"""What farmers whose limit was cut are told: a cut is an adverse action, and whoever it hits is owed its reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agrocredit.domain.summary import Summary
from pipelines.assess import AssessRequest, read_case_tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CUT = "cut"
"""As `agrocredit.domain.tables.DECISIONS` says it in ``limit_change``."""


def write_cut_notices(request: AssessRequest, *, out: Path, language: str = "en") -> Summary:
    """Write a notice for every limit that the decisions of a request cut, by farmer and season, as JSON.

    Parameters
    ----------
    request : AssessRequest
        The one that the decisions at its ``out`` were made by.
    out : Path
        A list of ``farmer_id``, ``season``, ``decision_sha256`` and ``sentences``; empty where no limit was cut.
    language : str
        Two-letter code: en, hi, sw, zh.

    Raises
    ------
    InputUnusableError
        What readers and the policy raise.
    """
    from agrocredit.domain.tables import DECISIONS
    from agrocredit.store.canonical_json import write_json
    from agrocredit.store.tables import read_parquet_table

    decisions = read_parquet_table(request.out, DECISIONS, "decisions").to_pylist()
    cut = {row["decision_sha256"] for row in decisions if row["limit_change"] == CUT}
    notices = list(_notices(request, cut, language)) if cut else []
    write_json(notices, out)
    return Summary(counts={"notices": len(notices)})


def _notices(request: AssessRequest, cut: set[str], language: str) -> Iterator[dict[str, object]]:
    """Make the decisions again as records, which a notice is read from; only a run with a cut pays for it."""
    from agrocredit.credit import decision_records, notice, record_sha256

    cases = read_case_tables(request).cases
    for record in decision_records(cases):
        if (digest := record_sha256(record)) in cut:
            yield {
                "farmer_id": record["farmer_id"],
                "season": record["season"],
                "decision_sha256": digest,
                "sentences": list(notice(record, policy=cases.policy, language=language).sentences),
            }
