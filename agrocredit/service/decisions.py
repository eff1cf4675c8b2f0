"""Decisions: what was decided, why in words, whether it comes out the same again, and in another system's form."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter, Response

from agrocredit.credit import explain, facts_of, replay, what_would_change
from agrocredit.domain.errors import AgrocreditError
from agrocredit.service.fields import Answer
from agrocredit.service.fineract import loan_application
from agrocredit.service.platform import CallerDep, PlatformDep
from agrocredit.service.problems import Problem
from agrocredit.service.strict_route import StrictRoute
from agrocredit.store.sql.decision_queries import find_decision

if TYPE_CHECKING:
    from agrocredit.credit import CreditPolicy
    from agrocredit.service.caller import Caller
    from agrocredit.service.platform import Platform
    from agrocredit.store.sql.session import Session

router = APIRouter(route_class=StrictRoute, tags=["decisions"])


class BulletAnswer(Answer):
    """One repayment of principal."""

    crop: str
    due_on: date
    principal_minor: int


class DecisionAnswer(Answer):
    """A decision, its limit, all caps and the reasons."""

    id: str
    farmer_id: str
    season: str
    as_of: date
    outcome: Literal["approved", "referred", "declined"]
    limit_minor: int
    currency: str
    binding_cap: str | None
    caps: dict[str, int]
    reasons: list[str]
    due_on: date | None
    bullets: list[BulletAnswer]
    policy: str
    policy_version: str
    decision_sha256: str


class ReasonAnswer(Answer):
    """One reason."""

    code: str
    text: str


class ChangeAnswer(Answer):
    """The least change of one input that alone would have brought an approval."""

    lever: str
    now: int
    needed: int


class Explanation(Answer):
    """A decision in words."""

    decision_id: str
    language: str
    outcome: str
    reasons: list[ReasonAnswer]
    would_have_approved: list[ChangeAnswer]


class ReplayAnswer(Answer):
    """The decision computed again from its record."""

    decision_id: str
    same_bytes: bool
    decision_sha256: str
    record: dict[str, Any]


@router.get("/v1/decisions/{decision_id}")
async def read_decision(decision_id: str, platform: PlatformDep, caller: CallerDep) -> DecisionAnswer:
    """Read a decision."""

    def work() -> DecisionAnswer:
        with platform.database.read(caller.tenant_id) as session:
            return decision_answer(session, decision_id, caller)

    return await platform.workers.run(work)


@router.get("/v1/decisions/{decision_id}/explanation")
async def explain_decision(
    decision_id: str, platform: PlatformDep, caller: CallerDep, language: str = "en"
) -> Explanation:
    """Say a decision in words, and what would have brought an approval."""

    def work() -> Explanation:
        found, policy = _recorded(decision_id, platform, caller)
        facts = facts_of(found, policy=policy)
        try:
            reasons = [
                ReasonAnswer(code=code, text=explain(code, language=language, **facts))
                for code in found["result"]["reasons"]
            ]
        except AgrocreditError as error:
            raise Problem(error.code, error.detail, field="language") from None
        changes = [
            ChangeAnswer(lever=str(change.lever), now=change.now, needed=change.needed)
            for change in what_would_change(found, policy=policy)
        ]
        return Explanation(
            decision_id=decision_id,
            language=language,
            outcome=found["result"]["outcome"],
            reasons=reasons,
            would_have_approved=changes,
        )

    return await platform.workers.run(work)


@router.get("/v1/decisions/{decision_id}/replay")
async def replay_decision(decision_id: str, platform: PlatformDep, caller: CallerDep) -> ReplayAnswer:
    """Compute a decision again from nothing but its record and the policy it names."""

    def work() -> ReplayAnswer:
        with platform.database.read(caller.tenant_id) as session:
            row = _visible(session, decision_id, caller)
        found, policy = _of_record(row, platform)
        return ReplayAnswer(
            decision_id=decision_id,
            same_bytes=replay(found, policy=policy) == bytes(row["record"]),
            decision_sha256=row["decision_sha256"],
            record=found,
        )

    return await platform.workers.run(work)


@router.get("/v1/decisions/{decision_id}/fineract-loan-application", response_class=Response)
async def export_to_fineract(decision_id: str, platform: PlatformDep, caller: CallerDep) -> Response:
    """Return an approved decision as the body of an Apache Fineract loan application."""

    def work() -> bytes:
        with platform.database.read(caller.tenant_id) as session:
            row = _visible(session, decision_id, caller)
        if row["outcome"] != "approved":
            raise Problem("decision_not_approved", f"the decision is {row['outcome']}, expected an approved one")
        rate = platform.policies[row["policy"]].on(row["as_of"]).product.rate
        return json.dumps(loan_application(row, rate=rate), ensure_ascii=False).encode()

    return Response(await platform.workers.run(work), media_type="application/json")


def decision_answer(session: Session, decision_id: str, caller: Caller) -> DecisionAnswer:
    """Return a decision that the caller may see; any other is not there."""
    return DecisionAnswer.model_validate(_visible(session, decision_id, caller))


def _visible(session: Session, decision_id: str, caller: Caller) -> dict[str, Any]:
    row = find_decision(session, decision_id)
    if not caller.owns(row["farmer_id"]):
        find_decision(session, "")
    return row


def _recorded(decision_id: str, platform: Platform, caller: Caller) -> tuple[dict[str, Any], CreditPolicy]:
    with platform.database.read(caller.tenant_id) as session:
        row = _visible(session, decision_id, caller)
    return _of_record(row, platform)


def _of_record(row: dict[str, Any], platform: Platform) -> tuple[dict[str, Any], CreditPolicy]:
    """Return the record of a decision and the pack it names."""
    if row["record"] is None or row["policy"] not in platform.policies:
        missing = "record" if row["record"] is None else f"policy {row['policy']}"
        raise Problem("record_incomplete", f"the {missing} of this decision is not here")
    return json.loads(row["record"]), platform.policies[row["policy"]]
