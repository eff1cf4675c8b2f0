from __future__ import annotations

import pytest

from agrocredit.report.joined import join_run
from agrocredit.report.picks import telling_plots


def test_the_picks_are_what_they_say_and_none_comes_twice(whole_run):
    run = join_run(whole_run(120))
    picks = {pick.why: run.plots[pick.position] for pick in telling_plots(run)}
    assert len({plot.id for plot in picks.values()}) == len(picks) == 6
    assert picks["abstained: too few clear looks"].estimate.reason == "too_few_clear_observations"
    assert picks["abstained: no crop seen"].estimate.reason == "no_crop_seen"
    others = [plot for plot in run.plots if plot not in list(picks.values())]
    assert picks["the smallest plot"].area_m2 <= min(plot.area_m2 for plot in others)
    assert picks["the largest plot"].area_m2 >= max(plot.area_m2 for plot in others)
    approved = picks["approved, with the middle yield"]
    assert run.farmer_of()[approved.farmer_ids[0]].decision.outcome == "approved"


def test_without_answers_the_smallest_and_largest_remain(whole_run):
    run = join_run(whole_run(9, estimates=None, decisions=None))
    assert [pick.why for pick in telling_plots(run)] == ["the smallest plot", "the largest plot"]


@pytest.mark.parametrize("count", [2, 3, 5, 12])
def test_only_the_plot_that_is_the_smallest_or_largest_of_all_is_called_so(whole_run, count):
    run = join_run(whole_run(count))
    areas = [plot.area_m2 for plot in run.plots if len(plot.looks)]
    picks = {pick.why: run.plots[pick.position].area_m2 for pick in telling_plots(run)}
    assert picks.get("the smallest plot", min(areas)) == min(areas)
    assert picks.get("the largest plot", max(areas)) == max(areas)


def test_one_plot_is_picked_once_and_unseen_plots_never(whole_run):
    assert len(telling_plots(join_run(whole_run(1)))) == 1
    assert telling_plots(join_run(whole_run(9, observations=None))) == ()
