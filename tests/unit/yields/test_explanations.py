"""What moved an estimate: nothing where all are alike, the right thing where one differs, and no neighbour shows."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from agrocredit.domain.errors import WrongUsageError
from agrocredit.yields.explanations import INFLUENCES_MAX, PARTS, explain
from agrocredit.yields.prediction import PlotFacts, predict

from .conftest import bell_season


@pytest.fixture(scope="module")
def loud(release):
    """The release with a head that listens: random weights alone move an estimate by less than is worth telling."""
    network = deepcopy(release.network)
    with torch.no_grad():
        network.head.linear.weight *= 30.0
    return replace(release, network=network)


def facts_of(n, area_m2=6000.0):
    areas = np.broadcast_to(np.asarray(area_m2, dtype=float), (n,)).copy()
    return PlotFacts(area_m2=areas, latitude_deg=np.full(n, 47.0), outlooks=[None] * n, evidence=["seen"] * n)


def explained(season, release, **facts):
    n = season.sizes["plot"]
    return explain(season, release=release, plots=facts_of(n, **facts), regions=["north"] * n)


def test_plots_that_are_all_alike_have_nothing_to_explain(release):
    assert explained(bell_season([0.8] * 20), release) == [()] * 20


def test_a_plot_greener_than_its_peers_is_told_so_and_moved_as_the_network_says(loud):
    season = bell_season([0.6] * 19 + [0.9])
    found = explained(season, loud)[-1]
    assert 1 <= len(found) <= INFLUENCES_MAX
    assert all(one.what.endswith(PARTS) for one in found)
    # Every index of the bell rises with its height, and the bell stands in the middle and late thirds.
    assert {one.side for one in found} == {"higher"}
    assert not any("early" in one.what for one in found)
    sizes = [abs(one.moved_t_ha) for one in found]
    assert sizes == sorted(sizes, reverse=True)


def test_a_lone_influence_is_the_whole_difference_to_the_median_of_its_peers(loud):
    n = 20
    season = bell_season([0.8] * n)
    areas = np.array([6000.0] * (n - 1) + [60_000.0])
    facts = facts_of(n, area_m2=areas)
    regions = ["north"] * n
    found = explain(season, release=loud, plots=facts, regions=regions)[-1]
    assert [one.what for one in found] == ["size of the plot"]
    mean_pixels = 10 ** np.log10(areas / 100).mean()
    swapped = replace(facts, area_m2=np.where(areas > 6000, mean_pixels * 100, areas))
    medians = [
        predict(season, release=loud, plots=one, harvest_year=2022)["q50"].to_numpy()[-1] for one in (facts, swapped)
    ]
    moved = medians[0] - medians[1]
    assert found[0].moved_t_ha == pytest.approx(moved, abs=6e-4)


def test_fewer_than_ten_plots_are_no_peers(loud):
    assert explained(bell_season([0.6] * 8 + [0.9]), loud) == [()] * 9


def test_a_region_with_too_few_plots_is_compared_with_all(loud):
    season = bell_season([0.6] * 19 + [0.9])
    regions = ["north"] * 18 + ["south"] * 2
    plots = facts_of(20)
    found = explain(season, release=loud, plots=plots, regions=regions)
    assert found[-1] == explained(season, loud)[-1]


def test_the_order_of_plots_changes_nothing(loud):
    heights = np.linspace(0.5, 0.9, 16)
    one = explained(bell_season(heights), loud)
    other = explained(bell_season(heights[::-1]), loud)
    assert [[each.what for each in plot] for plot in one] == [[each.what for each in plot] for plot in other[::-1]]


def test_as_many_regions_as_plots_are_expected(loud):
    with pytest.raises(WrongUsageError, match="plots_invalid: season of 12 plots with 1 regions"):
        explain(bell_season([0.6] * 12), release=loud, plots=facts_of(12), regions=["north"])
