"""The table of scores: one line a model with its error as a bar, who has no answer, and which years are no test."""

import pytest

from agrocredit.cli.score_table import BAR_WIDTH, show_scores
from agrocredit.domain.summary import Summary


def line(rmse, n=10):
    figures = ("nrmse", "r2", "pinball", "coverage90", "width90_t_ha", "coverage80")
    return {"n": n, "rmse_t_ha": rmse, **dict.fromkeys(figures, 0.5), "abstained": 0}


@pytest.fixture
def facts():
    nothing = {**dict.fromkeys(line(1.0), None), "n": 0}
    return {
        "release": "tiny",
        "trained_to": 2012,
        **line(1.0),
        "by_year": {"2012": line(1.0), "2013": line(1.0)},
        "by_month": {"before": line(1.5), "05": line(1.0)},
        "baselines": {"pooled_trend": line(2.0), "ridge": nothing},
    }


def shown(facts, capsys):
    show_scores(Summary(counts={"labels": 10}, facts=facts))
    return capsys.readouterr().out


def test_the_largest_error_fills_the_bar_and_half_of_it_half(facts, capsys):
    drawn = {text.split()[0]: text.count("▇") for text in shown(facts, capsys).splitlines() if "▇" in text}
    assert drawn == {"tiny": BAR_WIDTH // 2, "pooled_trend": BAR_WIDTH}


def test_a_baseline_without_an_answer_is_named_and_not_drawn(facts, capsys):
    assert "without enough earlier years to answer: ridge\n" in shown(facts, capsys)


def test_years_that_the_release_learnt_from_are_said_to_be_no_test(facts, capsys):
    assert "learnt from harvests to 2012: 2012 are no test of it" in shown(facts, capsys)
    assert "no test" not in shown({**facts, "by_year": {"2013": line(1.0), "2014": line(1.0)}}, capsys)


def test_months_stand_in_the_order_of_the_season(facts, capsys):
    text = shown(facts, capsys)
    assert text.index("before") < text.index("\n05 ")


def test_nothing_answered_is_still_a_table(facts, capsys):
    nothing = {**facts, **dict.fromkeys(line(1.0), None), "n": 0, "abstained": 10, "baselines": {}}
    assert "abstained on 10" in shown(nothing, capsys)


def test_a_baseline_that_answers_fewer_rows_is_said_to_be_no_fair_comparison(facts, capsys):
    baselines = {"mean": line(2.0), "ridge": line(0.5, n=4)}
    assert "no fair comparison: ridge\n" in shown({**facts, "baselines": baselines}, capsys)
    assert "fair" not in shown({**facts, "baselines": {"mean": line(2.0)}}, capsys)


def test_a_level_alone_is_said_to_be_a_point(facts, capsys):
    assert "level_alone is a point" in shown({**facts, "baselines": {"level_alone": line(2.0)}}, capsys)
    assert "is a point" not in shown(facts, capsys)
