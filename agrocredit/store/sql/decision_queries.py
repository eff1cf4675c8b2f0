"""Applications and decisions as rows."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from agrocredit.domain.errors import InputUnusableError, RefusedError
from agrocredit.store.sql.session import prepared
from agrocredit.store.sql.tables import applications, decisions, loans

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import RowMapping

    from agrocredit.store.sql.database import Database
    from agrocredit.store.sql.session import Session

_SHOWN = ("binding_cap", "caps", "reasons", "bullets", "plots", "plots_missing", "area_eff_m2")
_BY_HASH = (
    prepared(decisions, decisions.c.id)
    .where(decisions.c.farmer_id == bindparam("of_farmer"), decisions.c.decision_sha256 == bindparam("sha256"))
    .order_by(decisions.c.decided_at)
    .limit(1)
)
_OWED = prepared(loans, loans.c.principal_minor, loans.c.interest_minor, loans.c.fees_minor).where(
    loans.c.farmer_id == bindparam("of_farmer"), loans.c.currency == bindparam("in_currency")
)


def decision_row(
    decision_id: str, *, record: Mapping[str, Any], record_bytes: bytes, sha256: str, now: datetime
) -> dict[str, Any]:
    """Return a decision as it stands in its table, from its record.

    Parameters
    ----------
    decision_id : str
    record : mapping
        As `agrocredit.credit.assess_one` gives it.
    record_bytes : bytes
        Its canonical JSON.
    sha256 : str
        The hash of these.
    now : datetime
    """
    result = record["result"]
    return {
        "id": decision_id,
        "farmer_id": record["farmer_id"],
        "season": record["season"],
        "as_of": date.fromisoformat(record["as_of"]),
        "outcome": result["outcome"],
        "limit_minor": result["limit_minor"],
        "currency": result["currency"],
        "due_on": None if result["due_on"] is None else date.fromisoformat(result["due_on"]),
        "policy": record["policy"]["name"],
        "policy_version": record["policy"]["version"],
        "answer": json.dumps({name: result[name] for name in _SHOWN if name in result}, separators=(",", ":")),
        "record": record_bytes,
        "decision_sha256": sha256,
        "decided_at": now,
    }


def find_decision(session: Session, decision_id: str) -> dict[str, Any]:
    """Return a decision with what the applicant heard beside its columns; ``not_found`` where there is none."""
    return as_shown(dict(session.found(decisions, decision_id)))


def kept_record(database: Database, decision_id: str) -> bytes:
    """Return the record of a decision of whichever tenant, for the platform's own checks.

    Raises
    ------
    InputUnusableError
        ``decision_unknown``.
    RefusedError
        ``record_incomplete`` where none was kept.
    """
    with database.inspect() as connection:
        row = connection.execute(select(decisions.c.record).where(decisions.c.id == decision_id)).first()
    if row is None:
        raise InputUnusableError("decision_unknown", f"no decision {decision_id!r:.80} in the database")
    if row.record is None:
        raise RefusedError("record_incomplete", f"the record of {decision_id} was not kept")
    return bytes(row.record)


def as_shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a decision's row with what the applicant heard beside its columns."""
    return {**row, **json.loads(row["answer"])}


def decision_of_hash(session: Session, farmer_id: str, *, sha256: str) -> str | None:
    """Return the id of a farmer's decision with these very inputs, None where there is none."""
    rows = session.ask(_BY_HASH, of_farmer=farmer_id, sha256=sha256)
    return str(rows[0]["id"]) if rows else None


def newest_decision(session: Session, farmer_id: str, *, season: str) -> str | None:
    """Return the id of the newest decision on a farmer's season."""
    query = session.select(decisions, decisions.c.id).where(
        decisions.c.farmer_id == farmer_id, decisions.c.season == season
    )
    row = session.row(query.order_by(decisions.c.decided_at.desc(), decisions.c.id.desc()))
    return None if row is None else str(row["id"])


def add_application(
    session: Session,
    application_id: str,
    *,
    farmer_id: str,
    season: str,
    asked: Mapping[str, Any],
    decision_id: str | None,
    now: datetime,
) -> None:
    """Add an application: decided, or waiting for evidence."""
    session.add(
        applications,
        id=application_id,
        farmer_id=farmer_id,
        season=season,
        asked=json.dumps(asked, sort_keys=True, separators=(",", ":")),
        status="evidence_pending" if decision_id is None else "decided",
        decision_id=decision_id,
        created_at=now,
    )


def find_application(session: Session, application_id: str) -> RowMapping:
    """Return an application; ``not_found`` where there is none."""
    return session.found(applications, application_id)


def owed_minor(session: Session, farmer_id: str, *, currency: str) -> int | None:
    """Return what a farmer owes this lender in all, minor units; None where there never was a loan."""
    rows = session.ask(_OWED, of_farmer=farmer_id, in_currency=currency)
    if not rows:
        return None
    return sum(int(row["principal_minor"] + row["interest_minor"] + row["fees_minor"]) for row in rows)
