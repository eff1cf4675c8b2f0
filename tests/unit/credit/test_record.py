"""Records replay to the same bytes, or name what is missing."""

import hashlib
import json
import re
from datetime import date

import pytest

from agrocredit.credit import assess, canonical_json, decision_record, parse_policy, record_sha256, replay
from agrocredit.domain.errors import RefusedError


@pytest.fixture
def record(desk):
    return desk.one([desk.plot("p1"), desk.plot("p2", crop="maize"), desk.plot("p3", reason="not_observed")])[1]


def test_a_record_read_back_from_its_json_replays_to_its_bytes(desk, record):
    written = canonical_json(record)
    assert replay(json.loads(written), policy=desk.policy) == written


def test_the_table_names_the_decision_by_the_hash_of_its_record(desk):
    plots = [desk.plot()]
    row = desk.assess(plots).decisions.to_pylist()[0]
    record = desk.one(plots)[1]
    assert row["decision_sha256"] == hashlib.sha256(canonical_json(record)).hexdigest() == record_sha256(record)


def test_a_record_can_be_asked_for_out_of_a_region(desk):
    tables = desk.case_tables([desk.plot("p1"), desk.plot("p2", farmer_id="f2")])
    table = assess(tables).decisions.to_pylist()
    record = decision_record(tables, farmer_id="f2", season="2024")
    assert record_sha256(record) == table[1]["decision_sha256"]
    with pytest.raises(RefusedError, match="decision_unknown"):
        decision_record(tables, farmer_id="f2", season="2025")


def test_a_later_version_changes_no_past_decision(desk, record):
    text = desk.text.replace('2025-01-01 = "2025.1"', '2025-01-01 = "2025.1"\n2026-01-01 = "2026.1"')
    text = text.replace("2025-01-01 = 2_380 }", "2025-01-01 = 2_380, 2026-01-01 = 9_999 }")
    later = parse_policy(text, source="later.toml")
    assert later.sha256 != desk.policy.sha256
    assert later.version == "2026.1"
    assert replay(record, policy=later) == canonical_json(record)


def test_a_value_changed_in_the_past_is_noticed(desk, record):
    with pytest.raises(RefusedError, match="policy_differs"):
        replay(record, policy=desk.with_values(product__rate=0.08))


def test_a_result_that_was_touched_does_not_replay(desk, record):
    touched = json.loads(canonical_json(record))
    touched["result"]["limit_minor"] += 1_000
    assert replay(touched, policy=desk.policy) != canonical_json(touched)


@pytest.mark.parametrize("name", ["farmer_id", "season", "as_of", "stakes", "finances"])
def test_a_missing_input_is_named(desk, record, name):
    del record[name]
    with pytest.raises(RefusedError, match=re.escape(name)):
        replay(record, policy=desk.policy)


def test_a_missing_part_of_a_plot_is_named(desk, record):
    del record["stakes"][0]["clear_observations"]
    with pytest.raises(RefusedError, match="clear_observations"):
        replay(record, policy=desk.policy)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "guessed"),
        ("reason", "cloudy"),
        ("quantiles_t_ha", [3, 2, 1]),
        ("grade", "Z"),
        ("estimate_as_of", "?"),
        ("plot_id", {"a": 1}),
        ("declared_area_m2", "2000"),
        ("clear_observations", 1.5),
        ("tenure_share", True),
        ("quantiles_t_ha", [1, 2, 3, "4", 5, 6, 7]),
    ],
)
def test_a_record_that_nobody_wrote_is_refused(desk, record, name, value):
    record["stakes"][0][name] = value
    with pytest.raises(RefusedError):
        replay(record, policy=desk.policy)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("farmer_id", 7),
        ("season", None),
        ("finances", {"existing_debt_service_minor": "1", "off_farm_income_minor": 0, "outstanding_minor": 0}),
        ("finances", {"existing_debt_service_minor": 0, "off_farm_income_minor": 0.5, "outstanding_minor": 0}),
        ("stakes", [None]),
    ],
)
def test_an_input_of_another_type_is_named(desk, record, part, value):
    record[part] = value
    with pytest.raises(RefusedError, match="record_incomplete"):
        replay(record, policy=desk.policy)


def test_every_input_reaches_the_hash(desk):
    before = desk.assess([desk.plot()]).decisions["decision_sha256"][0]
    for change in (
        {"release": "other"},
        {"evidence_sha256": "1" * 64},
        {"clear_observations": 9},
        {"area_m2": 4_000.1},
        {"declared_area_m2": 4_000.0},
        {"as_of": date(2024, 4, 14)},
        {"grade": "B"},
    ):
        assert desk.assess([desk.plot(**change)]).decisions["decision_sha256"][0] != before, change
