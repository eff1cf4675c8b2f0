from __future__ import annotations

from typing import TYPE_CHECKING

from agrocredit.domain.decision import Outcome
from agrocredit.report.headline import figures, sentence, tally
from agrocredit.report.joined import join_run

if TYPE_CHECKING:
    import pandas as pd


def said(inputs) -> str:
    run = join_run(inputs)
    return sentence(run, tally(run))


def test_the_tally_counts_what_the_tables_hold(run_of_sixty):
    found = tally(join_run(run_of_sixty))
    decisions, estimates = run_of_sixty.decisions, run_of_sixty.estimates
    assert found.plots == found.seen == 60
    assert found.abstained == (estimates["status"] == "abstained").sum() > 0
    assert found.estimated + found.abstained == 60
    assert {str(name): count for name, count in found.outcomes.items()} == {
        str(name): int((decisions["outcome"] == name).sum()) for name in Outcome
    }
    assert found.limit_minor == {"CNY": int(decisions["limit_minor"].sum())}


def test_the_sentence_says_the_total_and_who_waits(run_of_sixty):
    run = join_run(run_of_sixty)
    found = tally(run)
    total = f"{found.limit_minor['CNY'] / 100:,.0f}"
    expected = f"{found.outcomes[Outcome.APPROVED]} of {found.farmers} farmers can be lent CNY {total} in total; "
    assert said(run_of_sixty).startswith(expected)
    assert said(run_of_sixty).endswith(f"For {found.abstained} of 60 plots the yield cannot be told.")


def declined(inputs) -> pd.DataFrame:
    return inputs.decisions.assign(outcome="declined", limit_minor=0, binding_cap=None, due_on=None)


def test_nothing_approved_is_said_plainly(whole_run):
    inputs = whole_run(3)
    assert said(whole_run(3, decisions=declined(inputs))) == "None of 2 farmers is approved; 2 are declined."
    run = join_run(whole_run(3, decisions=declined(inputs)))
    shown = {figure.label: figure.value for figure in figures(run, tally(run), area_unit="ha")}
    assert shown["total limit"] == "CNY 0"
    assert "due" not in shown


def test_a_run_says_how_far_it_came(whole_run):
    assert "no limit has been decided yet" in said(whole_run(9, decisions=None))
    assert said(whole_run(9, estimates=None, decisions=None)) == (
        "9 of 9 plots were seen; no yield has been estimated yet."
    )
    unseen = whole_run(9, observations=None, estimates=None, decisions=None)
    assert said(unseen) == "None of 9 plots was seen, so nothing can be said about any of them."
    nothing = whole_run(9, plots=unseen.plots.head(0), observations=None, estimates=None, decisions=None)
    assert said(nothing) == "No plot of this run could be used."


def test_two_currencies_are_never_added(whole_run):
    decisions = whole_run(20).decisions.copy()
    approved = decisions.index[decisions["outcome"] == "approved"]
    decisions.loc[approved[0], "currency"] = "CHF"
    run = join_run(whole_run(20, decisions=decisions))
    totals = [figure.value for figure in figures(run, tally(run), area_unit="ha") if figure.label == "total limit"]
    assert [total[:3] for total in totals] == ["CHF", "CNY"]
    assert "CHF" in sentence(run, tally(run))
    assert "CNY" in sentence(run, tally(run))


def test_key_figures_name_policy_dates_and_area(run_of_sixty):
    run = join_run(run_of_sixty)
    shown = {figure.label: figure for figure in figures(run, tally(run), area_unit="mu")}
    assert shown["policy"].value == "sample_region"
    assert shown["policy"].note == "version 2026-01-01"
    assert shown["as of"].value == "10 Jun 2026"
    assert shown["due"].value == "2 Aug 2026 to 10 Aug 2026"
    assert shown["plots"].note == f"{run_of_sixty.plots['area_m2'].sum() * 15 / 10_000:.0f} mu"
