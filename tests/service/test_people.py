"""Personal data over HTTP: for those who may, sealed, and nowhere else."""

import pytest
from sqlalchemy import select

from agrocredit.store.sql.tables import metadata

from .conftest import problem

WANJIRU = {"name": "Wanjiru Kamau", "phone": "+254 712 000 111", "national_id": "A-99 1234"}
PLANTED = ("Wanjiru", "Kamau", "712 000", "712000111", "A-99", "991234")


def put(service, body=WANJIRU, *, farmer_id="F1", **rest):
    return service.call("PUT", f"/v1/farmers/{farmer_id}/person", json=body, farmer_id=farmer_id, **rest)


def read(service, *, farmer_id="F1", **rest):
    return service.get(f"/v1/farmers/{farmer_id}/person", farmer_id=farmer_id, **rest)


def erase(service, *, farmer_id="F1", **rest):
    return service.call("DELETE", f"/v1/farmers/{farmer_id}/person", farmer_id=farmer_id, **rest)


def test_what_is_recorded_is_read_by_lender_and_farmer_and_by_nobody_else(service):
    assert put(service, role="agent").status_code == 200
    for role in ("lender", "farmer"):
        assert read(service, role=role).json() == {"farmer_id": "F1", **WANJIRU}
    for role in ("agent", "analyst", "regulator"):
        problem(read(service, role=role), 403, "scope_missing")


def test_another_lenders_or_farmers_person_is_as_unknown_as_nobody(service):
    put(service)
    service.farmer_token("F2")
    answers = [
        read(service, tenant="rival"),
        service.get("/v1/farmers/nobody/person"),
        service.get("/v1/farmers/F1/person", role="farmer", farmer_id="F2"),
        erase(service, tenant="rival"),
    ]
    bodies = [{**problem(answer, 404, "not_found"), "trace_id": ""} for answer in answers]
    assert all(body == bodies[0] for body in bodies)
    assert read(service).json()["name"] == "Wanjiru Kamau"


@pytest.mark.parametrize(
    "body",
    [
        {**WANJIRU, "phone": "Wanjiru 712 000"},
        {**WANJIRU, "phone": 712000111},
        {**WANJIRU, "national_id": "A-99 1234 " * 9},
        {**WANJIRU, "name": ["Wanjiru Kamau"]},
        {**WANJIRU, "nickname": "Wanjiru"},
        {"Wanjiru Kamau": 1},
    ],
)
def test_a_refusal_never_repeats_what_was_sent(service, body):
    answer = put(service, body)
    assert answer.status_code == 422
    detail = {**answer.json(), "field": ""} if "Wanjiru Kamau" in body else answer.json()
    assert not [word for word in PLANTED if word in str(detail)]


def test_no_planted_word_is_in_any_table_log_line_or_metric(service):
    service.loan()
    put(service)
    put(service, {"name": "Kamau", "phone": "bad"})
    read(service)
    service.get("/v1/farmers/712000111/person")
    with service.database.oversee(read_only=True) as connection:
        tables = [row for table in metadata.sorted_tables for row in connection.execute(select(table))]
    shown = {
        "tables": repr(tables),
        "log": service.lines.getvalue().decode(),
        "metrics": service.get("/metrics").text,
        "events": service.get("/v1/events", role="regulator", params={"limit": 1000}).text,
        "audit": service.get("/v1/audit", role="regulator", params={"limit": 1000}).text,
    }
    assert "loan.opened" in shown["events"]
    assert [(place, word) for place, text in shown.items() for word in PLANTED if word in text] == []


def test_nobody_is_forgotten_while_a_loan_is_open_and_afterwards_the_books_still_hold(service):
    loan = service.loan()
    put(service)
    body = {"amount_minor": 5_000, "currency": loan["currency"]}
    assert service.post(f"/v1/loans/{loan['id']}/draws", body, key="d1").status_code == 201
    refused = problem(erase(service), 409, "retention_required")
    assert loan["due_on"] in refused["detail"]
    assert read(service).json()["name"] == "Wanjiru Kamau"


def test_a_person_without_a_loan_is_forgotten_once_and_for_good(service):
    put(service)
    for _ in range(2):
        assert erase(service).status_code == 204
    assert read(service).json() == {"farmer_id": "F1", "name": None, "phone": None, "national_id": None}


def test_a_farmer_gives_a_consent_and_takes_it_back(service):
    service.farmer_token("F1")
    path = "/v1/farmers/F1/consents"
    body = {"purpose": "credit_assessment", "expires_at": "2025-06-01T00:00:00Z"}
    given = service.post(path, body, role="farmer")
    assert given.status_code == 201, given.text
    (consent,) = given.json()["consents"]
    assert consent["withdrawn_at"] is None
    problem(service.call("DELETE", f"{path}/{consent['id']}", tenant="rival"), 404, "not_found")
    assert service.call("DELETE", f"{path}/{consent['id']}", role="farmer").status_code == 204
    assert service.get(path, role="regulator").json()["consents"][0]["withdrawn_at"] is not None
    problem(service.post(path, {**body, "expires_at": "2020-01-01T00:00:00Z"}), 422, "consent_invalid")
    problem(service.post(path, {**body, "expires_at": "2025-06-01T00:00:00"}), 422, "field_invalid")


@pytest.mark.parametrize("instant", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"])
def test_an_instant_that_no_calendar_holds_is_refused(guarded, instant):
    body = {"purpose": "credit_assessment", "expires_at": instant}
    problem(guarded.post("/v1/farmers/F1/consents", body), 422, "consent_invalid")
