from __future__ import annotations

from agrocredit.domain.decision import Outcome
from agrocredit.report.joined import join_run
from agrocredit.report.limits import (
    binding_caps,
    cap_amounts,
    farmer_row,
    listed_farmers,
    spreads,
    yield_bar,
    yield_reach_t_ha,
)


def test_binding_caps_count_the_approved_farmers(run_of_sixty):
    decisions = run_of_sixty.decisions
    approved = decisions[decisions["outcome"] == "approved"]
    found = {bar.code: bar.count for bar in binding_caps(join_run(run_of_sixty))}
    assert found == approved["binding_cap"].value_counts().to_dict()


def test_farmers_are_listed_by_limit_then_by_outcome(run_of_sixty):
    farmers = listed_farmers(join_run(run_of_sixty))
    order = list(Outcome)
    keys = [(-farmer.decision.limit_minor, order.index(farmer.decision.outcome)) for farmer in farmers]
    assert keys == sorted(keys)
    assert len(farmers) == len(run_of_sixty.decisions)


def test_a_row_says_limit_cap_reasons_and_due_date_in_words(run_of_sixty):
    run = join_run(run_of_sixty)
    farmers = listed_farmers(run)
    row = farmer_row(farmers[0], run=run, reach_t_ha=10.0, sentence=run_of_sixty.sentence)
    assert row["limit"].startswith("CNY ")
    assert row["cap"]
    assert row["due"].endswith("Aug 2026")
    assert row["reasons"][0]["words"] == run_of_sixty.sentences[farmers[0].decision.reasons[0]]
    last = farmer_row(farmers[-1], run=run, reach_t_ha=10.0, sentence=run_of_sixty.sentence)
    assert (last["limit"], last["cap"], last["due"]) == ("", "", "")


def test_yield_bars_stay_inside_their_track_and_keep_their_order(run_of_sixty):
    farmers = listed_farmers(join_run(run_of_sixty))
    reach_t_ha = yield_reach_t_ha(farmers)
    drawn = [yield_bar(farmer, reach_t_ha) for farmer in farmers if farmer.interval_t_ha]
    assert drawn
    assert all(0 <= low <= middle <= high <= 100 for low, middle, high in drawn)


def test_all_caps_are_named_smallest_first(run_of_sixty):
    decision = listed_farmers(join_run(run_of_sixty))[0].decision
    names = [name for name, _ in cap_amounts(decision)]
    assert len(names) == len(decision.caps) == 3
    smallest = min(decision.caps, key=lambda cap: decision.caps[cap])
    assert cap_amounts(decision)[0][1].replace(",", "").startswith(f"CNY {decision.caps[smallest] // 100}")


def test_no_limits_have_no_spread(whole_run):
    decisions = whole_run(3).decisions.assign(outcome="referred", limit_minor=0, binding_cap=None, due_on=None)
    run = join_run(whole_run(3, decisions=decisions))
    assert spreads(run) == ()
    assert binding_caps(run) == ()
    assert yield_reach_t_ha(()) == 1.0
