"""Events for the regulator: of the whole platform, in one order, without a gap, resumable from any place."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import select

from agrocredit.service.fields import Answer
from agrocredit.service.platform import PlatformDep
from agrocredit.service.strict_route import StrictRoute
from agrocredit.store.sql.sealing import seal
from agrocredit.store.sql.tables import events

router = APIRouter(route_class=StrictRoute, tags=["events"])
EVENTS_MAX = 1_000
_CURSOR_MAX = 2**53


class EventAnswer(Answer):
    """Something that happened, at its place in the order; ids only, no person."""

    position: int
    tenant_id: str
    kind: str
    subject_id: str
    actor: str
    recorded_at: datetime
    payload: dict[str, Any]


class Events(Answer):
    """Events behind a place, and the place to go on from."""

    events: list[EventAnswer]
    next_after: int


@router.get("/v1/events")
async def list_events(
    platform: PlatformDep,
    after: Annotated[int, Query(ge=0, le=_CURSOR_MAX, description="the last position the reader has")] = 0,
    limit: Annotated[int, Query(ge=1, le=EVENTS_MAX)] = 100,
) -> Events:
    """Read what happened behind a position; an empty list means that all of it is read."""

    def work() -> Events:
        seal(platform.database)
        query = select(events).where(events.c.position > after).order_by(events.c.position).limit(limit)
        with platform.database.oversee(read_only=True) as connection:
            rows = list(connection.execute(query).mappings())
        found = [EventAnswer.model_validate({**row, "payload": json.loads(row["payload"])}) for row in rows]
        return Events(events=found, next_after=found[-1].position if found else after)

    return await platform.workers.run(work)
