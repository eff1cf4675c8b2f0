import json

import pyarrow as pa

from agrocredit.domain.tables import ESTIMATES
from agrocredit.service.fineract import loan_application
from agrocredit.store.sql.tables import applications, decisions

from .conftest import QUANTILES_T_HA, Service, problem


def apply(service, applicant="F1", *, season="2024", **rest):
    return service.post("/v1/applications", {"farmer_id": applicant, "season": season}, **rest)


def rows(service, table, tenant="bank"):
    with service.database.read(tenant) as session:
        return session.rows(session.select(table))


def test_the_answer_carries_the_limit_all_caps_and_reasons(service):
    decision = service.decision()
    assert decision["limit_minor"] == min(decision["caps"].values()) // 1_000 * 1_000
    assert decision["caps"][decision["binding_cap"]] == min(decision["caps"].values())
    assert 1 <= len(decision["reasons"]) <= 4
    assert sum(bullet["principal_minor"] for bullet in decision["bullets"]) == decision["limit_minor"]
    assert service.get(f"/v1/decisions/{decision['id']}").json() == decision


def test_without_a_look_at_a_plot_there_is_a_reference_and_no_limit(service):
    service.plot()
    blind = service.plot(estimated=False)
    answer = apply(service)
    assert answer.status_code == 202
    body = answer.json()
    assert (body["status"], body["decision"], body["plots_without_estimate"]) == ("evidence_pending", None, [blind])
    assert rows(service, decisions) == []
    again = service.get(f"/v1/applications/{body['id']}").json()
    assert (again["status"], again["decision"]) == ("evidence_pending", None)


def test_an_application_after_the_look_is_decided(service):
    plot = service.plot(estimated=False)
    assert apply(service).status_code == 202
    service.estimate(plot)
    assert apply(service).status_code == 201


def test_an_estimate_of_another_day_than_known_does_not_count(service):
    service.plot(estimated=False)
    assert apply(service, season="2023").status_code == 409


def test_the_same_application_twice_is_one_decision(service):
    first = service.decision()
    second = apply(service).json()["decision"]
    assert second["id"] == first["id"]
    assert len(rows(service, decisions)) == 1
    assert len(rows(service, applications)) == 2


def test_what_is_owed_lowers_the_next_limit(service):
    loan = service.loan()
    before = service.get(f"/v1/loans/{loan['id']}").json()["limit_minor"]
    body = {"amount_minor": before, "currency": "CNY"}
    assert service.post(f"/v1/loans/{loan['id']}/draws", body, key="all").status_code == 201
    again = apply(service).json()["decision"]
    assert again["caps"]["repayment_capacity"] < before or again["outcome"] != "approved"


REFUSED = (
    ({"farmer_id": "nobody", "season": "2024"}, 404, "not_found"),
    ({"farmer_id": "F1", "season": "2031"}, 409, "plot_missing"),
    ({"farmer_id": "F1", "season": "2024", "policy": "/etc/passwd"}, 422, "field_invalid"),
    ({"farmer_id": "F1", "season": "2024", "policy": "another"}, 422, "policy_unknown"),
    ({"farmer_id": "F1", "season": "2024", "limit_minor": 10**9}, 422, "field_not_allowed"),
    ({"farmer_id": "F1", "season": "2024", "status": "approved"}, 422, "field_not_allowed"),
    ({"farmer_id": "F1"}, 422, "field_missing"),
)


def test_an_application_that_cannot_be_is_refused_by_name(service):
    service.plot()
    for body, status, code in REFUSED:
        problem(service.post("/v1/applications", body), status, code)
    assert rows(service, applications) == []


def test_a_farmer_applies_for_themselves_only(service):
    service.plot(farmer_id="F1")
    service.plot(farmer_id="F2")
    assert apply(service, "F1", role="farmer", farmer_id="F1").status_code == 201
    foreign = apply(service, "F2", role="farmer", farmer_id="F1")
    unknown = apply(service, "F9", role="farmer", farmer_id="F1")
    assert problem(foreign, 404, "not_found")["detail"] == problem(unknown, 404, "not_found")["detail"]


