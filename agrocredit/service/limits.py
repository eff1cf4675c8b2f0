"""Limits: what a farmer could borrow, as published. One look-up is one ready answer; many are columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

import orjson
from fastapi import APIRouter, Response
from pydantic import Field

from agrocredit.service.caller import Caller
from agrocredit.service.fields import Answer, Body, Id
from agrocredit.service.platform import CallerDep, Platform, PlatformDep
from agrocredit.service.problems import Problem
from agrocredit.service.published import PublishedLimits
from agrocredit.service.strict_route import StrictRoute
from agrocredit.store.limit_snapshot import WORD_COLUMNS
from agrocredit.store.sql.plot_queries import known_farmers

router = APIRouter(route_class=StrictRoute, tags=["limits"])
FARMERS_MAX = 1_000
LOOK_UP = "/v1/farmers/{farmer_id}/limit"
_COLUMNS = ("limit_minor", *WORD_COLUMNS)


class PublishedLimit(Answer):
    """One farmer's limit as published."""

    farmer_id: str
    season: str
    as_of: str
    outcome: str
    limit_minor: int
    currency: str
    binding_cap: str | None
    reasons: list[str]
    due_on: str | None
    policy: str
    policy_version: str
    decision_id: str


class Lookup(Body):
    """Whose limits to look up."""

    farmer_ids: Annotated[list[Id], Field(min_length=1, max_length=FARMERS_MAX)]


class LimitColumns(Answer):
    """Limits in columns, in the order asked; null for a farmer of one's own who has none."""

    farmer_id: list[str]
    limit_minor: list[int | None]
    currency: list[str | None]
    outcome: list[str | None]
    season: list[str | None]
    as_of: list[str | None]
    binding_cap: list[str | None]
    due_on: list[str | None]
    policy: list[str | None]
    policy_version: list[str | None]


@router.get(LOOK_UP, response_class=Response, responses={200: {"model": PublishedLimit}})
async def farmer_limit(farmer_id: str, platform: PlatformDep, caller: CallerDep) -> Response:
    """Look up the published limit of one farmer."""
    return Response(published_limit(platform.published, caller, farmer_id), media_type="application/json")


def ready_limit(published: PublishedLimits) -> Callable[[Caller, str], bytes]:
    """Return the same look-up for the gate, which answers the busiest route itself."""
    before, after = LOOK_UP.split("{farmer_id}")

    def answer(caller: Caller, path: str) -> bytes:
        return published_limit(published, caller, path[len(before) : -len(after)])

    return answer


def published_limit(published: PublishedLimits, caller: Caller, farmer_id: str) -> bytes:
    """Return the ready answer about one farmer.

    Raises
    ------
    Problem
        ``not_found``, also for another lender's farmer; ``snapshot_unavailable``.
    """
    snapshot = published.of(caller.tenant_id) if caller.owns(farmer_id) else None
    answer = snapshot.answer(farmer_id) if snapshot else None
    if answer is None:
        raise Problem("not_found", "no published limit, expected a farmer of your own")
    return answer


@router.post("/v1/limits/lookup", response_class=Response, responses={200: {"model": LimitColumns}})
async def look_up(body: Lookup, platform: PlatformDep, caller: CallerDep) -> Response:
    """Look up the published limits of up to 1,000 farmers, in columns; one who is not yours refuses them all."""
    snapshot = platform.published.of(caller.tenant_id)
    found = snapshot.columns(body.farmer_ids) if snapshot else dict.fromkeys(_COLUMNS, [None] * len(body.farmer_ids))
    if None in found["outcome"]:
        without = {place: body.farmer_ids[place] for place, outcome in enumerate(found["outcome"]) if outcome is None}
        await platform.workers.run(lambda: _check_own(without, platform, caller))
    return Response(orjson.dumps({"farmer_id": body.farmer_ids, **found}), media_type="application/json")


def _check_own(places: Mapping[int, str], platform: Platform, caller: Caller) -> None:
    """Refuse a batch for a farmer who is not the lender's, unknown or another's; blocking."""
    with platform.database.read(caller.tenant_id) as session:
        known = known_farmers(session, sorted(set(places.values())))
    strangers = [place for place, farmer_id in places.items() if farmer_id not in known]
    if strangers:
        detail = f"{len(strangers)} of the farmers are not known, expected farmers of your own"
        raise Problem("not_found", detail, field=f"/farmer_ids/{strangers[0]}")
