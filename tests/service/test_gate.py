"""What the gate lets through to a route, and what it says of what goes wrong behind it."""

import asyncio
import time

import pytest

from agrocredit.service.farmer_tokens import issue
from agrocredit.service.route_table import ROUTES, Role
from agrocredit.service.settings import Settings

from .gate_server import SECRETS, Server, problem


@pytest.fixture
def server():
    return Server()


def test_a_key_opens_a_route_of_its_role(server):
    answer = server.call("GET", "/v1/farmers/F1/limit", key=server.store.add(Role.LENDER))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/", (404, "not_found")),
        ("GET", "/docs", (404, "not_found")),
        ("GET", "/v1/plots/", (404, "not_found")),
        ("GET", "/v1/plots//POST", (404, "not_found")),
        ("GET", "/v2/plots/1", (404, "not_found")),
        ("GET", "/v1/plots", (405, "method_not_allowed")),
        ("TRACE", "/v1/plots", (405, "method_not_allowed")),
        ("DELETE", "/v1/plots/1", (405, "method_not_allowed")),
        ("GET", "/v1/plots/%00", (422, "text_invalid")),
        ("GET", "/v1/plots/a%E2%80%AEb", (422, "text_invalid")),
    ],
)
def test_what_is_not_declared_is_not_there(server, method, path, expected):
    assert problem(server.call(method, path)) == expected


def test_an_override_header_changes_no_method(server):
    key = server.store.add(Role.LENDER)
    answer = server.call("GET", "/v1/plots", key=key, headers=[("X-HTTP-Method-Override", "POST")])
    assert problem(answer) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


ROLE_ROUTES = [(role, route) for role in Role for route in ROUTES if not route.public]


def credential(server, role):
    if role is not Role.FARMER:
        return server.store.add(role)
    return issue(tenant_id="bank", farmer_id="F1", seconds=60, now_s=time.time(), signing_key=SECRETS.signing_key)[0]


@pytest.mark.parametrize(("role", "route"), ROLE_ROUTES, ids=lambda part: getattr(part, "path", part))
def test_each_role_passes_exactly_where_the_table_says(server, role, route):
    path = route.path.replace("{", "").replace("}", "")
    headers = [("Idempotency-Key", "k")] if route.idempotent else []
    body = {"json": {}} if route.body_bytes_max else {}
    answer = server.call(route.method, path, key=credential(server, role), headers=headers, **body)
    if role in route.roles:
        assert answer.status_code == 200
    else:
        assert problem(answer) == (403, "scope_missing")


@pytest.mark.parametrize(
    "query", ["sort=1;DROP TABLE plots", "tenant_id=other", "language=en&language=zh", "language=%ff", "a=" * 9]
)
def test_parameters_that_are_not_declared_are_refused(server, query):
    key = server.store.add(Role.LENDER)
    answer = server.call("GET", f"/v1/decisions/D1/explanation?{query}", key=key)
    assert problem(answer) == (422, "parameter_invalid")


def test_a_declared_parameter_passes(server):
    key = server.store.add(Role.LENDER)
    assert server.call("GET", "/v1/decisions/D1/explanation?language=zh", key=key).status_code == 200


def test_a_failure_inside_says_nothing_and_is_found_in_the_log():
    async def broken(_scope, _receive, _send):
        raise RuntimeError("password of F0001")

    server = Server(app=broken)
    answer = server.call("GET", "/v1/farmers/F1/limit", key=server.store.add(Role.LENDER))
    assert problem(answer) == (500, "internal_error")
    failed = [line for line in server.log() if line["event"] == "failed"]
    assert failed[0]["trace_id"] == answer.headers["x-trace-id"]
    assert failed[0]["error"] == "RuntimeError"
    assert b"F0001" not in server.lines.getvalue() + answer.content


def test_an_answer_that_takes_too_long_is_given_up():
    async def slow(_scope, _receive, _send):
        await asyncio.sleep(30)

    server = Server(app=slow, settings=Settings(request_seconds_max=1))
    answer = server.call("GET", "/v1/farmers/F1/limit", key=server.store.add(Role.LENDER))
    assert problem(answer) == (503, "timeout")


def test_log_and_metrics_know_routes_and_no_farmer():
    server = Server()
    key = server.store.add(Role.LENDER)
    server.call("GET", "/v1/farmers/SECRET-FARMER/limit", key=key)
    server.call("GET", "/v1/decisions/SECRET-FARMER/explanation?language=SECRET-FARMER", key=key)
    server.call("GET", "/SECRET-FARMER")
    everything = server.lines.getvalue() + server.metrics.text()
    assert b"SECRET-FARMER" not in everything
    assert key.encode() not in everything
    assert b'route="/v1/farmers/{farmer_id}/limit",status="200"} 1.0' in everything
    lines = [line for line in server.log() if line["event"] == "answered"]
    assert [line["route"] for line in lines] == [
        "/v1/farmers/{farmer_id}/limit",
        "/v1/decisions/{decision_id}/explanation",
        None,
    ]
