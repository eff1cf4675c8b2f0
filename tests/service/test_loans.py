import asyncio
import json

import pytest

from .conftest import problem, somewhere

SOME = {"amount_minor": 10_000, "currency": "CNY"}


def draw(service, loan, body=SOME, *, key="draw", **rest):
    return service.post(f"/v1/loans/{loan['id']}/draws", body, key=key, **rest)


def standing(service, loan):
    return service.get(f"/v1/loans/{loan['id']}").json()


def test_one_key_is_one_draw_with_the_same_bytes(service):
    loan = service.loan()
    first = draw(service, loan)
    assert first.status_code == 201
    again = draw(service, loan)
    assert (again.status_code, again.content) == (201, first.content)
    assert standing(service, loan)["outstanding_minor"] == 10_000


def test_one_key_with_another_request_is_refused(service):
    loan, other = service.loan(), service.loan(farmer_id="F2")
    draw(service, loan)
    problem(draw(service, loan, {**SOME, "amount_minor": 1}), 409, "idempotency_key_reused")
    problem(draw(service, other), 409, "idempotency_key_reused")


def test_one_key_of_another_lender_or_farmer_is_another_key(service):
    loan = service.loan()
    rivals = service.loan(tenant="rival", farmer_id="R1")
    assert draw(service, loan, key="k").status_code == 201
    assert draw(service, loan, key="k", role="farmer").status_code == 201
    assert draw(service, rivals, key="k", tenant="rival").status_code == 201
    assert standing(service, loan)["outstanding_minor"] == 20_000


def test_a_refused_request_leaves_its_key_free(service):
    loan = service.loan()
    problem(draw(service, loan, {**SOME, "currency": "INR"}), 422, "currency_mismatch")
    assert draw(service, loan).status_code == 201


AMOUNTS = ("0", "-1", "1.005", "1e2", '"100"', "1e308", str(2**63), "true", "null", "[]", "1" + "0" * 22)


def test_an_amount_that_is_no_whole_number_of_minor_units_is_refused(service):
    loan = service.loan()
    headers = {"Content-Type": "application/json"}
    for amount in AMOUNTS:
        data = f'{{"amount_minor": {amount}, "currency": "CNY"}}'
        answer = service.call("POST", f"/v1/loans/{loan['id']}/draws", key="k", content=data, headers=headers)
        assert problem(answer, 422, "amount_invalid")["field"] == "/amount_minor"
    assert standing(service, loan)["entries"] == []


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        ("0.5", "JPY", "currency_mismatch"),
        ("100.25", "UGX", "currency_mismatch"),
        ("1e2", "JPY", "amount_invalid"),
        ("0", "JPY", "amount_invalid"),
        ("1.005", "BHD", "amount_invalid"),
        ("0.5", "CNY", "amount_invalid"),
    ],
)
@pytest.mark.parametrize("order", ["amount first", "currency first"])
def test_decimals_of_a_currency_that_has_none_are_a_fault_of_the_currency(guarded, amount, currency, code, order):
    parts = [f'"amount_minor": {amount}', f'"currency": "{currency}"']
    data = "{" + ", ".join(parts if order == "amount first" else parts[::-1]) + "}"
    headers = {"Content-Type": "application/json"}
    answer = guarded.call("POST", "/v1/loans/none/draws", key="k", content=data, headers=headers)
    assert problem(answer, 422, code)["field"] == "/amount_minor"


@pytest.mark.parametrize("currency", [None, 5, {}, [], {"a": 1}, "XXX", "cny", ""])
def test_a_currency_that_is_none_is_refused(guarded, currency):
    answer = guarded.post("/v1/loans/none/draws", {"amount_minor": 1, "currency": currency}, key="k")
    assert problem(answer, 422, "currency_mismatch")["field"] == "/currency"


def test_nan_is_no_json(service):
    loan = service.loan()
    data = '{"amount_minor": NaN, "currency": "CNY"}'
    headers = {"Content-Type": "application/json"}
    answer = service.call("POST", f"/v1/loans/{loan['id']}/draws", key="k", content=data, headers=headers)
    problem(answer, 400, "json_invalid")


def test_more_than_the_limit_and_more_than_is_owed_are_refused(service):
    loan = service.loan()
    over = {**SOME, "amount_minor": loan["limit_minor"] + 1}
    problem(draw(service, loan, over), 409, "limit_exceeded")
    problem(service.post(f"/v1/loans/{loan['id']}/repayments", SOME, key="pay"), 422, "overpayment")
    assert standing(service, loan)["entries"] == []


def test_a_movement_is_taken_back_once(service):
    loan = service.loan()
    movement = draw(service, loan).json()["movement_id"]
    path = f"/v1/loans/{loan['id']}/reversals"
    assert service.post(path, {"movement_id": movement}, key="one").status_code == 201
    problem(service.post(path, {"movement_id": movement}, key="two"), 409, "already_reversed")
    assert standing(service, loan)["outstanding_minor"] == 0


def test_a_farmer_takes_nothing_back(service):
    loan = service.loan()
    answer = service.post(f"/v1/loans/{loan['id']}/reversals", {"movement_id": "m"}, key="k", role="farmer")
    problem(answer, 403, "scope_missing")


