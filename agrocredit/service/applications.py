"""Applications: one call, one decision, from what flows have estimated; or a reference, where nobody has looked yet."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import shapely
from fastapi import APIRouter, Response

from agrocredit.credit import assess_rows, canonical_json, record_sha256
from agrocredit.service.decisions import DecisionAnswer, decision_answer
from agrocredit.service.evidence import Evidence, estimate_values, evidence_of
from agrocredit.service.fields import Answer, Body, Id, Season, Word
from agrocredit.service.platform import CallerDep, PlatformDep
from agrocredit.service.problems import Problem
from agrocredit.service.strict_route import StrictRoute
from agrocredit.store.sql.decision_queries import (
    add_application,
    as_shown,
    decision_of_hash,
    decision_row,
    find_application,
    find_decision,
)
from agrocredit.store.sql.events import Event, record
from agrocredit.store.sql.ids import new_id
from agrocredit.store.sql.plot_queries import has_farmer
from agrocredit.store.sql.tables import decisions, estimates

if TYPE_CHECKING:
    from agrocredit.credit import CreditPolicy
    from agrocredit.service.caller import Caller
    from agrocredit.service.platform import Platform
    from agrocredit.store.sql.session import Session

router = APIRouter(route_class=StrictRoute, tags=["applications"])


class NewApplication(Body):
    """Who applies for which season, under which of the lender's policies."""

    farmer_id: Id
    season: Season
    policy: Word | Id | None = None


class ApplicationAnswer(Answer):
    """An application: decided, or waiting for a picture of the field. Never a limit without evidence."""

    id: str
    farmer_id: str
    season: str
    status: Literal["decided", "evidence_pending"]
    plots_without_estimate: list[str]
    decision: DecisionAnswer | None


@router.post("/v1/applications", status_code=201, responses={202: {"model": ApplicationAnswer}})
async def apply(
    body: NewApplication, platform: PlatformDep, caller: CallerDep, response: Response
) -> ApplicationAnswer:
    """Decide at once, or answer 202 with a reference where a plot has not been estimated yet."""
    policy = _policy(body, platform)
    asked = _Asked(body=body, platform=platform, caller=caller, policy=policy)
    answer = await platform.workers.run(asked.answer_or_evidence)
    if isinstance(answer, Evidence):
        await _estimate(answer, season=body.season, platform=platform, caller=caller)
        answer = await platform.workers.run(lambda: asked.decide(asked.evidence()))
    response.status_code = 201 if answer.decision else 202
    return answer


@router.get("/v1/applications/{application_id}")
async def read_application(application_id: str, platform: PlatformDep, caller: CallerDep) -> ApplicationAnswer:
    """Read an application back; one that waited is read again after its plots were estimated, by applying again."""

    def work() -> ApplicationAnswer:
        with platform.database.read(caller.tenant_id) as session:
            row = find_application(session, application_id)
            if not caller.owns(row["farmer_id"]):
                find_application(session, "")
            decided = None if row["decision_id"] is None else decision_answer(session, row["decision_id"], caller)
            return ApplicationAnswer.model_validate({**row, "plots_without_estimate": [], "decision": decided})

    return await platform.workers.run(work)


