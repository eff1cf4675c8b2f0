from agrocredit.store.sql.credentials import revoke_key

from .conftest import problem


def test_a_token_opens_what_is_the_farmer_s(service):
    service.decision()
    service.publish()
    made = service.post("/v1/farmer-tokens", {"farmer_id": "F1"})
    assert made.status_code == 201
    token = made.json()["token"]
    assert service.get("/v1/farmers/F1/limit", bearer=token).status_code == 200
    problem(service.get("/v1/farmers/F2/limit", bearer=token), 404, "not_found")
    problem(service.post("/v1/farmer-tokens", {"farmer_id": "F1"}, bearer=token), 403, "scope_missing")


def test_nobody_gets_a_token_for_a_farmer_of_another_lender(service):
    service.plot(tenant="rival", farmer_id="R1")
    foreign = problem(service.post("/v1/farmer-tokens", {"farmer_id": "R1"}), 404, "not_found")
    unknown = problem(service.post("/v1/farmer-tokens", {"farmer_id": "R9"}), 404, "not_found")
    assert foreign["detail"] == unknown["detail"]


def test_a_token_ends_with_the_key_that_asked_for_it(service):
    service.plot()
    token = service.post("/v1/farmer-tokens", {"farmer_id": "F1"}).json()["token"]
    plots = "/v1/plots/none"
    problem(service.get(plots, bearer=token), 404, "not_found")
    with service.database.oversee() as connection:
        revoke_key(connection, "bank", service.keys["bank", "lender"][1], now=service.platform.now())
    service.clock_s += 1.0
    problem(service.get(plots, bearer=token), 401, "token_invalid")
    problem(service.get(plots), 401, "token_invalid")


def test_a_token_of_one_lender_s_farmer_says_nothing_at_another(service):
    """The tenant stands in the signed token; a farmer of the same name elsewhere is another person."""
    mine = service.plot(farmer_id="F1")
    service.plot(tenant="rival", farmer_id="F1")
    token = service.farmer_token("F1", tenant="rival")
    problem(service.get(f"/v1/plots/{mine}", bearer=token), 404, "not_found")


def test_key_actions_stand_in_the_log_without_the_key(service):
    events = service.get("/v1/events?limit=1000", role="regulator").json()["events"]
    added = [event for event in events if event["kind"] == "key.added"]
    assert len(added) == 8
    secrets = {key for key, _ in service.keys.values()}
    assert not any(key in str(events) for key in secrets)
