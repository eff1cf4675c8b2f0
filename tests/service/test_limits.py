import json

from agrocredit.service.limits import FARMERS_MAX
from agrocredit.service.published import PublishedLimits, snapshot_path

from .conftest import problem


def publish_some(service):
    decision = service.decision()
    service.publish()
    return decision


def test_a_look_up_gives_the_decision_s_limit(service):
    decision = publish_some(service)
    found = service.get("/v1/farmers/F1/limit").json()
    assert (found["limit_minor"], found["decision_id"]) == (decision["limit_minor"], decision["id"])
    assert service.get("/v1/farmers/F1/limit", role="farmer").json() == found
    problem(service.get("/v1/farmers/F1/limit", role="farmer", farmer_id="F2"), 404, "not_found")
    problem(service.get("/v1/farmers/F1/limit", tenant="rival"), 404, "not_found")


def test_many_are_looked_up_in_columns_in_the_order_asked(service):
    decision = publish_some(service)
    service.plot(farmer_id="F9")
    columns = service.post("/v1/limits/lookup", {"farmer_ids": ["F9", "F1", "F1"]}).json()
    assert columns["limit_minor"] == [None, decision["limit_minor"], decision["limit_minor"]]
    assert columns["farmer_id"] == ["F9", "F1", "F1"]
    assert {len(values) for values in columns.values()} == {3}


def test_a_farmer_of_one_s_own_has_nulls_before_anything_is_published(service):
    service.plot()
    problem(service.get("/v1/farmers/F1/limit"), 404, "not_found")
    columns = service.post("/v1/limits/lookup", {"farmer_ids": ["F1"]}).json()
    assert columns["outcome"] == [None]


def test_a_batch_with_a_stranger_is_refused_whole(service):
    publish_some(service)
    service.plot(tenant="rival", farmer_id="R1")
    for stranger in ("R1", "nobody"):
        answer = service.post("/v1/limits/lookup", {"farmer_ids": ["F1", stranger, "F1", stranger]})
        body = problem(answer, 404, "not_found")
        assert body["field"] == "/farmer_ids/1"
        assert stranger not in body["detail"]


def test_a_batch_has_an_end(service):
    publish_some(service)
    ids = ["F1"] * (FARMERS_MAX + 1)
    assert service.post("/v1/limits/lookup", {"farmer_ids": ids[:-1]}).status_code == 200
    strangers = [f"F{at}" for at in range(FARMERS_MAX)]
    problem(service.post("/v1/limits/lookup", {"farmer_ids": strangers}), 404, "not_found")
    too_many = service.post("/v1/limits/lookup", {"farmer_ids": ids})
    assert problem(too_many, 422, "field_invalid")["field"] == "/farmer_ids"
    problem(service.post("/v1/limits/lookup", {"farmer_ids": []}), 422, "field_invalid")


def test_a_new_publication_takes_the_place_of_the_old_within_a_second(service):
    publish_some(service)
    before = service.get("/v1/farmers/F1/limit").json()
    service.plot()
    service.post("/v1/applications", {"farmer_id": "F1", "season": "2024"})
    assert service.get("/v1/farmers/F1/limit").json() == before
    service.publish()
    assert service.get("/v1/farmers/F1/limit").json()["decision_id"] != before["decision_id"]


def test_a_broken_publication_is_said_and_the_process_lives(service):
    path = snapshot_path(service.settings.snapshots, "bank")
    path.write_bytes(b"not a snapshot")
    problem(service.get("/v1/farmers/F1/limit"), 503, "snapshot_unavailable")
    publish_some(service)
    assert service.get("/v1/farmers/F1/limit").status_code == 200


def test_a_tenant_id_cannot_lead_out_of_the_folder(tmp_path):
    published = PublishedLimits(tmp_path, clock=lambda: 0.0)
    for tenant in ("../rival", "a/b", "", ".", ".."):
        try:
            assert published.of(tenant) is None
        except ValueError:
            continue
        raise AssertionError(tenant)


def test_a_ready_answer_is_plain_json(service):
    publish_some(service)
    answer = service.get("/v1/farmers/F1/limit")
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.content)["farmer_id"] == "F1"