class _Asked:
    """One application under way: read, perhaps estimated in between, then decided in one transaction."""

    def __init__(self, *, body: NewApplication, platform: Platform, caller: Caller, policy: CreditPolicy) -> None:
        self._body, self._platform, self._caller, self._policy = body, platform, caller, policy

    def answer_or_evidence(self) -> ApplicationAnswer | Evidence:
        """Return the answer, or the evidence where the estimator should look at a plot first; blocking."""
        evidence = self.evidence()
        return evidence if evidence.missing and self._platform.estimator is not None else self.decide(evidence)

    def evidence(self) -> Evidence:
        """Return what is known of the farmer's season; blocking."""
        as_of = self._platform.business_on(self._caller.tenant_id)
        with self._platform.database.read(self._caller.tenant_id) as session:
            return self._found(session, as_of)

    def decide(self, evidence: Evidence) -> ApplicationAnswer:
        """Decide and write decision and application, or only the application; blocking."""
        body, now = self._body, self._platform.now()
        missing = [plot["id"] for plot in evidence.missing]
        # The arithmetic takes milliseconds and no lock is held meanwhile: on SQLite that would stop all writers.
        decided = None if missing else self._decided(evidence)
        with self._platform.database.write(self._caller.tenant_id) as session:
            shown = None if decided is None else DecisionAnswer.model_validate(self._kept(session, decided))
            application_id = new_id("application")
            add_application(
                session,
                application_id,
                farmer_id=body.farmer_id,
                season=body.season,
                asked=body.model_dump(mode="json"),
                decision_id=None if shown is None else shown.id,
                now=now,
            )
        return ApplicationAnswer(
            id=application_id,
            farmer_id=body.farmer_id,
            season=body.season,
            status="evidence_pending" if shown is None else "decided",
            plots_without_estimate=missing,
            decision=shown,
        )

    def _found(self, session: Session, as_of: date) -> Evidence:
        body = self._body
        unknown = Problem("not_found", "no such farmer, expected one of your own", field="/farmer_id")
        if not self._caller.owns(body.farmer_id):
            raise unknown
        currency = self._policy.on(as_of).currency
        evidence = evidence_of(session, body.farmer_id, season=body.season, currency=currency, as_of=as_of)
        if not evidence.plots:
            if not has_farmer(session, body.farmer_id):
                raise unknown
            detail = f"no plot of this farmer in season {body.season}, expected one or more"
            raise Problem("plot_missing", detail, field="/season")
        return evidence

    def _decided(self, evidence: Evidence) -> dict[str, Any]:
        rows = evidence.rows(currency=self._policy.on(evidence.as_of).currency)
        return assess_rows(**rows, policy=self._policy, crops=self._platform.crops, as_of=evidence.as_of)

    def _kept(self, session: Session, found: dict[str, Any]) -> dict[str, Any]:
        """Write a decision and return it as it is shown; the same inputs on the same day are the same decision."""
        sha256, now = record_sha256(found), self._platform.now()
        known = decision_of_hash(session, found["farmer_id"], sha256=sha256)
        if known is not None:
            return find_decision(session, known)
        decision_id = new_id("decision")
        row = decision_row(decision_id, record=found, record_bytes=canonical_json(found), sha256=sha256, now=now)
        session.add(decisions, **row)
        payload = {"outcome": row["outcome"], "limit_minor": row["limit_minor"], "decision_sha256": sha256}
        event = Event(kind="decision.made", subject_id=decision_id, payload=payload)
        record(session, [event], actor=self._caller.subject, at=now)
        return as_shown(row)


def _policy(body: NewApplication, platform: Platform) -> CreditPolicy:
    name = body.policy or next(iter(platform.policies))
    if name not in platform.policies:
        known = ", ".join(platform.policies)
        raise Problem("policy_unknown", f"found {name!r}, expected one of {known}", field="/policy")
    return platform.policies[name]


async def _estimate(evidence: Evidence, *, season: str, platform: Platform, caller: Caller) -> None:
    """Let the estimator look at the plots nobody has looked at, and keep what it finds."""
    if platform.estimator is None:
        return
    for plot in evidence.missing:
        found = await platform.estimator(
            shapely.from_wkb(plot["wkb"]),
            plot_id=plot["id"],
            crop=plot["crop"],
            harvest_year=int(season),
            as_of=evidence.as_of,
        )
        if found is not None:
            rows = [estimate_values(row) for row in found.to_pylist()]
            await platform.workers.run(lambda rows=rows: _keep_estimates(rows, platform, caller))  # type: ignore[misc]


def _keep_estimates(rows: list[dict[str, Any]], platform: Platform, caller: Caller) -> None:
    with platform.database.write(caller.tenant_id) as session:
        for row in rows:
            finite = {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}
            session.add_unless_there(estimates, **finite)
