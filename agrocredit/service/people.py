"""Who farmers are and what they agreed to. Nothing here is ever quoted back in an error, logged, or told to the log."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Response
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from agrocredit.service.fields import Answer, Body, Word
from agrocredit.service.platform import CallerDep, PlatformDep
from agrocredit.service.problems import Problem
from agrocredit.service.strict_route import StrictRoute
from agrocredit.store.sql.consents import consents_of, give_consent, withdraw_consent
from agrocredit.store.sql.persons import Person, forget_person, read_person, record_person
from agrocredit.store.sql.plot_queries import ensure_farmer
from agrocredit.store.sql.session import not_found
from agrocredit.store.sql.tables import farmers

if TYPE_CHECKING:
    from collections.abc import Callable

    from agrocredit.service.caller import Caller

router = APIRouter(route_class=StrictRoute, tags=["farmers"])
_FARMER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


def _personal(pattern: str, expected: str) -> Callable[[Any], Any]:
    """Return a check whose complaint says what was expected and never what was found."""

    def check(value: Any) -> Any:  # noqa: ANN401 - JSON
        if value is not None and not (isinstance(value, str) and re.fullmatch(pattern, value)):
            raise PydanticCustomError("personal_data_invalid", "expected {expected}", {"expected": expected})
        return value

    return check


def _in_utc(value: datetime) -> datetime:
    """Return an instant in the zone that it is kept in; the last hours of the year 9999 have none there."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("consent_invalid", "expected an instant before the year 10000 in UTC") from None


class PersonBody(Body):
    """What is known of a farmer; a field left out is forgotten."""

    name: Annotated[
        str | None,
        BeforeValidator(_personal(r".{1,200}", "1 to 200 characters")),
        Field(json_schema_extra={"maxLength": 200}),
    ] = None
    phone: Annotated[
        str | None,
        BeforeValidator(_personal(r"\+?[0-9][0-9 ()-]{3,24}", "digits, spaces, brackets and hyphens")),
        Field(json_schema_extra={"maxLength": 26}),
    ] = None
    national_id: Annotated[
        str | None,
        BeforeValidator(_personal(r"[A-Za-z0-9][A-Za-z0-9 ./-]{1,39}", "2 to 40 letters and digits")),
        Field(json_schema_extra={"maxLength": 40}),
    ] = None


class PersonAnswer(Answer):
    """What is known of a farmer."""

    farmer_id: str
    name: str | None
    phone: str | None
    national_id: str | None


class NewConsent(Body):
    """What a farmer agrees to."""

    purpose: Word
    expires_at: Annotated[AwareDatetime, Field(strict=False), AfterValidator(_in_utc)]


class ConsentAnswer(Answer):
    """A consent as it stands."""

    id: str
    purpose: str
    given_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None


class Consents(Answer):
    """A farmer's consents, newest first."""

    farmer_id: str
    consents: list[ConsentAnswer]


@router.put("/v1/farmers/{farmer_id}/person")
async def put_person(farmer_id: str, body: PersonBody, platform: PlatformDep, caller: CallerDep) -> PersonAnswer:
    """Record who a farmer is, sealed under a key of their own; a lender's system may name a new farmer."""
    _own(caller, farmer_id)
    if not _FARMER_ID.fullmatch(farmer_id):
        raise Problem(
            "parameter_invalid", "expected letters, digits, dot, underscore, colon, hyphen", field="farmer_id"
        )
    person = Person(name=body.name, phone=body.phone, national_id=body.national_id)

    def work() -> PersonAnswer:
        at, ring = platform.now(), platform.secrets.data_keys
        with platform.database.write(caller.tenant_id) as session:
            if caller.farmer_id is None:
                ensure_farmer(session, farmer_id, region_id=None, now=at)
            record_person(session, farmer_id, person, ring=ring, actor=caller.subject, at=at)
        return _answer(farmer_id, person)

    return await platform.workers.run(work)


@router.get("/v1/farmers/{farmer_id}/person")
async def get_person(farmer_id: str, platform: PlatformDep, caller: CallerDep) -> PersonAnswer:
    """Read who a farmer is; all empty where nothing was recorded or all was erased."""
    _own(caller, farmer_id)

    def work() -> PersonAnswer:
        with platform.database.read(caller.tenant_id) as session:
            return _answer(farmer_id, read_person(session, farmer_id, ring=platform.secrets.data_keys))

    return await platform.workers.run(work)


@router.delete("/v1/farmers/{farmer_id}/person", status_code=204)
async def delete_person(farmer_id: str, platform: PlatformDep, caller: CallerDep) -> Response:
    """Forget who a farmer is by destroying the key; refused while a loan is open. Ledger and log know ids only."""
    _own(caller, farmer_id)

    def work() -> None:
        with platform.database.write(caller.tenant_id) as session:
            forget_person(session, farmer_id, actor=caller.subject, at=platform.now())

    await platform.workers.run(work)
    return Response(status_code=204)


@router.post("/v1/farmers/{farmer_id}/consents", status_code=201)
async def post_consent(farmer_id: str, body: NewConsent, platform: PlatformDep, caller: CallerDep) -> Consents:
    """Record that a farmer agreed to a purpose until a day."""
    _own(caller, farmer_id)

    def work() -> Consents:
        with platform.database.write(caller.tenant_id) as session:
            give_consent(
                session,
                farmer_id,
                purpose=body.purpose,
                expires_at=body.expires_at,
                actor=caller.subject,
                at=platform.now(),
            )
            rows = consents_of(session, farmer_id)
        return Consents(farmer_id=farmer_id, consents=[ConsentAnswer.model_validate(dict(row)) for row in rows])

    return await platform.workers.run(work)


@router.get("/v1/farmers/{farmer_id}/consents")
async def get_consents(farmer_id: str, platform: PlatformDep, caller: CallerDep) -> Consents:
    """Read what a farmer agreed to and took back."""
    _own(caller, farmer_id)

    def work() -> Consents:
        with platform.database.read(caller.tenant_id) as session:
            rows = consents_of(session, farmer_id)
        return Consents(farmer_id=farmer_id, consents=[ConsentAnswer.model_validate(dict(row)) for row in rows])

    return await platform.workers.run(work)


@router.delete("/v1/farmers/{farmer_id}/consents/{consent_id}", status_code=204)
async def delete_consent(farmer_id: str, consent_id: str, platform: PlatformDep, caller: CallerDep) -> Response:
    """Take a consent back from now on; its record stays."""
    _own(caller, farmer_id)

    def work() -> None:
        with platform.database.write(caller.tenant_id) as session:
            withdraw_consent(session, farmer_id, consent_id, actor=caller.subject, at=platform.now())

    await platform.workers.run(work)
    return Response(status_code=204)


def _own(caller: Caller, farmer_id: str) -> None:
    """Answer a farmer who asks for another one as if there were none."""
    if not caller.owns(farmer_id):
        raise not_found(farmers)


def _answer(farmer_id: str, person: Person) -> PersonAnswer:
    return PersonAnswer(farmer_id=farmer_id, name=person.name, phone=person.phone, national_id=person.national_id)
