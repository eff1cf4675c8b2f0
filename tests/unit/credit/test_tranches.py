"""Part of a limit at once, the rest when the field shows it, and never later than the time-out."""

from datetime import date, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agrocredit.credit import SEEN, load_policy, tranches
from agrocredit.domain.errors import InputUnusableError

DECIDED = date(2024, 4, 15)
TIME_OUT = DECIDED + timedelta(days=30)


def seen(*rows):
    return pa.Table.from_pylist([dict(zip(SEEN.names, row, strict=True)) for row in rows], schema=SEEN)


def paid(desk, decisions, as_of, *rows, policy=None):
    return tranches(decisions, seen=seen(*rows), policy=policy or desk.policy, as_of=as_of)


@pytest.fixture(scope="module")
def decisions(desk):
    return desk.assess([desk.plot()]).decisions


def test_the_rest_waits_for_the_crop_and_says_until_when(desk, decisions):
    first, rest = paid(desk, decisions, DECIDED).tranches.to_pylist()
    limit = decisions["limit_minor"][0].as_py()
    assert (first["because"], first["released_on"], first["amount_minor"]) == ("at_once", DECIDED, limit * 6 // 10)
    assert (rest["because"], rest["released_on"], rest["waits_until"]) == ("waiting", None, TIME_OUT)
    assert first["amount_minor"] + rest["amount_minor"] == limit


def test_what_is_seen_releases_it_on_that_day(desk, decisions):
    emerged = ("f1", "2024", "emerged", date(2024, 4, 20))
    later = ("f1", "2024", "emerged", date(2024, 4, 25))
    rest = paid(desk, decisions, date(2024, 5, 1), later, emerged).tranches.to_pylist()[1]
    assert (rest["because"], rest["released_on"]) == ("seen", date(2024, 4, 20))


def test_cloud_starves_nobody(desk, decisions):
    assert paid(desk, decisions, TIME_OUT - timedelta(days=1)).tranches.to_pylist()[1]["because"] == "waiting"
    rest = paid(desk, decisions, TIME_OUT).tranches.to_pylist()[1]
    assert (rest["because"], rest["released_on"]) == ("time_out", TIME_OUT)


def test_another_event_or_another_season_releases_nothing(desk, decisions):
    found = paid(
        desk,
        decisions,
        date(2024, 4, 20),
        ("f1", "2024", "ploughed", date(2024, 4, 16)),
        ("f1", "2023", "emerged", date(2024, 4, 16)),
        ("f1", "2024", "blossomed", date(2024, 4, 16)),
        ("f1", "2024", "emerged", date(2024, 4, 21)),
    )
    assert [row["because"] for row in found.tranches.to_pylist()] == ["at_once", "waiting"]
    assert [(refusal.code, refusal.row) for refusal in found.refused] == [
        ("decision_unknown", 2),
        ("event_unknown", 3),
        ("date_out_of_range", 4),
    ]


def test_a_limit_looked_at_again_does_not_wait_anew(desk, decisions):
    again = desk.assess([desk.plot(clear_observations=9)], previous=decisions, as_of=date(2024, 5, 10)).decisions
    assert again["limit_change"].to_pylist() == ["kept"]
    rest = paid(desk, again, TIME_OUT).tranches.to_pylist()[1]
    assert (rest["because"], rest["released_on"]) == ("time_out", TIME_OUT)


def test_a_policy_without_tranches_pays_out_at_once_and_a_refusal_not_at_all(desk):
    swiss = load_policy("winter-wheat-ch")
    table = desk.assess([desk.plot(area_m2=40_000.0, grade="A")], policy=swiss).decisions
    assert [row["because"] for row in paid(desk, table, DECIDED, policy=swiss).tranches.to_pylist()] == ["at_once"]
    referred = desk.assess([desk.plot(reason="not_observed")]).decisions
    assert paid(desk, referred, DECIDED).tranches.num_rows == 0


def test_decisions_of_another_policy_or_a_later_day_are_refused(desk, decisions):
    with pytest.raises(InputUnusableError, match="policy_differs"):
        paid(desk, decisions, DECIDED, policy=load_policy("winter-wheat-ch"))
    with pytest.raises(InputUnusableError, match="date_out_of_range"):
        paid(desk, decisions, date(2024, 4, 14))


@settings(max_examples=50, deadline=None)
@given(
    limit=st.integers(1, 10**12),
    share=st.integers(0, 100),
    day=st.integers(0, 90),
    event=st.none() | st.integers(-40, 90),
)
def test_parts_sum_to_the_limit_and_time_alone_is_enough(desk, decisions, limit, share, day, event):
    policy = desk.with_values(tranches__share_at_once=share / 100)
    table = decisions.set_column(4, decisions.schema.field("limit_minor"), pa.array([limit], pa.int64()))
    as_of = DECIDED + timedelta(days=day)
    rows = [] if event is None or event > day else [("f1", "2024", "emerged", DECIDED + timedelta(days=event))]
    parts = paid(desk, table, as_of, *rows, policy=policy).tranches.to_pylist()
    assert sum(part["amount_minor"] for part in parts) == limit
    released = sum(part["amount_minor"] for part in parts if part["released_on"])
    assert released == limit if day >= 30 or rows else released <= limit
