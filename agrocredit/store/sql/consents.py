"""What farmers agreed to: a purpose, until when, and whether it was taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agrocredit.domain.errors import RefusedError
from agrocredit.store.sql.events import Event, record
from agrocredit.store.sql.ids import new_id
from agrocredit.store.sql.session import not_found
from agrocredit.store.sql.tables import consents, farmers

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import RowMapping

    from agrocredit.store.sql.session import Session


def give_consent(
    session: Session, farmer_id: str, *, purpose: str, expires_at: datetime, actor: str, at: datetime
) -> str:
    """Record that a farmer agreed to a purpose and return the record's id.

    Raises
    ------
    RefusedError
        ``not_found``; ``consent_invalid`` if it would have expired already.
    """
    session.found(farmers, farmer_id)
    if expires_at <= at:
        raise RefusedError("consent_invalid", f"consent would expire at {expires_at}, expected an instant after {at}")
    consent_id = new_id("consent")
    session.add(consents, id=consent_id, farmer_id=farmer_id, purpose=purpose, given_at=at, expires_at=expires_at)
    given = Event(
        kind="consent.given",
        subject_id=farmer_id,
        payload={"consent_id": consent_id, "purpose": purpose, "expires_at": expires_at.isoformat()},
    )
    record(session, [given], actor=actor, at=at)
    return consent_id


def withdraw_consent(session: Session, farmer_id: str, consent_id: str, *, actor: str, at: datetime) -> None:
    """Take a consent back from now on; doing it again changes nothing.

    Raises
    ------
    RefusedError
        ``not_found``.
    """
    row = session.found(consents, consent_id)
    if row["farmer_id"] != farmer_id:
        raise not_found(consents)
    waiting = session.update(consents).where(consents.c.id == consent_id, consents.c.withdrawn_at.is_(None))
    if session.changed(waiting.values(withdrawn_at=at)):
        payload = {"consent_id": consent_id, "purpose": row["purpose"]}
        record(session, [Event(kind="consent.withdrawn", subject_id=farmer_id, payload=payload)], actor=actor, at=at)


def consents_of(session: Session, farmer_id: str) -> list[RowMapping]:
    """Return a farmer's consents, newest first.

    Raises
    ------
    RefusedError
        ``not_found``.
    """
    session.found(farmers, farmer_id)
    query = session.select(consents).where(consents.c.farmer_id == farmer_id)
    return session.rows(query.order_by(consents.c.given_at.desc(), consents.c.id))
