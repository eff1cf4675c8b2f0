"""The whole way of a farmer through the real app: plot, estimate, application, loan, draw, repayment."""


def test_a_farmer_borrows_and_repays(service):
    decision = service.decision()
    assert decision["outcome"] == "approved"
    assert decision["limit_minor"] <= min(decision["caps"].values())
    loan = service.post("/v1/loans", {"decision_id": decision["id"]}, key="open").json()
    assert (loan["status"], loan["available_minor"]) == ("approved", decision["limit_minor"])
    drawn = service.post(
        f"/v1/loans/{loan['id']}/draws",
        {"amount_minor": 20_000, "currency": "CNY"},
        role="farmer",
        key="draw",
    )
    assert drawn.status_code == 201, drawn.text
    assert drawn.json()["loan"]["outstanding_minor"] == 20_000
    paid = service.post(f"/v1/loans/{loan['id']}/repayments", {"amount_minor": 5_000, "currency": "CNY"}, key="pay")
    assert paid.json()["loan"]["outstanding_minor"] == 15_000
    statement = service.get(f"/v1/loans/{loan['id']}", role="farmer").json()
    assert [(e["kind"], e["amount_minor"]) for e in statement["entries"]] == [("draw", 20_000), ("repayment", 5_000)]
    assert statement["schedule"][0]["principal_minor"] == 15_000
