"""A limit in force rises at once and is cut only after two clear looks and by more than trifles."""

import json
from dataclasses import replace
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agrocredit.credit import canonical_json, replay
from agrocredit.credit.in_force import InForce, settle
from agrocredit.domain.decision import CapName, Outcome
from agrocredit.domain.errors import InputUnusableError, RefusedError

FIELD = {"area_m2": 6_000.0, "grade": "A"}


def good(desk, looks=8, **more):
    return [desk.plot(median=4.0, spread=0.4, clear_observations=looks, **FIELD, **more)]


def poor(desk, looks=9, **more):
    return [desk.plot(median=2.5, spread=0.4, clear_observations=looks, **FIELD, **more)]


def day_after_day(desk, *looks, policy=None):
    """Decide the same farmer's looks in turn, each knowing the decision before; return the rows of the table."""
    rows, previous = [], None
    for plots in looks:
        previous = desk.assess(plots, previous=previous, policy=policy).decisions
        rows += previous.to_pylist()
    return rows


def changes(rows):
    return [row["limit_change"] for row in rows]


def test_without_a_limit_in_force_nothing_changes(desk):
    rows = desk.assess(good(desk)).decisions.to_pylist()
    assert (changes(rows), rows[0]["cut_pending_looks"]) == (["new"], None)
    referred = desk.assess([desk.plot(reason="not_observed")]).decisions.to_pylist()
    assert changes(referred) == [None]


def test_a_better_look_raises_a_limit_at_once(desk):
    before, after = day_after_day(desk, poor(desk), good(desk))
    assert changes([before, after]) == ["new", "raised"]
    assert after["limit_minor"] > before["limit_minor"]


def test_the_first_clear_look_only_announces_a_cut_and_the_second_makes_it(desk):
    rows = day_after_day(desk, good(desk), poor(desk, 9), poor(desk, 10))
    assert changes(rows) == ["new", "cut_pending", "cut"]
    assert [row["limit_minor"] == rows[0]["limit_minor"] for row in rows] == [True, True, False]
    assert [row["cut_pending_looks"] for row in rows] == [None, 9, None]
    assert rows[2]["limit_minor"] == desk.decide(poor(desk)).limit_minor
    assert rows[2]["reasons"] == ["limited_by_repayment_capacity"]


def test_the_same_look_told_twice_is_one_look(desk):
    rows = day_after_day(desk, good(desk), poor(desk, 9), poor(desk, 9), poor(desk, 9))
    assert changes(rows) == ["new", "cut_pending", "cut_pending", "cut_pending"]


def test_a_look_in_between_that_asks_for_no_cut_starts_the_count_again(desk):
    rows = day_after_day(desk, good(desk), poor(desk, 9), good(desk, 10), poor(desk, 11))
    assert changes(rows) == ["new", "cut_pending", "kept", "cut_pending"]


@pytest.mark.parametrize(
    "unclear",
    [
        {"reason": "too_few_clear_observations"},
        {"declared_area_m2": 9_000.0},
        {"latitude_deg": 70.0},
        {"as_of": date(2024, 1, 1)},
    ],
    ids=["cloud", "another area declared", "no calendar", "stale"],
)
def test_a_look_that_is_not_clear_cuts_nothing(desk, unclear):
    rows = day_after_day(desk, good(desk), poor(desk, 9, **unclear), poor(desk, 10, **unclear))
    assert changes(rows) == ["new", "kept", "kept"]
    pending = day_after_day(desk, good(desk), poor(desk, 9), poor(desk, 10, **unclear), poor(desk, 11))
    assert changes(pending) == ["new", "cut_pending", "cut_pending", "cut"]


def test_missing_finances_cut_nothing(desk):
    before = desk.assess(good(desk), finances=desk.finances()).decisions
    after = desk.assess(good(desk), finances=desk.finances(farmer="another"), previous=before).decisions
    assert after["limit_change"].to_pylist() == ["kept"]
    assert after["limit_minor"].to_pylist() == before["limit_minor"].to_pylist()


def test_a_trifle_is_no_cut(desk):
    before, after = day_after_day(desk, good(desk), [desk.plot(median=3.9, spread=0.4, clear_observations=9, **FIELD)])
    assert desk.decide([desk.plot(median=3.9, spread=0.4, **FIELD)]).limit_minor < before["limit_minor"]
    assert (after["limit_change"], after["limit_minor"]) == ("kept", before["limit_minor"])


def settled(desk, today_minor, *, before_minor=100_000, materiality=0.1):
    decision = replace(
        desk.decide(good(desk)),
        limit_minor=today_minor,
        caps={CapName.REPAYMENT_CAPACITY: today_minor},
        binding_cap=CapName.REPAYMENT_CAPACITY,
    )
    before = InForce(
        limit_minor=before_minor,
        binding_cap="repayment_capacity",
        caps=(("repayment_capacity", before_minor),),
        reasons=("limited_by_repayment_capacity",),
        due_on=date(2024, 8, 1),
        since=date(2024, 4, 1),
        cut_pending_looks=8,
        decision_sha256="0" * 64,
    )
    product = replace(desk.policy.on(decision.as_of).product, cut_materiality=materiality)
    return settle(decision, before, clear_looks=9, product=product)


