"""Who a farmer is, sealed: recorded, read by those who may, found again under another id, and forgotten for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agrocredit.domain.errors import RefusedError
from agrocredit.domain.loan import LoanStatus
from agrocredit.store.personal import PersonKey, blind_index, new_person_key, open_text, seal_text
from agrocredit.store.sql.events import Event, record
from agrocredit.store.sql.tables import farmers, loans, persons

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy import RowMapping

    from agrocredit.store.personal import KeyRing
    from agrocredit.store.sql.session import Session

_INDEXED = ("phone", "national_id")
"""Fields by which one person under several ids is found."""
_OPEN = (LoanStatus.APPROVED, LoanStatus.ACTIVE, LoanStatus.OVERDUE, LoanStatus.RESTRUCTURED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What was recorded of a farmer; all empty once erased."""

    name: str | None = None
    phone: str | None = None
    national_id: str | None = None

    def known(self) -> dict[str, str]:
        """Return the fields that are given, by name."""
        fields = {"name": self.name, "phone": self.phone, "national_id": self.national_id}
        return {name: text for name, text in fields.items() if text is not None}


def record_person(
    session: Session, farmer_id: str, person: Person, *, ring: KeyRing, actor: str, at: datetime
) -> tuple[str, ...]:
    """Seal what is known of a farmer in place of what was; return other farmers of the tenant with the same marks.

    A person under several ids is a matter for people, not a refusal: an event tells of it, with ids only.

    Raises
    ------
    RefusedError
        ``not_found``.
    KeyUnavailableError
        ``key_unavailable``.
    """
    session.found(farmers, farmer_id)
    key = _key(session, farmer_id, ring) or new_person_key(tenant=session.tenant_id, person=farmer_id)
    values = {**_wrapped(key, ring), **_sealed(person, key, ring), "erased_at": None}
    if not session.add_unless_there(persons, farmer_id=farmer_id, **values):
        session.changed(session.update(persons).where(persons.c.farmer_id == farmer_id).values(**values))
    happened = [Event(kind="person.recorded", subject_id=farmer_id, payload={"fields": sorted(person.known())})]
    linked = _linked(session, farmer_id, person, ring)
    if linked:
        happened.append(Event(kind="person.linked", subject_id=farmer_id, payload={"farmer_ids": list(linked)}))
    record(session, happened, actor=actor, at=at)
    return linked


def read_person(session: Session, farmer_id: str, *, ring: KeyRing) -> Person:
    """Return what is known of a farmer; errors as `record_person`."""
    session.found(farmers, farmer_id)
    row = _row(session, farmer_id)
    key = _key(session, farmer_id, ring)
    if row is None or key is None:
        return Person()
    sealed = {name: row[f"{name}_sealed"] for name in ("name", "phone", "national_id")}
    opened = {name: open_text(bytes(value), key=key, name=name) for name, value in sealed.items() if value is not None}
    return Person(**opened)


def forget_person(session: Session, farmer_id: str, *, actor: str, at: datetime) -> None:
    """Destroy a person's key and all that it sealed; ledger and log, which know only ids, stay as they are.

    Raises
    ------
    RefusedError
        ``not_found``; ``retention_required`` while a loan is open, with the day on which the last one is due.
    """
    session.found(farmers, farmer_id)
    due_on = _last_due(session, farmer_id)
    if due_on is not None:
        raise RefusedError("retention_required", f"a loan of farmer {farmer_id} is open and due on {due_on}")
    nothing = {column.name: None for column in persons.c if column.nullable}
    forgotten = session.update(persons).where(persons.c.farmer_id == farmer_id, persons.c.erased_at.is_(None))
    if session.changed(forgotten.values(**{**nothing, "erased_at": at})):
        record(session, [Event(kind="person.erased", subject_id=farmer_id, payload={})], actor=actor, at=at)


def rewrap_persons(session: Session, *, ring: KeyRing) -> int:
    """Bring the tenant's person keys under the master key in force; return how many were not.

    Each is changed only if it is still what was read, so that serving goes on meanwhile.
    """
    old = session.rows(
        session.select(persons).where(persons.c.wrapped_key.is_not(None), persons.c.master_key != ring.in_force)
    )
    for row in old:
        key = _unwrapped(row, session.tenant_id, ring)
        sealed = {name: row[f"{name}_sealed"] for name in _INDEXED}
        marks = {name: open_text(bytes(value), key=key, name=name) for name, value in sealed.items() if value}
        unchanged = (persons.c.farmer_id == row["farmer_id"]) & (persons.c.wrapped_key == row["wrapped_key"])
        values = {**_wrapped(key, ring), **_indexes(Person(**marks), session.tenant_id, ring)}
        session.changed(session.update(persons).where(unchanged).values(**values))
    return len(old)


def _row(session: Session, farmer_id: str) -> RowMapping | None:
    return session.row(session.select(persons).where(persons.c.farmer_id == farmer_id))


def _key(session: Session, farmer_id: str, ring: KeyRing) -> PersonKey | None:
    row = _row(session, farmer_id)
    return None if row is None or row["wrapped_key"] is None else _unwrapped(row, session.tenant_id, ring)


def _unwrapped(row: RowMapping, tenant: str, ring: KeyRing) -> PersonKey:
    return PersonKey.unwrapped(
        ring, tenant=tenant, person=row["farmer_id"], name=row["master_key"], wrapped=bytes(row["wrapped_key"])
    )


def _wrapped(key: PersonKey, ring: KeyRing) -> dict[str, str | bytes]:
    name, wrapped = key.wrapped(ring)
    return {"master_key": name, "wrapped_key": wrapped}


def _sealed(person: Person, key: PersonKey, ring: KeyRing) -> dict[str, bytes | None]:
    known = person.known()
    sealed = {
        f"{name}_sealed": seal_text(known[name], key=key, name=name) if name in known else None
        for name in ("name", "phone", "national_id")
    }
    return {**sealed, **_indexes(person, key.tenant, ring)}


def _indexes(person: Person, tenant: str, ring: KeyRing) -> dict[str, bytes | None]:
    known = person.known()
    return {
        f"{name}_index": blind_index(known[name], ring=ring, tenant=tenant, name=name) if name in known else None
        for name in _INDEXED
    }


def _linked(session: Session, farmer_id: str, person: Person, ring: KeyRing) -> tuple[str, ...]:
    """Return who else has this phone or national id, under any key of the ring."""
    found: set[str] = set()
    for name, text in person.known().items():
        if name in _INDEXED:
            marks = [
                blind_index(text, ring=ring, tenant=session.tenant_id, name=name, master_key=key) for key in ring.keys
            ]
            query = session.select(persons, persons.c.farmer_id).where(persons.c[f"{name}_index"].in_(marks))
            found.update(row["farmer_id"] for row in session.rows(query))
    return tuple(sorted(found - {farmer_id}))


def _last_due(session: Session, farmer_id: str) -> date | None:
    owed = session.select(loans, loans.c.due_on).where(loans.c.farmer_id == farmer_id, loans.c.status.in_(_OPEN))
    dates = [row["due_on"] for row in session.rows(owed)]
    return max(dates, default=None)
