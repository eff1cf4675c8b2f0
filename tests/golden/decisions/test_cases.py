"""Cases a credit officer can read: who, which plots, what is expected. A change of policy changes them openly."""

import json
import tomllib
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from agrocredit.credit import FINANCES, CaseTables, assess_one, load_policy, notice, replay
from agrocredit.credit.record import canonical_json
from agrocredit.domain.crop_facts import load_crops
from agrocredit.domain.estimate import QUANTILE_COLUMNS
from agrocredit.domain.money import minor_per_major
from agrocredit.domain.tables import DECISIONS, ESTIMATES, HOLDINGS
from agrocredit.domain.units import area_to_m2

HERE = Path(__file__).parent
CASES = [
    (path.stem, case["name"], case)
    for path in sorted(HERE.glob("*.toml"))
    for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]
]


@pytest.fixture(scope="module")
def crops():
    return load_crops(HERE.parents[2] / "data" / "facts" / "crops.toml")


def tables(case, *, unit, harvest_year):
    estimates, plots, holdings = [], [], []
    for number, plot in enumerate(case["plot"]):
        name = f"plot {number + 1}"
        seen = "yield_t_ha" in plot
        estimates.append(
            {
                "plot_id": name,
                "crop": plot["crop"],
                "season": str(harvest_year),
                "harvest_year": harvest_year,
                "as_of": case["as_of"],
                "status": "estimated" if seen else "abstained",
                "reason": None if seen else plot["abstained"],
                **(dict(zip(QUANTILE_COLUMNS, map(float, plot["yield_t_ha"]), strict=True)) if seen else {}),
                "clear_observations": plot.get("clear_pictures", 0),
                "release": "golden",
                "evidence_sha256": "0" * 64,
            }
        )
        declared = plot.get("declared_area")
        plots.append(
            {
                "plot_id": name,
                "area_m2": area_to_m2(plot["drawn_area"], unit),
                "declared_area_m2": None if declared is None else area_to_m2(declared, unit),
                "latitude_deg": float(case["latitude_deg"]),
            }
        )
        holdings.append(
            {
                "farmer_id": case["farmer"],
                "plot_id": name,
                "tenure_share": float(plot.get("share", 1.0)),
                "grade": plot.get("grade", "C"),
            }
        )
    return (
        pa.Table.from_pylist(estimates, schema=ESTIMATES),
        pa.Table.from_pylist(plots),
        pa.Table.from_pylist(holdings, schema=HOLDINGS),
    )


def in_force(case, currency, policy):
    """Return the decision that gave the limit in force, as it stands in an earlier table."""
    if "in_force" not in case:
        return None
    before = case["in_force"]
    minor = {cap: round(amount * minor_per_major(currency)) for cap, amount in before["caps"].items()}
    row = {
        "farmer_id": case["farmer"],
        "season": str(case["harvest_year"]),
        "as_of": before["given_on"],
        "outcome": "approved",
        "limit_minor": before["limit"] * minor_per_major(currency),
        "currency": currency,
        "binding_cap": before["binding_cap"],
        "caps": json.dumps(minor),
        "reasons": [f"limited_by_{before['binding_cap']}"],
        "due_on": before["due_on"],
        "policy": policy.name,
        "policy_version": policy.version,
        "decision_sha256": "0" * 64,
        "limit_since": before["given_on"],
        "limit_change": "cut_pending" if "first_look_for_less" in before else "new",
        "cut_pending_looks": before.get("first_look_for_less"),
    }
    return pa.Table.from_pylist([row], schema=DECISIONS)


def finances(case, currency):
    if "finances" not in case:
        return None
    minor = {f"{key}_minor": amount * minor_per_major(currency) for key, amount in case["finances"].items()}
    return pa.Table.from_pylist([{"farmer_id": case["farmer"], "currency": currency, **minor}], schema=FINANCES)


@pytest.mark.parametrize(("pack", "name", "case"), CASES, ids=[f"{pack}: {name}" for pack, name, _ in CASES])
def test_the_officer_finds_the_answer_expected(pack, name, case, crops):
    policy = load_policy(pack)
    estimates, plots, holdings = tables(case, unit=policy.area_unit, harvest_year=case["harvest_year"])
    known = CaseTables(
        estimates=estimates,
        plots=plots,
        holdings=holdings,
        policy=policy,
        crops=crops,
        as_of=case["as_of"],
        finances=finances(case, policy.currency),
        previous=in_force(case, policy.currency, policy),
    )
    decision, record = assess_one(known)
    expected = case["expected"]
    per_major = minor_per_major(policy.currency)
    assert str(decision.outcome) == expected["outcome"], name
    assert decision.limit_minor == expected["limit"] * per_major
    assert list(decision.reasons) == expected["reasons"]
    assert (decision.binding_cap or "none") == expected["binding_cap"]
    assert decision.due_on == expected.get("due_on")
    caps = {str(cap): amount / per_major for cap, amount in decision.caps.items()}
    assert caps == expected["caps"]
    assert record["result"]["limit_change"] == expected.get("limit_change", "new" if decision.limit_minor else None)
    if "says" in expected:
        assert list(notice(record, policy=policy).sentences[:-1]) == expected["says"]
    assert replay(record, policy=policy) == canonical_json(record)


def test_every_outcome_stands_among_the_cases():
    assert {case["expected"]["outcome"] for _, _, case in CASES} == {"approved", "referred", "declined"}
    assert all(isinstance(case["as_of"], date) for _, _, case in CASES)
