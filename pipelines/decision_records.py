"""Decisions as records: taken out of a run, and computed again from nothing but themselves and the policy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.summary import Summary

if TYPE_CHECKING:
    from pathlib import Path

    from agrocredit.store.sql import Database
    from pipelines.assess import AssessRequest

_TOLD = ("outcome", "limit_minor", "currency", "limit_change", "binding_cap", "caps")
"""What every result says of itself, before reasons."""


def write_decision_record(request: AssessRequest, *, farmer_id: str, season: str) -> Summary:
    """Write the record of one farmer's decision to ``request.out``: every input and the result, canonical JSON.

    Parameters
    ----------
    request : AssessRequest
        The tables and the policy that `assess` decided by.
    farmer_id, season : str
        Whose decision, as in the decisions table.

    Raises
    ------
    RefusedError
        ``decision_unknown`` if there is no such decision.
    """
    from agrocredit.credit import canonical_json, decision_record, record_sha256
    from agrocredit.store.atomic import write_bytes
    from pipelines.assess import read_case_tables

    tables = read_case_tables(request)
    record = decision_record(tables.cases, farmer_id=farmer_id, season=season)
    write_bytes(canonical_json(record), request.out)
    return Summary(counts={"decisions": 1}, facts={"decision_sha256": record_sha256(record), "out": str(request.out)})


def replay_decision(path: Path, *, policy: str | None = None) -> Summary:
    """Compute a decision again from its record and compare the bytes; a difference is a failed check.

    Parameters
    ----------
    path : Path
        A record as `write_decision_record` writes it.
    policy : str, optional
        Policy file; else the policy that ships under the name in the record.

    Raises
    ------
    InputUnusableError
        ``record_unreadable`` for a file that is no record.
    RefusedError
        ``record_incomplete`` or ``policy_differs``, naming what is missing.
    """
    stored, record = _read_record(path)
    return _replayed(stored, record, name=path.name, policy=policy)


def replay_kept_decision(decision_id: str, *, database: Database, policy: str | None = None) -> Summary:
    """Compute a decision of the service again from the record it keeps; as `replay_decision`.

    Parameters
    ----------
    decision_id : str
        As the service gave it, of whichever lender.
    database : Database
    policy : str, optional
        Policy file; else the policy that ships under the name in the record.

    Raises
    ------
    InputUnusableError
        ``decision_unknown``.
    RefusedError
        As for `replay_decision`.
    """
    from agrocredit.store.sql.decision_queries import kept_record

    stored = kept_record(database, decision_id)
    return _replayed(stored, json.loads(stored), name=decision_id, policy=policy)


def _replayed(stored: bytes, record: dict[str, Any], *, name: str, policy: str | None) -> Summary:
    from agrocredit.credit import load_policy, record_sha256, replay

    again = replay(record, policy=load_policy(policy or record["policy"]["name"]))
    failed = () if again == stored else (f"{name}: computed again, the decision differs from its record",)
    facts = {"decision_sha256": record_sha256(record), "result": record["result"], "same_bytes": not failed}
    return Summary(counts={"decisions": 1}, facts=facts, failed_checks=failed)


def explain_decision(path: Path, *, policy: str | None = None, language: str = "en") -> Summary:
    """Return a decision in sentences: what happened, why, what alone would have changed it, and the way to a person.

    Parameters
    ----------
    path : Path
        A record as `write_decision_record` writes it; one that does not replay is a failed check.
    policy : str, optional
        Policy file; else the policy that ships under the name in the record.
    language : str
        Two-letter code: en, hi, sw, zh.

    Raises
    ------
    InputUnusableError
        As for `replay_decision`.
    RefusedError
        As for `replay_decision`.
    WrongUsageError
        ``language_unknown``.
    """
    from agrocredit.credit import load_policy, notice

    replayed = replay_decision(path, policy=policy)
    _, record = _read_record(path)
    told = notice(record, policy=load_policy(policy or record["policy"]["name"]), language=language)
    result = record["result"]
    facts = {
        "farmer_id": record["farmer_id"],
        "season": record["season"],
        **{name: result[name] for name in _TOLD},
        "adverse": told.adverse,
        "reasons": [{"code": code, "sentence": sentence} for code, sentence in told.reasons],
        "would_change": [
            {"lever": str(change.lever), "now": change.now, "needed": change.needed, "sentence": sentence}
            for change, sentence in told.would_change
        ],
        "sentences": list(told.sentences),
        "decision_sha256": replayed.facts["decision_sha256"],
    }
    return Summary(counts={"decisions": 1}, facts=facts, failed_checks=replayed.failed_checks)


def _read_record(path: Path) -> tuple[bytes, dict[str, Any]]:
    """Return the bytes of a record and what they say."""
    import orjson

    try:
        stored = path.read_bytes()
        record: dict[str, Any] = orjson.loads(stored)
        _ = [record["result"][name] for name in _TOLD]
        if not isinstance(name := record["policy"]["name"], str):
            raise InputUnusableError("record_unreadable", f"{path} is not a decision record: its policy is {name!r}")
    except FileNotFoundError:
        raise InputUnusableError("record_unreadable", f"{path}: no such file") from None
    except KeyError as error:
        detail = f"{path} is not a decision record: it has no {error.args[0]}"
        raise InputUnusableError("record_unreadable", detail) from error
    except (ValueError, TypeError) as error:
        raise InputUnusableError("record_unreadable", f"{path} is not a decision record ({error})") from error
    return stored, record
