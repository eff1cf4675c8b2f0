"""A lender changes a limit in force: another ceiling, frozen, released, or closed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agrocredit import ledger
from agrocredit.domain.errors import RefusedError
from agrocredit.domain.loan import LimitStatus
from agrocredit.store.sql.events import Event, record
from agrocredit.store.sql.limits import lock_limit, save_limit

if TYPE_CHECKING:
    from agrocredit.domain.loan import Limit
    from agrocredit.service.lending.write import Stamp
    from agrocredit.store.sql.session import Session


def change_limit(
    session: Session,
    limit_id: str,
    *,
    stamp: Stamp,
    limit_minor: int | None = None,
    status: LimitStatus | None = None,
) -> Limit:
    """Give a limit another ceiling or status and return it. A draw under way sees it before or after, never in between.

    Parameters
    ----------
    session : Session
    limit_id : str
    stamp : Stamp
    limit_minor : int, optional
        New ceiling, minor units, 0 or more. What is drawn above it stays owed and stops every further draw.
    status : LimitStatus, optional

    Raises
    ------
    RefusedError
        ``not_found``; ``limit_not_active`` for one that is closed; ``amount_invalid``.
    """
    before = lock_limit(session, limit_id)
    if before.status is LimitStatus.CLOSED:
        raise RefusedError("limit_not_active", f"limit {limit_id} is closed, expected one in force")
    after = before
    if limit_minor is not None:
        if limit_minor < 0:
            raise RefusedError("amount_invalid", f"a limit of {limit_minor} minor units, expected 0 or more")
        after = ledger.cut(after, limit_minor=limit_minor)
    if status is not None:
        after = replace(after, status=status)
    save_limit(session, before=before, after=after)
    payload = {"limit_minor": after.limit_minor, "was_minor": before.limit_minor, "status": after.status.value}
    record(session, [Event(kind="limit.changed", subject_id=limit_id, payload=payload)], actor=stamp.actor, at=stamp.at)
    return after
