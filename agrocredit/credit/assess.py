"""Assess: estimates to decisions, for one farmer or a region, with the same arithmetic.

tables -> `intake` (join, refuse, chunk) -> `decide` (evidence, lines, draws, caps, outcome, reasons) -> `record`
(hash) -> table
"""

from __future__ import annotations

import gc
import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa

from agrocredit.credit.decide import decide
from agrocredit.credit.intake import take_in
from agrocredit.credit.record import build_record, case_of, record_bytes
from agrocredit.domain.errors import RefusedError
from agrocredit.domain.money import Money
from agrocredit.domain.tables import DECISIONS
from agrocredit.domain.units import area_from_m2

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from agrocredit.credit.case_tables import CaseTables
    from agrocredit.credit.policy import CreditPolicy
    from agrocredit.credit.terms import PolicyInForce
    from agrocredit.credit.verdict import Verdict
    from agrocredit.domain.decision import Decision
    from agrocredit.domain.errors import Refusal

CASES_AT_ONCE = 4_096
_FROM_RESULT = ("outcome", "limit_minor", "currency", "binding_cap", "reasons", "limit_change", "cut_pending_looks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Decisions of a table of estimates, and what could not be used."""

    decisions: pa.Table
    """`agrocredit.domain.tables.DECISIONS`, by farmer and season."""
    refused: tuple[Refusal, ...]


def assess(tables: CaseTables, *, cases_at_once: int = CASES_AT_ONCE) -> Assessment:
    """Return one decision a farmer and season, with every refused row beside them.

    Parameters
    ----------
    tables : CaseTables
        Estimates, plots and whatever else is known; the policy and the day.
    cases_at_once : int
        Cases in memory at once; changes nothing in the result.

    Raises
    ------
    InputUnusableError
        If a table lacks a column, a type is wrong, currencies are mixed, or the policy is not in force on the day.
    """
    terms = tables.terms()
    intake = take_in(tables, terms=terms)
    with _no_search_for_cycles():
        batches = [_table(decide(cases, terms=terms), terms) for cases in intake.cases(chunk=cases_at_once)]
    decisions = pa.concat_tables(batches) if batches else DECISIONS.empty_table()
    return Assessment(decisions=decisions.combine_chunks(), refused=intake.refused)


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Keep the collector of cycles still: records hold none, and looking for some takes a tenth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def assess_one(tables: CaseTables) -> tuple[Decision, dict[str, Any]]:
    """Return one farmer's decision and its record, by the arithmetic of `assess`.

    Parameters
    ----------
    tables : CaseTables
        As for `assess`, of one farmer and one season.

    Raises
    ------
    RefusedError
        With the code of the first refused row, or ``case_ambiguous`` if the rows are not one farmer's one season.
    InputUnusableError
        As for `assess`.
    """
    terms = tables.terms()
    intake = take_in(tables, terms=terms)
    if intake.refused:
        raise RefusedError(intake.refused[0].code, intake.refused[0].detail)
    cases = [case for chunk in intake.cases(chunk=CASES_AT_ONCE) for case in chunk]
    if len(cases) != 1:
        named = ", ".join(f"{case.farmer_id} in {case.season}" for case in cases[:3]) or "nobody"
        raise RefusedError("case_ambiguous", f"{len(cases)} cases ({named}), expected one farmer in one season")
    verdict = decide(cases, terms=terms)[0]
    return verdict.decision, build_record(verdict.case, terms=terms, result=verdict.result())


def decision_record(tables: CaseTables, *, farmer_id: str, season: str) -> dict[str, Any]:
    """Return the record of one decision out of the tables of a region: what its ``decision_sha256`` is the hash of.

    Parameters
    ----------
    tables : CaseTables
        As for `assess`.
    farmer_id, season : str
        Whose record, as they stand in the decisions table.

    Raises
    ------
    RefusedError
        ``decision_unknown`` if the tables hold no such farmer and season.
    InputUnusableError
        As for `assess`.
    """
    terms = tables.terms()
    for cases in take_in(tables, terms=terms).cases(chunk=CASES_AT_ONCE):
        for case in cases:
            if (case.farmer_id, case.season) == (farmer_id, season):
                return build_record(case, terms=terms, result=decide([case], terms=terms)[0].result())
    raise RefusedError("decision_unknown", f"no estimate of a plot of farmer {farmer_id!r} in season {season!r}")


def decision_records(tables: CaseTables) -> Iterator[dict[str, Any]]:
    """Yield the record of every decision that `assess` makes of the tables, by farmer and season.

    What `assess` refuses has no record; errors are those of `assess`.
    """
    terms = tables.terms()
    for cases in take_in(tables, terms=terms).cases(chunk=CASES_AT_ONCE):
        for verdict in decide(cases, terms=terms):
            yield build_record(verdict.case, terms=terms, result=verdict.result())


def replay(record: Mapping[str, Any], *, policy: CreditPolicy) -> bytes:
    """Return the canonical bytes of a decision computed again from its record: those of the record, if it is true.

    Parameters
    ----------
    record : mapping
        As `assess_one` gives it, or read back from its JSON.
    policy : CreditPolicy
        The pack the record names; it may have learnt later versions since.

    Raises
    ------
    RefusedError
        ``record_incomplete``, naming the input that is missing, or ``policy_differs``.
    """
    case = case_of(record)
    terms = policy.on(case.as_of)
    recorded = record.get("policy")
    in_force = {"name": terms.name, "version": terms.version, "sha256": terms.sha256}
    if recorded != in_force:
        raise RefusedError("policy_differs", f"decided under {recorded}, the pack holds {in_force} on {case.as_of}")
    verdict = decide([case], terms=terms)[0]
    return record_bytes(case, terms=terms, result=verdict.result())


def facts_of(record: Mapping[str, Any], *, policy: CreditPolicy) -> dict[str, str | int]:
    """Return what `explain` can say beside a reason: amounts with their currency, counts, area in the policy's unit."""
    result = record["result"]
    currency = result["currency"]
    minimum_minor = policy.on(case_of(record).as_of).product.minimum_ticket_minor
    facts: dict[str, str | int] = {
        "limit": str(Money(result["limit_minor"], currency)),
        "minimum_ticket": str(Money(minimum_minor, currency)),
        "plots": result["plots"],
        "plots_missing": result["plots_missing"],
        "area": f"{area_from_m2(result['area_eff_m2'], policy.area_unit):.2f}",
        "area_unit": policy.area_unit,
    }
    if result["binding_cap"]:
        facts["cap"] = str(Money(result["caps"][result["binding_cap"]], currency))
    return facts


def _table(verdicts: Sequence[Verdict], terms: PolicyInForce) -> pa.Table:
    """Return the rows of the decisions table."""
    decisions = [verdict.decision for verdict in verdicts]
    results = [verdict.result() for verdict in verdicts]
    columns: dict[str, list[Any]] = {
        "farmer_id": [decision.farmer_id for decision in decisions],
        "season": [decision.season for decision in decisions],
        "as_of": [decision.as_of for decision in decisions],
        "caps": [orjson.dumps(result["caps"]).decode() for result in results],
        "due_on": [decision.due_on for decision in decisions],
        "limit_since": [verdict.limit_since for verdict in verdicts],
        "policy": [decision.policy for decision in decisions],
        "policy_version": [decision.policy_version for decision in decisions],
        "decision_sha256": [
            hashlib.sha256(record_bytes(verdict.case, terms=terms, result=result)).hexdigest()
            for verdict, result in zip(verdicts, results, strict=True)
        ],
        **{name: [result[name] for result in results] for name in _FROM_RESULT},
    }
    arrays = [pa.array(columns[field.name], field.type) for field in DECISIONS]
    return pa.table(arrays, schema=DECISIONS)
