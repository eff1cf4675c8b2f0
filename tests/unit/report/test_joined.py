from __future__ import annotations

import pandas as pd
import pytest

from agrocredit.domain.decision import Outcome
from agrocredit.domain.errors import InputUnusableError
from agrocredit.report.joined import has_yield, join_run


def test_every_plot_has_its_looks_its_estimate_and_its_farmer(run_of_sixty):
    run = join_run(run_of_sixty)
    assert [plot.id for plot in run.plots] == sorted(run_of_sixty.plots["id"])
    estimates = run_of_sixty.estimates.set_index("plot_id")
    for plot in run.plots:
        assert len(plot.looks) == 36
        assert has_yield(plot) == (estimates.loc[plot.id, "status"] == "estimated")
    assert sum(len(farmer.plots) for farmer in run.farmers) == len(run.plots)


def test_a_farmers_interval_is_the_area_weighted_mean_of_the_estimated_plots(run_of_sixty):
    run = join_run(run_of_sixty)
    plots = run_of_sixty.plots.drop(columns="geometry")
    joined = plots.merge(run_of_sixty.estimates[["plot_id", "q05", "q50", "q95"]], left_on="id", right_on="plot_id")
    joined = joined.dropna(subset="q50").astype({"q05": float, "q50": float, "q95": float})
    assert any(farmer.estimated > 1 for farmer in run.farmers)
    for farmer in run.farmers:
        held = joined[joined["farmer_id"] == farmer.decision.farmer_id]
        assert farmer.estimated == len(held)
        if len(held):
            by_hand = [(held["area_m2"] * held[name]).sum() / held["area_m2"].sum() for name in ("q05", "q50", "q95")]
            assert farmer.interval_t_ha == pytest.approx(tuple(by_hand))
        else:
            assert farmer.interval_t_ha is None


def test_holdings_say_who_farms_a_plot_before_the_plots_themselves(whole_run):
    holdings = pd.DataFrame({"farmer_id": ["farmer-0000", "farmer-0001"], "plot_id": ["plot-0005", "plot-0005"]})
    run = join_run(whole_run(12, holdings=holdings))
    assert run.plots[5].farmer_ids == ("farmer-0000", "farmer-0001")
    assert run.plots[6].farmer_ids == ("plot-0006",), "a plot that names no farmer is its own"
    held = {farmer.decision.farmer_id: farmer.plots for farmer in run.farmers}
    assert held["farmer-0000"] == held["farmer-0001"] == (5,)


def test_of_several_estimates_of_a_plot_the_latest_counts(whole_run):
    inputs = whole_run(6)
    older = inputs.estimates.assign(harvest_year=2025, season="2025", release="older")
    run = join_run(whole_run(6, estimates=pd.concat([inputs.estimates, older])))
    assert {plot.estimate.release for plot in run.plots} == {"henan-2026.1"}


def test_looks_at_unknown_plots_are_no_part_of_the_run(whole_run):
    inputs = whole_run(4)
    strange = inputs.observations.head(1).assign(plot_id="elsewhere", acquired_at=pd.Timestamp("1999-01-01", tz="UTC"))
    run = join_run(whole_run(4, observations=pd.concat([inputs.observations, strange])))
    assert run.window == join_run(inputs).window


def test_a_run_that_stopped_early_is_joined_as_far_as_it_came(whole_run):
    run = join_run(whole_run(4, observations=None, estimates=None, decisions=None))
    assert (run.estimated, run.decided, run.window, run.farmers) == (False, False, None, ())
    assert not any(plot.looks.seen for plot in run.plots)


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("status", "guessed", "estimate_invalid"),
        ("reason", "rain", "estimate_invalid"),
        ("q95", 0.0, "estimate_invalid"),
    ],
)
def test_an_estimate_that_breaks_the_contract_names_its_plot(whole_run, column, value, code):
    estimates = whole_run(4).estimates.copy()
    estimates.loc[0, column] = value
    with pytest.raises(InputUnusableError, match="plot-0000") as caught:
        join_run(whole_run(4, estimates=estimates))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("column", "value"),
    [("outcome", "maybe"), ("caps", "{"), ("caps", "[]"), ("caps", '{"luck": 1}'), ("binding_cap", "luck")],
)
def test_a_decision_that_breaks_the_contract_names_its_farmer(whole_run, column, value):
    decisions = whole_run(4).decisions.copy()
    decisions.loc[0, column] = value
    with pytest.raises(InputUnusableError, match="decision_invalid: decisions: farmer farmer-0000"):
        join_run(whole_run(4, decisions=decisions))


def test_the_latest_decision_of_a_farmer_colours_the_map(whole_run):
    inputs = whole_run(4)
    older = inputs.decisions.assign(
        season="2025",
        outcome="declined",
        limit_minor=0,
        binding_cap=None,
        due_on=None,
        as_of=pd.Timestamp("2025-06-10"),
    )
    run = join_run(whole_run(4, decisions=pd.concat([inputs.decisions, older])))
    newest = {farmer.decision.outcome for farmer in run.farmer_of().values()}
    assert len(run.farmers) == 2 * len(inputs.decisions)
    assert newest == {Outcome(outcome) for outcome in inputs.decisions["outcome"]}
