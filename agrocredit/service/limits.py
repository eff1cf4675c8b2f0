"""Limits: what a farmer could borrow, as published. One look-up is one ready answer; many are columns."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Response
from pydantic import Field

from agrocredit.service.fields import Answer, Body, Id
from agrocredit.service.platform import CallerDep, PlatformDep
from agrocredit.service.problems import Problem
from agrocredit.service.strict_route import StrictRoute
from agrocredit.store.limit_snapshot import WORD_COLUMNS

router = APIRouter(route_class=StrictRoute, tags=["limits"])
FARMERS_MAX = 1_000
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
    """Limits in columns, in the order asked; null for who has none, whatever the cause."""

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


@router.get("/v1/farmers/{farmer_id}/limit", response_class=Response, responses={200: {"model": PublishedLimit}})
async def farmer_limit(farmer_id: str, platform: PlatformDep, caller: CallerDep) -> Response:
    """Look up the published limit of one farmer."""
    snapshot = platform.published.of(caller.tenant_id) if caller.owns(farmer_id) else None
    answer = snapshot.answer(farmer_id) if snapshot else None
    if answer is None:
        raise Problem("not_found", "no published limit, expected a farmer of your own")
    return Response(answer, media_type="application/json")


@router.post("/v1/limits/lookup", response_class=Response, responses={200: {"model": LimitColumns}})
async def look_up(body: Lookup, platform: PlatformDep, caller: CallerDep) -> Response:
    """Look up the published limits of up to 1,000 farmers, in columns."""
    snapshot = platform.published.of(caller.tenant_id)
    found = snapshot.columns(body.farmer_ids) if snapshot else dict.fromkeys(_COLUMNS, [None] * len(body.farmer_ids))
    return Response(orjson.dumps({"farmer_id": body.farmer_ids, **found}), media_type="application/json")
