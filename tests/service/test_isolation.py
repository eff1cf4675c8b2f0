"""Every operation, every role, every lender, with ids of one's own, of others and of nobody.

The operations are those of the table of routes: a route that is added is tested here without another line.
"""

import re

import pytest

from agrocredit.service.route_table import ROUTES, Role

from .conftest import somewhere

TENANTS = ("bank", "rival", "third", "fourth", "fifth")
GUARDED = [route for route in ROUTES if not route.public]
BODIES = {
    "/v1/plots": lambda world: {
        "farmer_id": world["farmer_id"],
        "crop": "winter_wheat",
        "season": "2024",
        "geometry": somewhere(),
    },
    "/v1/limits/lookup": lambda world: {"farmer_ids": [world["farmer_id"]]},
    "/v1/applications": lambda world: {"farmer_id": world["farmer_id"], "season": "2024"},
    "/v1/loans": lambda world: {"decision_id": world["decision_id"]},
    "/v1/loans/{loan_id}/draws": lambda _: {"amount_minor": 1, "currency": "CNY"},
    "/v1/loans/{loan_id}/repayments": lambda _: {"amount_minor": 1, "currency": "CNY"},
    "/v1/loans/{loan_id}/reversals": lambda world: {"movement_id": world["movement_id"]},
    "/v1/farmer-tokens": lambda world: {"farmer_id": world["farmer_id"]},
    "/v1/farmers/{farmer_id}": lambda _: {},
    "/v1/farmers/{farmer_id}/consents": lambda _: {"purpose": "credit", "expires_at": "2030-01-01T00:00:00Z"},
}
QUERIES = {"/v1/regions/{region_id}/summary": "?season=2024"}


def world_of(service, tenant):
    """Fill a lender and return an id of everything."""
    farmer_id = f"{tenant}-farmer"
    loan = service.loan(tenant=tenant, farmer_id=farmer_id, region_id=f"{tenant}-region")
    drawn = service.post(
        f"/v1/loans/{loan['id']}/draws", {"amount_minor": 100, "currency": "CNY"}, tenant=tenant, key="d"
    )
    decision_id = service.post("/v1/applications", {"farmer_id": farmer_id, "season": "2024"}, tenant=tenant).json()
    service.publish(tenant=tenant)
    return {
        "farmer_id": farmer_id,
        "loan_id": loan["id"],
        "movement_id": drawn.json()["movement_id"],
        "application_id": decision_id["id"],
        "decision_id": decision_id["decision"]["id"],
        "plot_id": service.plot(tenant=tenant, farmer_id=farmer_id, estimated=False),
        "region_id": f"{tenant}-region",
        "consent_id": "none",
    }


@pytest.fixture
def worlds(service):
    for tenant in TENANTS[2:]:
        service.add_tenant(tenant)
    return {tenant: world_of(service, tenant) for tenant in TENANTS}


NOBODY = {
    "farmer_id": "nobody",
    "loan_id": "loan_none",
    "movement_id": "mov_none",
    "application_id": "application_none",
    "decision_id": "decision_none",
    "plot_id": "plot_none",
    "region_id": "no-region",
    "consent_id": "none",
}


def ask(service, route, world, *, role, tenant, count=[0]):  # noqa: B006 - a counter of keys
    count[0] += 1
    path = re.sub(r"{(\w+)}", lambda name: world.get(name[1], "none"), route.path) + QUERIES.get(route.path, "")
    rest = {"json": BODIES.get(route.path, lambda _: {})(world)} if route.body_bytes_max else {}
    key = f"key-{count[0]}" if route.idempotent else None
    own_farmer = f"{tenant}-farmer"
    return service.call(route.method, path, role=role, tenant=tenant, farmer_id=own_farmer, key=key, **rest)


def shape(answer):
    """What a caller can tell an answer by: all of it but the name of this very request."""
    body = re.sub(r'"trace_id":"\w+"', "", answer.text)
    headers = {name: value for name, value in answer.headers.items() if name not in {"x-trace-id", "content-length"}}
    return answer.status_code, body, sorted(headers.items())


def names_object(route):
    return "{" in route.path or route.path in {
        "/v1/applications",
        "/v1/farmer-tokens",
        "/v1/limits/lookup",
        "/v1/loans",
    }


def test_a_foreign_id_is_answered_like_an_unknown_one_whatever_is_asked_by_whom(service, worlds):
    asked = 0
    for tenant in TENANTS:
        others = [worlds[other] for other in TENANTS if other != tenant]
        foreign = others[asked % len(others)]
        for role in Role:
            for route in GUARDED:
                if route.method == "PUT" or not names_object(route):
                    continue  # a lender names its own farmers as it likes: no id of another's is met
                unknown = ask(service, route, NOBODY, role=role, tenant=tenant)
                answer = ask(service, route, foreign, role=role, tenant=tenant)
                assert shape(answer) == shape(unknown), (tenant, role, route.path)
                assert answer.status_code >= 400, (tenant, role, route.path)
                asked += 1
    assert asked > 300


def test_nothing_of_another_lender_stands_in_any_answer(service, worlds):
    """All of one's own objects, read in every role but the regulator's, who reads the platform's log."""
    for tenant in TENANTS[:2]:
        foreign = [value for other in TENANTS if other != tenant for value in worlds[other].values() if value != "none"]
        for role in Role:
            for route in GUARDED:
                if role is Role.REGULATOR and route.path.startswith(("/v1/events", "/v1/audit")):
                    continue
                if route.method == "DELETE":
                    continue
                text = ask(service, route, worlds[tenant], role=role, tenant=tenant).text
                assert not [value for value in foreign if value in text], (tenant, role, route.path)


def test_a_batch_with_a_foreign_id_is_refused_like_one_with_an_unknown_one(service, worlds):
    def lookup(other):
        body = {"farmer_ids": [worlds["bank"]["farmer_id"], other]}
        return service.post("/v1/limits/lookup", body)

    assert lookup(worlds["bank"]["farmer_id"]).status_code == 200
    assert lookup("nobody").status_code == 404
    assert shape(lookup(worlds["rival"]["farmer_id"])) == shape(lookup("nobody"))


def test_other_lenders_books_are_as_they_were(service, worlds):
    before = {tenant: service.get(f"/v1/loans/{worlds[tenant]['loan_id']}", tenant=tenant).json() for tenant in TENANTS}
    for route in GUARDED:
        if route.method == "POST":
            for role in Role:
                ask(service, route, worlds["rival"], role=role, tenant="bank")
    after = {tenant: service.get(f"/v1/loans/{worlds[tenant]['loan_id']}", tenant=tenant).json() for tenant in TENANTS}
    assert after["rival"] == before["rival"]
    assert {tenant: after[tenant]["entries"] for tenant in TENANTS[2:]} == {
        tenant: before[tenant]["entries"] for tenant in TENANTS[2:]
    }


def test_each_role_reaches_its_own_objects(service, worlds):
    """Else all of the above would hold for a service that refuses everything."""
    reached = set()
    for route in GUARDED:
        for role in route.roles:
            answer = ask(service, route, worlds["bank"], role=role, tenant="bank")
            if answer.status_code < 400:
                reached.add(route.path)
    missed = {route.path for route in GUARDED} - reached
    # No consent to withdraw was given, a farmer with an open loan is not forgotten, and proofs need positions.
    assert missed <= {path for path in missed if "consents" in path or "personal" in path or "/audit/" in path} | {
        "/v1/loans",
        "/v1/regions/{region_id}/summary",
    }