def test_extra_fields_do_not_ride_along(service):
    loan = service.loan()
    for extra in ("limit_minor", "tenant_id", "status", "rate_ppm"):
        problem(draw(service, loan, {**SOME, extra: 1}), 422, "field_not_allowed")


def test_an_offer_that_a_newer_decision_replaced_is_not_accepted(service):
    old = service.decision()
    service.plot(geometry=somewhere())
    new = service.post("/v1/applications", {"farmer_id": "F1", "season": "2024"}).json()["decision"]
    assert new["id"] != old["id"]
    problem(service.post("/v1/loans", {"decision_id": old["id"]}, key="old"), 409, "limit_not_active")
    assert service.post("/v1/loans", {"decision_id": new["id"]}, key="new").status_code == 201


def test_two_lenders_lend_on_one_field_once(service):
    """Each registered the field before the other's loan; who opens first has it."""
    here = somewhere()
    decisions = {}
    for tenant in ("bank", "rival"):
        decisions[tenant] = service.decision(tenant=tenant, geometry=here)
    first = service.post("/v1/loans", {"decision_id": decisions["bank"]["id"]}, key="k")
    assert first.status_code == 201
    second = service.post("/v1/loans", {"decision_id": decisions["rival"]["id"]}, key="k", tenant="rival")
    assert "bank" not in str(problem(second, 409, "plot_already_pledged"))


async def _at_once(service, calls):
    return await asyncio.gather(
        *(service._call("POST", path, json=body, headers=headers) for path, body, headers in calls)
    )


def headers_of(service, key, *, tenant="bank"):
    return {"Authorization": f"Bearer {service.credential('lender', tenant=tenant)}", "Idempotency-Key": key}


def test_two_lenders_at_the_same_instant_lend_on_one_field_once(service):
    here = somewhere()
    calls = []
    for tenant in ("bank", "rival"):
        decision = service.decision(tenant=tenant, geometry=here)
        calls.append(("/v1/loans", {"decision_id": decision["id"]}, headers_of(service, "k", tenant=tenant)))
    answers = asyncio.run(_at_once(service, calls))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "plot_already_pledged"}


def test_the_same_key_at_once_is_one_draw(service):
    loan = service.loan()
    calls = [(f"/v1/loans/{loan['id']}/draws", SOME, headers_of(service, "k"))] * 20
    answers = asyncio.run(_at_once(service, calls))
    made = {answer.content for answer in answers if answer.status_code == 201}
    others = {answer.json()["code"] for answer in answers if answer.status_code != 201}
    assert len(made) == 1
    assert others <= {"idempotency_in_progress"}
    assert standing(service, loan)["outstanding_minor"] == 10_000


def test_many_racing_for_the_last_unit_leave_one_winner_and_no_failure(service):
    loan = service.loan()
    draw(service, loan, {**SOME, "amount_minor": loan["limit_minor"] - 1}, key="most")
    last = {**SOME, "amount_minor": 1}
    calls = [(f"/v1/loans/{loan['id']}/draws", last, headers_of(service, f"k{at}")) for at in range(30)]
    answers = asyncio.run(_at_once(service, calls))
    codes = sorted(answer.json().get("code", "drawn") for answer in answers)
    assert codes == ["drawn"] + ["limit_exceeded"] * 29
    assert standing(service, loan)["outstanding_minor"] == loan["limit_minor"]


def test_a_closed_loan_gives_its_land_back(service):
    """Repaid in full after the limit ended, the loan closes and its plots may be pledged anew."""
    from datetime import date

    here = somewhere()
    loan = service.loan(geometry=here)
    draw(service, loan)
    late = date.fromisoformat(loan["due_on"])
    object.__setattr__(service.platform, "business_date", late)
    owed = service.post(f"/v1/loans/{loan['id']}/repayments", {**SOME, "amount_minor": 10**14}, key="too-much")
    problem(owed, 422, "overpayment")
    amount = standing(service, loan)["schedule"][0]
    service.post(f"/v1/loans/{loan['id']}/repayments", {**SOME, "amount_minor": 1}, key="one")  # posts the interest
    rest = standing(service, loan)["outstanding_minor"]
    assert rest + 1 <= sum(amount[name] for name in ("principal_minor", "interest_minor", "fees_minor"))
    paid = service.post(f"/v1/loans/{loan['id']}/repayments", {**SOME, "amount_minor": rest}, key="rest").json()
    assert paid["loan"]["status"] == "closed"
    body = {"farmer_id": "R1", "crop": "winter_wheat", "season": "2024", "geometry": here}
    assert service.post("/v1/plots", body, tenant="rival").status_code == 201


def test_while_a_check_s_fault_stands_money_does_not_move_and_reading_works(service):
    from agrocredit.store.sql.faults import stop_money

    loan = service.loan()
    with service.database.oversee() as connection:
        stop_money(connection, detail="by hand", at=service.platform.now())
    problem(draw(service, loan), 503, "ledger_integrity")
    assert standing(service, loan)["outstanding_minor"] == 0


def test_answers_kept_for_a_key_are_plain_json(service):
    loan = service.loan()
    assert json.loads(draw(service, loan).content)["loan"]["id"] == loan["id"]
