"""Limits in force, notices of cuts and parts that wait, as the page tells them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd

from agrocredit.report import render_report
from agrocredit.report.in_force import NOTICES_SHOWN, cut_notices, limit_changes, parts_released
from agrocredit.report.joined import join_run


def part(amount_minor, because, waits_until=None, currency="CNY"):
    named = {"farmer_id": "f", "amount_minor": amount_minor, "currency": currency}
    return {**named, "because": because, "waits_until": waits_until}


def test_a_first_run_says_nothing_of_limits_in_force(run_of_sixty):
    assert limit_changes(join_run(run_of_sixty)) == ()
    decisions = run_of_sixty.decisions.assign(limit_change="new")
    assert limit_changes(join_run(replace(run_of_sixty, decisions=decisions))) == ()


def test_changes_are_counted_the_most_frequent_first(run_of_sixty):
    decisions = run_of_sixty.decisions
    changes = ["cut", "raised", "cut"] + ["kept"] * (len(decisions) - 3)
    bars = limit_changes(join_run(replace(run_of_sixty, decisions=decisions.assign(limit_change=changes))))
    assert [(bar.code, bar.count) for bar in bars] == [("kept", len(decisions) - 3), ("cut", 2), ("raised", 1)]


def test_notices_stand_by_farmer_escaped_and_only_the_first_of_many(run_of_sixty):
    many = [
        {"farmer_id": f"f{number:02d}", "season": "2026", "sentences": [f"<b>{number}</b>"]}
        for number in range(12, 0, -1)
    ]
    inputs = replace(run_of_sixty, notices=many)
    assert [notice.farmer for notice in cut_notices(inputs)] == [
        f"f{number:02d}" for number in range(1, NOTICES_SHOWN + 1)
    ]
    page = render_report(inputs)
    assert "&lt;b&gt;1&lt;/b&gt;" in page
    assert "The first 10 of 12" in page


def test_parts_are_added_up_by_what_they_wait_for_and_in_each_currency(run_of_sixty):
    rows = [
        part(60_000, "at_once"),
        part(40_000, "at_once"),
        part(20_000, "waiting", date(2026, 7, 1)),
        part(30_000, "waiting", date(2026, 7, 9)),
        part(5_000, "at_once", currency="KES"),
    ]
    found = parts_released(replace(run_of_sixty, tranches=pd.DataFrame(rows)))
    assert [(one.parts, one.amount, one.until) for one in found] == [
        ("2 parts", "CNY 1,000", ""),
        ("2 parts", "CNY 500", "9 Jul 2026"),
        ("1 part", "KES 50", ""),
    ]
    assert parts_released(run_of_sixty) == ()
