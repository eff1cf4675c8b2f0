"""One effect a key: the row of the key comes first in the transaction, so that whoever is second waits or is answered.

A request that is refused rolls back with its row: it stores nothing, and the same key may be tried again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete
from sqlalchemy.exc import DBAPIError

from agrocredit.domain.errors import RefusedError
from agrocredit.store.sql.tables import idempotency

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

    from agrocredit.store.sql.session import Session

KEPT = timedelta(days=30)
"""How long an answer can be asked for again."""
_LOCK_TIMEOUT = "55P03"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKey:
    """What makes two requests the same: who asks, on which route, with which key; the tenant is the session's."""

    subject: str
    """The key holder or farmer."""
    route: str
    """Method and path template."""
    key: str
    """1 to 255 visible characters."""
    body_sha256: str
    """Hash of the body's bytes; with path parameters, where the route has any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status and bytes that went out, or will."""

    status: int
    body: bytes


def once(session: Session, key: RequestKey, *, at: datetime, work: Callable[[], Answer]) -> Answer:
    """Return the answer to a request: of `work`, the first time, and the same bytes every time after.

    Parameters
    ----------
    session : Session
        Its transaction also holds what `work` does.
    key : RequestKey
    at : datetime
        Now.
    work : callable
        Moves the money and returns the answer.

    Raises
    ------
    RefusedError
        ``idempotency_key_reused`` with another body; ``idempotency_in_progress``.
    """
    if not _claim(session, key, at):
        return _kept(session, key)
    answer = work()
    session.changed(session.update(idempotency).where(_is(key)).values(status=answer.status, body=answer.body))
    return answer


def forget_old_keys(connection: Connection, *, at: datetime) -> int:
    """Delete keys of all tenants that are older than `KEPT`; return how many."""
    return connection.execute(delete(idempotency).where(idempotency.c.created_at < at - KEPT)).rowcount


def _claim(session: Session, key: RequestKey, at: datetime) -> bool:
    try:
        return session.add_unless_there(
            idempotency,
            subject=key.subject,
            route=key.route,
            key=key.key,
            body_sha256=key.body_sha256,
            created_at=at,
        )
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCK_TIMEOUT:
            raise _in_progress() from None
        raise


def _kept(session: Session, key: RequestKey) -> Answer:
    row = session.row(session.select(idempotency).where(_is(key)))
    if row is None or row["body"] is None:  # forgotten a moment ago, or never answered
        raise _in_progress()
    if row["body_sha256"] != key.body_sha256:
        raise RefusedError("idempotency_key_reused", "this key came with another request, expected a new key for it")
    return Answer(status=row["status"], body=row["body"])


def _is(key: RequestKey) -> ColumnElement[bool]:
    columns = idempotency.c
    return and_(columns.subject == key.subject, columns.route == key.route, columns.key == key.key)


def _in_progress() -> RefusedError:
    return RefusedError("idempotency_in_progress", "a request with this key is under way, expected it to end first")
