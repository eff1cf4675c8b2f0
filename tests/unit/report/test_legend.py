from __future__ import annotations

from collections import Counter

import pandas as pd

from agrocredit.report.joined import join_run
from agrocredit.report.legend import by_limit, by_why, by_yield


def test_each_legend_counts_every_plot_once_and_names_every_colour(run_of_sixty):
    run = join_run(run_of_sixty)
    for colouring in (by_limit(run), by_yield(run), by_why(run)):
        assert len(colouring.tokens) == len(run.plots)
        assert {key.token: key.count for key in colouring.keys} == Counter(colouring.tokens)


def test_a_larger_limit_never_has_a_darker_colour(run_of_sixty):
    run = join_run(run_of_sixty)
    limits = {farmer_id: farmer.decision.limit_minor for farmer_id, farmer in run.farmer_of().items()}
    coloured = sorted(
        (limits[plot.farmer_ids[0]], token)
        for plot, token in zip(run.plots, by_limit(run).tokens, strict=True)
        if limits[plot.farmer_ids[0]]
    )
    assert [token for _, token in coloured] == sorted(token for _, token in coloured)
    assert {"l0", "l5"} <= {token for _, token in coloured}


def test_the_legend_of_limits_says_currency_and_edges(run_of_sixty):
    colouring = by_limit(join_run(run_of_sixty))
    labels = [key.label for key in colouring.keys]
    assert colouring.title == "Limit of the plot's farmer, CNY"
    assert labels[0].startswith("under ")
    assert any(label.endswith(" and more") for label in labels)
    assert "referred to a person" in labels


def test_why_not_tells_abstentions_refusals_and_referred_farmers_apart(whole_run):
    refused = [{"plot_id": "plot-0007", "code": "outside_every_scene", "detail": "no scene"}]
    run = join_run(whole_run(60, refused=refused))
    colouring = by_why(run)
    label = {key.token: key.label for key in colouring.keys}
    words = dict(zip([plot.id for plot in run.plots], [label[token] for token in colouring.tokens], strict=True))
    assert words["plot-0007"] == "refused: outside every scene"
    assert words["plot-0003"] == "too few clear looks"
    assert words["plot-0005"] == "no crop seen"
    assert "answered" in words.values()
    assert "estimated; farmer referred" in words.values()


def test_more_causes_than_colours_share_the_last_one(whole_run):
    refused = [{"plot_id": f"plot-{number:04d}", "code": f"cause_{chr(97 + number)}"} for number in range(12)]
    colouring = by_why(join_run(whole_run(12, refused=refused, decisions=None)))
    assert [key.count for key in colouring.keys] == [1] * 7 + [5]
    assert colouring.keys[-1].label == "other causes"


def test_a_run_without_estimates_and_decisions_is_hollow(whole_run):
    run = join_run(whole_run(6, estimates=None, decisions=None))
    assert set(by_limit(run).tokens) == {"ln"}
    assert set(by_yield(run).tokens) == {"yn"}
    assert set(by_why(run).tokens) == {"wn"}


def test_equal_limits_have_one_colour(whole_run):
    decisions = whole_run(6).decisions.assign(
        outcome="approved",
        limit_minor=5_000,
        binding_cap="exposure",
        caps='{"exposure": 5000}',
        due_on=pd.Timestamp(2026, 8, 1),
    )
    (key,) = by_limit(join_run(whole_run(6, decisions=decisions))).keys
    assert (key.token, key.label, key.count) == ("l0", "all alike", 6)