def test_a_plot_drawn_a_moment_ago_is_decided_through_the_estimator(database, tmp_path):
    asked = []

    async def estimator(geometry, *, plot_id, crop, harvest_year, as_of):
        asked.append((round(geometry.area, 9), crop, harvest_year))
        names = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")
        row = {
            **dict(zip(names, QUANTILES_T_HA, strict=True)),
            "plot_id": plot_id,
            "crop": crop,
            "season": str(harvest_year),
            "harvest_year": harvest_year,
            "as_of": as_of,
            "status": "estimated",
            "reason": None,
            "clear_observations": 9,
            "release": "fresh",
            "evidence_sha256": "1" * 64,
        }
        return pa.Table.from_pylist([row], schema=ESTIMATES)

    service = Service(database, tmp_path, estimator=estimator)
    service.add_tenant("bank")
    plot = service.plot(estimated=False)
    answer = apply(service)
    assert answer.status_code == 201, answer.text
    assert answer.json()["decision"]["outcome"] == "approved"
    assert asked == [(1e-6, "winter_wheat", 2024)]
    assert service.get(f"/v1/plots/{plot}/estimate").json()["estimates"][0]["release"] == "fresh"


def test_an_estimator_that_sees_nothing_leaves_the_application_waiting(database, tmp_path):
    async def estimator(_geometry, **_facts):
        return None

    service = Service(database, tmp_path, estimator=estimator)
    service.add_tenant("bank")
    service.plot(estimated=False)
    assert apply(service).status_code == 202


def test_a_decision_comes_out_the_same_again_from_its_record(service):
    decision = service.decision()
    replayed = service.get(f"/v1/decisions/{decision['id']}/replay", role="regulator").json()
    assert replayed["same_bytes"] is True
    assert replayed["decision_sha256"] == decision["decision_sha256"]
    assert replayed["record"]["result"]["limit_minor"] == decision["limit_minor"]


def test_a_record_that_was_changed_does_not_come_out_the_same(service):
    decision = service.decision()
    with service.database.write("bank") as session:
        row = session.found(decisions, decision["id"])
        record = json.loads(row["record"])
        record["result"]["limit_minor"] += 1_000
        changed = json.dumps(record, sort_keys=True, separators=(",", ":")).encode()
        session.changed(session.update(decisions).values(record=changed))
    assert service.get(f"/v1/decisions/{decision['id']}/replay").json()["same_bytes"] is False


def test_a_decision_is_said_in_words_of_several_languages(service):
    decision = service.decision()
    for language in ("en", "zh", "hi", "sw"):
        said = service.get(f"/v1/decisions/{decision['id']}/explanation?language={language}", role="farmer").json()
        assert [reason["code"] for reason in said["reasons"]] == decision["reasons"]
        assert all(reason["text"] for reason in said["reasons"])


def test_an_unknown_language_is_refused(service):
    decision = service.decision()
    answer = service.get(f"/v1/decisions/{decision['id']}/explanation?language=xx")
    assert problem(answer, 422, "language_unknown")["field"] == "language"


def test_a_decline_says_what_would_have_brought_an_approval(service):
    plot = service.plot(estimated=False)
    service.estimate(plot, quantiles=(0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07))
    decision = apply(service).json()["decision"]
    assert decision["outcome"] != "approved"
    said = service.get(f"/v1/decisions/{decision['id']}/explanation").json()
    assert all(change["needed"] > change["now"] for change in said["would_have_approved"])
    problem(service.post("/v1/loans", {"decision_id": decision["id"]}, key="k"), 409, "decision_not_approved")
    answer = service.get(f"/v1/decisions/{decision['id']}/fineract-loan-application")
    problem(answer, 409, "decision_not_approved")


def test_an_offer_is_exported_as_a_fineract_loan_application(service):
    decision = service.decision()
    found = service.get(f"/v1/decisions/{decision['id']}/fineract-loan-application").json()
    assert found["principal"] == f"{decision['limit_minor'] / 100:.2f}"
    assert found["expectedDisbursementDate"] == "2024-06-05"
    assert found["interestRatePerPeriod"] == "7.5"
    assert found["externalId"] == decision["id"]


def test_a_fineract_amount_has_the_decimals_of_its_currency():
    from datetime import date
    from decimal import Decimal

    decision = {
        "id": "d",
        "farmer_id": "f",
        "policy": "p",
        "as_of": date(2024, 6, 5),
        "due_on": date(2024, 8, 23),
        "limit_minor": 1_234_567,
    }
    amounts = {"CNY": "12345.67", "UGX": "1234567", "BHD": "1234.567"}
    for currency, amount in amounts.items():
        found = loan_application({**decision, "currency": currency}, rate=Decimal("0.10"))
        assert (found["principal"], found["interestRatePerPeriod"]) == (amount, "10")
        assert found["loanTermFrequency"] == 79
