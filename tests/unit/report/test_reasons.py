from __future__ import annotations

from agrocredit.domain.decision import Outcome
from agrocredit.report.joined import join_run
from agrocredit.report.reasons import abstention_sentence, abstentions, reason_bars


def test_reasons_are_counted_once_a_farmer_and_by_outcome(run_of_sixty):
    run = join_run(run_of_sixty)
    decisions = run_of_sixty.decisions
    for outcome in Outcome:
        named = decisions.loc[decisions["outcome"] == outcome, "reasons"]
        found = {bar.code: bar.count for bar in reason_bars(run, outcome=outcome, sentence=run_of_sixty.sentence)}
        assert found == named.explode().dropna().value_counts().to_dict()


def test_the_note_says_how_often_a_reason_leads(run_of_sixty):
    rows = reason_bars(join_run(run_of_sixty), outcome=Outcome.REFERRED, sentence=run_of_sixty.sentence)
    notes = {bar.code: bar.note for bar in rows}
    assert notes["area_mismatch"] == "never leads"
    assert notes["more_evidence_needed"].startswith("leads in ")


def test_abstentions_are_counted_with_area_and_what_would_help(run_of_sixty):
    estimates = run_of_sixty.estimates
    found = abstentions(join_run(run_of_sixty), area_unit="ha")
    expected = estimates["reason"].dropna().value_counts().to_dict()
    assert {one.bar.code: one.bar.count for one in found} == expected
    assert all(one.remedy and one.meaning for one in found)
    assert all(one.bar.note.endswith(" ha") for one in found)


def test_what_became_of_the_farmers_behind_abstentions_is_said(run_of_sixty, whole_run):
    run = join_run(run_of_sixty)
    behind = [farmer for farmer in run.farmers if farmer.estimated < len(farmer.plots)]
    assert abstention_sentence(run) == (f"{len(behind)} farmers hold at least one such plot: {len(behind)} referred.")
    assert abstention_sentence(join_run(whole_run(2))) == ""
    assert abstention_sentence(join_run(whole_run(4))) == "1 farmer holds such a plot: referred."
