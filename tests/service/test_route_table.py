"""The table of routes and the app are the same thing."""

import pytest
from fastapi.routing import APIRoute

from agrocredit.service.route_table import KEY_ROLES, ROUTES, Role
from agrocredit.store.sql.tables_tenants import KEY_ROLES as STORED_ROLES


def app_routes(service):
    routes = service.app._app.routes
    return [(method, route.path) for route in routes if isinstance(route, APIRoute) for method in route.methods]


def test_every_route_of_the_app_is_declared_and_every_declared_one_is_there(guarded):
    declared = [(route.method, route.path) for route in ROUTES]
    assert len(set(declared)) == len(declared)
    assert sorted(app_routes(guarded)) == sorted(declared)


def test_nothing_else_answers_behind_the_gate(guarded):
    assert all(isinstance(route, APIRoute) for route in guarded.app._app.routes)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_declaration_is_whole(route):
    assert bool(route.scope) == bool(route.roles)
    assert not route.idempotent or (route.method == "POST" and route.body_bytes_max)
    assert route.method in {"GET", "DELETE"} or route.body_bytes_max
    if route.method != "GET":
        assert not route.roles & {Role.REGULATOR, Role.ANALYST} or route.path == "/v1/limits/lookup"


def test_keys_have_the_roles_that_the_store_knows():
    assert tuple(map(str, KEY_ROLES)) == STORED_ROLES


def test_the_document_describes_every_declared_route_with_its_problems(guarded):
    document = guarded.get("/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for route in ROUTES:
        if route.path == "/v1/openapi.json":
            continue
        operation = document["paths"][route.path][route.method.lower()]
        assert operation["security"] == [{"bearer": [route.scope]}] if route.scope else "security" not in operation
        assert operation["summary"]
        problems = [status for status in operation["responses"] if status >= "400"]
        assert {"404", "422", "500", "503"} <= set(problems)
        for status in problems:
            assert list(operation["responses"][status]["content"]) == ["application/problem+json"]
        keys = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "header"]
        assert keys == (["Idempotency-Key"] if route.idempotent else [])
