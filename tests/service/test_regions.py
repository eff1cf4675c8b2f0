import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.service.regions import shown_cells
from agrocredit.store.sql.plot_queries import ensure_farmer
from agrocredit.store.sql.publishing import publish_decisions

from .conftest import BUSINESS_ON, problem


def fill(service, outcomes, *, region="north", tenant="bank"):
    """Decide on made-up farmers of a region: so many of each outcome."""
    now = service.platform.now()
    with service.database.write(tenant) as session:
        for outcome, count in outcomes.items():
            for at in range(count):
                farmer_id = f"{outcome}-{at}"
                ensure_farmer(session, farmer_id, region_id=region, now=now)
                row = {
                    "id": f"decision_{farmer_id}",
                    "farmer_id": farmer_id,
                    "season": "2024",
                    "as_of": BUSINESS_ON,
                    "outcome": outcome,
                    "limit_minor": 1_000 if outcome == "approved" else 0,
                    "currency": "CNY",
                    "due_on": BUSINESS_ON,
                    "policy": "p",
                    "policy_version": "1",
                    "answer": "{}",
                    "record": b"{}",
                    "decision_sha256": farmer_id,
                    "decided_at": now,
                }
                publish_decisions(session, [row], now=now)


def summary(service, region="north", **rest):
    return service.get(f"/v1/regions/{region}/summary?season=2024", role="analyst", **rest)


def test_a_region_is_summed_up_by_outcome(service):
    fill(service, {"approved": 12, "declined": 11})
    body = summary(service).json()
    assert [(cell["outcome"], cell["farmers"], cell["limit_minor"]) for cell in body["cells"]] == [
        ("approved", 12, 12_000),
        ("declined", 11, 0),
    ]
    assert body["suppressed"] is False


def test_a_small_group_goes_with_the_one_that_would_give_it_away(service):
    fill(service, {"approved": 30, "referred": 15, "declined": 9})
    body = summary(service).json()
    assert [cell["outcome"] for cell in body["cells"]] == ["approved"]
    assert body["suppressed"] is True


def test_a_region_of_few_says_nothing(service):
    fill(service, {"approved": 9})
    assert summary(service).json()["cells"] == []


def test_only_the_newest_decision_of_a_farmer_counts(service):
    fill(service, {"approved": 12})
    fill(service, {"approved": 12}, tenant="rival")
    now = service.platform.now()
    with service.database.write("bank") as session:
        from agrocredit.store.sql.tables import decisions

        rows = session.rows(session.select(decisions))
        again = [
            {**row, "id": f"{row['id']}-2", "limit_minor": 2_000, "decision_sha256": "x", "decided_at": now}
            for row in rows
        ]
        publish_decisions(session, [{k: v for k, v in row.items() if k != "tenant_id"} for row in again], now=now)
    assert summary(service).json()["cells"][0] == {
        "outcome": "approved",
        "currency": "CNY",
        "farmers": 12,
        "limit_minor": 24_000,
    }


def test_another_lender_s_region_is_unknown(service):
    fill(service, {"approved": 12})
    assert (
        problem(summary(service, tenant="rival"), 404, "not_found")["detail"]
        == (problem(summary(service, region="nowhere"), 404, "not_found")["detail"])
    )


@pytest.mark.parametrize("query", ["?season=", "?season=24", "?season=2024' OR 1=1", "?season=2024&season=2023"])
def test_a_season_is_a_year(guarded, query):
    problem(guarded.get(f"/v1/regions/north/summary{query}", role="analyst"), 422, "parameter_invalid")


@given(st.lists(st.integers(1, 40), max_size=5), st.integers(2, 20))
def test_nothing_hidden_can_be_told_from_what_is_shown_and_the_total(counts, farmers_min):
    rows = [{"farmers": count} for count in counts]
    shown = [row["farmers"] for row in shown_cells(rows, farmers_min=farmers_min)]
    assert all(count >= farmers_min for count in shown)
    hidden = sum(counts) - sum(shown)
    assert hidden == 0 or hidden >= farmers_min or not shown