@pytest.mark.parametrize(
    ("today_minor", "change", "limit_minor"),
    [
        (100_001, "raised", 100_001),
        (100_000, "kept", 100_000),
        (90_000, "kept", 100_000),
        (89_999, "cut", 89_999),
    ],
)
def test_the_edge_of_a_trifle_belongs_to_the_farmer(desk, today_minor, change, limit_minor):
    found = settled(desk, today_minor)
    assert (found.change, found.decision.limit_minor) == (change, limit_minor)
    assert found.held == (change == "kept" and today_minor < 100_000)


def test_what_is_owed_elsewhere_binds_at_once(desk):
    before = desk.assess(good(desk), finances=desk.finances()).decisions
    after = desk.assess(good(desk), finances=desk.finances(owed=1_950_000), previous=before).decisions.to_pylist()
    assert (after[0]["limit_change"], after[0]["binding_cap"]) == ("cut", "exposure")
    assert after[0]["limit_minor"] == 50_000
    held = desk.assess(poor(desk), finances=desk.finances(owed=1_880_000), previous=before).decisions.to_pylist()
    assert (held[0]["limit_change"], held[0]["limit_minor"], held[0]["reasons"]) == (
        "cut",
        120_000,
        ["limited_by_exposure"],
    )


def test_a_harvest_that_failed_twice_over_takes_the_limit_away(desk):
    failed = {"median": 0.02, "spread": 0.005}
    rows = day_after_day(
        desk, good(desk), *([desk.plot(**failed, clear_observations=looks, **FIELD)] for looks in (9, 10))
    )
    assert changes(rows) == ["new", "cut_pending", "cut"]
    assert (rows[1]["outcome"], rows[2]["outcome"], rows[2]["limit_minor"]) == ("approved", "declined", 0)


def test_a_limit_whose_day_has_come_binds_nobody(desk):
    before = desk.assess(good(desk)).decisions
    after = desk.assess(good(desk), previous=before, as_of=date(2024, 8, 1)).decisions.to_pylist()
    assert (after[0]["limit_change"], after[0]["outcome"]) == (None, "referred")


def test_another_season_is_another_limit(desk):
    before = desk.assess(good(desk)).decisions
    after = desk.assess(poor(desk, season="2024 second"), previous=before).decisions
    assert after["limit_change"].to_pylist() == ["new"]


def test_a_held_decision_says_what_today_alone_would_answer_and_replays(desk):
    before = desk.assess(good(desk)).decisions
    _, record = desk.one(poor(desk), previous=before)
    assert record["in_force"]["decision_sha256"] == before["decision_sha256"][0].as_py()
    assert record["result"]["limit_change"] == "cut_pending"
    assert record["result"]["today"]["limit_minor"] == desk.decide(poor(desk)).limit_minor
    written = canonical_json(record)
    assert replay(json.loads(written), policy=desk.policy) == written
    del record["in_force"]
    with pytest.raises(RefusedError, match="in_force"):
        replay(record, policy=desk.policy)


def changed(table, **values):
    return pa.Table.from_pylist([{**row, **values} for row in table.to_pylist()], schema=table.schema)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"currency": "CHF"}, "currency_mismatch"),
        ({"as_of": date(2024, 4, 16)}, "date_out_of_range"),
    ],
)
def test_decisions_of_another_currency_or_a_later_day_stop_the_run(desk, values, code):
    before = desk.assess(good(desk)).decisions
    with pytest.raises(InputUnusableError, match=code):
        desk.assess(good(desk), previous=changed(before, **values))


def test_two_limits_of_one_season_stop_the_run(desk):
    before = desk.assess(good(desk)).decisions
    with pytest.raises(InputUnusableError, match="id_duplicated"):
        desk.assess(good(desk), previous=pa.concat_tables([before, before]))


@pytest.mark.parametrize(
    "values",
    [
        {"limit_minor": 10**9},
        {"due_on": None},
        {"caps": "{"},
        {"caps": '{"luck":1}'},
        {"reasons": ["no_credit_history"]},
        {"reasons": []},
    ],
)
def test_a_row_that_no_decision_wrote_is_refused_and_the_farmer_decided_as_new(desk, values):
    before = changed(desk.assess(good(desk)).decisions, **values)
    result = desk.assess(good(desk), previous=before)
    assert [(refusal.code, refusal.row) for refusal in result.refused] == [("in_force_invalid", 1)]
    assert result.decisions["limit_change"].to_pylist() == ["new"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    first=st.floats(0.3, 6.0),
    then=st.floats(0.3, 6.0),
    better=st.floats(0.0, 3.0),
    spread=st.floats(0.1, 1.0),
    looks=st.tuples(st.integers(5, 12), st.integers(5, 12)),
)
def test_with_a_limit_in_force_more_yield_never_lowers_it_and_no_cap_is_passed(
    desk, first, then, better, spread, looks
):
    def plot(median, seen):
        return [desk.plot(median=median, spread=0.1 * spread, clear_observations=seen, **FIELD)]

    before = desk.assess(plot(first, looks[0])).decisions
    before = desk.assess(plot(first * 0.8, looks[0]), previous=before).decisions
    lower = desk.one(plot(then, looks[1]), previous=before)[0]
    higher = desk.one(plot(then + better, looks[1]), previous=before)[0]
    assert higher.limit_minor >= lower.limit_minor
    for decision in (lower, higher):
        assert all(decision.limit_minor <= cap for cap in decision.caps.values())
        if decision.outcome is Outcome.APPROVED:
            assert decision.limit_minor == decision.caps[decision.binding_cap] // 1_000 * 1_000
