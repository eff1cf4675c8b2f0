"""Farmer tokens: a lender's system asks for one when its farmer has logged in with it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter

from agrocredit.service.farmer_tokens import issue
from agrocredit.service.fields import Answer, Body, Id
from agrocredit.service.platform import CallerDep, PlatformDep
from agrocredit.service.problems import Problem
from agrocredit.service.strict_route import StrictRoute
from agrocredit.store.sql.credentials import add_token
from agrocredit.store.sql.events import Event, record
from agrocredit.store.sql.plot_queries import has_farmer

if TYPE_CHECKING:
    from agrocredit.service.caller import Caller
    from agrocredit.service.platform import Platform

router = APIRouter(route_class=StrictRoute, tags=["farmer tokens"])
_SECONDS_A_MINUTE = 60


class NewToken(Body):
    """Whom the token is for."""

    farmer_id: Id


class TokenAnswer(Answer):
    """A token, shown once."""

    token: str
    token_type: Literal["Bearer"]
    farmer_id: str
    expires_at: datetime


@router.post("/v1/farmer-tokens", status_code=201)
async def ask_for_token(body: NewToken, platform: PlatformDep, caller: CallerDep) -> TokenAnswer:
    """Return a short-lived token for one farmer of this lender."""
    return await platform.workers.run(lambda: _issue(body, platform, caller))


def _issue(body: NewToken, platform: Platform, caller: Caller) -> TokenAnswer:
    now = platform.now()
    text, token = issue(
        tenant_id=caller.tenant_id,
        farmer_id=body.farmer_id,
        seconds=platform.settings.token_minutes * _SECONDS_A_MINUTE,
        now_s=now.timestamp(),
        signing_key=platform.secrets.signing_key,
    )
    with platform.database.write(caller.tenant_id) as session:
        if not has_farmer(session, body.farmer_id):
            raise Problem("not_found", "no such farmer, expected one of your own", field="/farmer_id")
        add_token(
            session, token.token_id, farmer_id=body.farmer_id, issued_by=caller.subject, expires_at=token.expires_at
        )
        event = Event(kind="token.issued", subject_id=token.token_id, payload={"farmer_id": body.farmer_id})
        record(session, [event], actor=caller.subject, at=now)
    return TokenAnswer(token=text, token_type="Bearer", farmer_id=body.farmer_id, expires_at=token.expires_at)  # noqa: S106
