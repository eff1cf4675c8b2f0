"""A farmer accepts: the decision's limit comes into force, the plots it rests on are pledged, a loan is opened."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING

from agrocredit.domain.errors import RefusedError
from agrocredit.domain.loan import Limit
from agrocredit.service.lending import open_loan
from agrocredit.service.pledged import pledge_plots
from agrocredit.service.problems import Problem
from agrocredit.store.sql.decision_queries import find_decision, newest_decision
from agrocredit.store.sql.events import Event, record
from agrocredit.store.sql.ids import new_id
from agrocredit.store.sql.limits import grant_limit, limit_of_decision
from agrocredit.store.sql.loans import read_loan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from agrocredit.domain.loan import Loan
    from agrocredit.service.caller import Caller
    from agrocredit.service.lending import Stamp
    from agrocredit.service.platform import Platform
    from agrocredit.store.sql.session import Session

_PPM = 1_000_000


def accept_offer(
    session: Session, decision_id: str, *, platform: Platform, caller: Caller, stamp: Stamp
) -> tuple[Loan, Limit]:
    """Open a loan on a decision and return it with its limit.

    Raises
    ------
    RefusedError
        ``not_found``, or what `agrocredit.service.lending.open_loan` raises.
    Problem
        ``decision_not_approved``, ``limit_not_active`` where a newer decision stands, ``plot_already_pledged``.
    """
    decision = find_decision(session, decision_id)
    if not caller.owns(decision["farmer_id"]):
        find_decision(session, "")
    if decision["outcome"] != "approved":
        raise Problem("decision_not_approved", f"the decision is {decision['outcome']}", field="/decision_id")
    if newest_decision(session, decision["farmer_id"], season=decision["season"]) != decision_id:
        raise Problem("limit_not_active", "a newer decision on this season stands", field="/decision_id")
    limit = _limit(session, decision, platform=platform, stamp=stamp)
    terms = platform.policies[decision["policy"]].on(decision["as_of"])
    rate_ppm = int(terms.product.rate * _PPM)
    loan = open_loan(session, limit_id=limit.id, rate_ppm=rate_ppm, due_on=decision["due_on"], stamp=stamp)
    return read_loan(session, loan.id)


def _limit(session: Session, decision: Mapping[str, Any], *, platform: Platform, stamp: Stamp) -> Limit:
    """Return the limit of a decision, put in force by the first loan on it."""
    try:
        return limit_of_decision(session, decision["id"])
    except RefusedError:
        pass
    due_on: date = decision["due_on"]
    pledge_plots(
        session,
        {stake["plot_id"]: stake["tenure_share"] for stake in json.loads(decision["record"])["stakes"]},
        farmer_id=decision["farmer_id"],
        season=decision["season"],
        until=due_on + timedelta(days=platform.settings.pledge_days_after_due),
        stamp=stamp,
        platform=platform,
    )
    granted = grant_limit(
        session,
        Limit(
            id=new_id("limit"),
            farmer_id=decision["farmer_id"],
            decision_id=decision["id"],
            currency=decision["currency"],
            limit_minor=decision["limit_minor"],
            drawn_minor=0,
            expires_on=due_on,
        ),
    )
    payload = {"decision_id": decision["id"], "limit_minor": granted.limit_minor, "currency": granted.currency}
    record(
        session, [Event(kind="limit.granted", subject_id=granted.id, payload=payload)], actor=stamp.actor, at=stamp.at
    )
    return granted
