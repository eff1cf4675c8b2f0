"""Who is approved on the sample region, whose true harvests are known: by plot size, tenure and quarter of the land.

The region is simulated, so these figures test the program and say nothing about any real lender.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from agrocredit.credit import load_policy
from agrocredit.credit.fairness import fairness, fairness_bench, size_bands
from agrocredit.domain.units import area_to_m2
from pipelines.demo import run_demo
from pipelines.sample import SampleRegion

SMALLEST = "under 0.2 ha"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The demo in full: its plots are too few to judge in any smaller region."""
    out = tmp_path_factory.mktemp("demo")
    run_demo(out)
    return out


@pytest.fixture(scope="module")
def farmers(folder):
    """One row a farmer: land, share, decision, and what the true harvest would have carried."""
    region = SampleRegion.at(folder / "sample")
    plots = gpd.read_file(region.plots).rename(columns={"id": "plot_id"}).to_crs(32650)
    truth = pd.read_parquet(region.truth)
    middles = pd.DataFrame({"plot_id": plots["plot_id"], "x": plots.centroid.x, "y": plots.centroid.y})
    land = pd.read_csv(region.holdings).merge(truth, on="plot_id").merge(middles, on="plot_id")
    land["area_ha"] = land["area_m2"] / area_to_m2(1, "ha")
    land["harvest_t"] = land["yield_t_ha"].fillna(0.0) * land["area_ha"] * land["tenure_share"]
    rows = land.groupby("farmer_id").agg(
        area_ha=("area_ha", "sum"),
        plot_ha=("area_ha", "mean"),
        share=("tenure_share", "min"),
        harvest_t=("harvest_t", "sum"),
        x=("x", "mean"),
        y=("y", "mean"),
    )
    decisions = pd.read_parquet(folder / "run" / "decisions.parquet").set_index("farmer_id")
    rows = rows.join(decisions[["outcome", "limit_minor", "reasons", "as_of"]], how="inner")
    return rows.assign(approved=rows["outcome"] == "approved", qualified=qualified(rows))


def qualified(rows):
    """Whose true harvest at the policy's price would have carried the smallest loan, with its cover."""
    terms = load_policy("smallholder-grain-cn").on(rows["as_of"].iloc[0])
    wheat = terms.crops["winter_wheat"]
    sold = (1 - wheat.loss_after_harvest) * (1 - wheat.own_consumption)
    a_tonne = wheat.price * sold - wheat.cost_after_harvest
    household = terms.repayment.household_floor * terms.repayment.household_months
    cash = rows["harvest_t"] * terms.area.cropped_fraction_low * a_tonne - household
    return cash >= terms.repayment.dscr_min * terms.product.minimum_ticket_minor / 100


def by(farmers, groups):
    found = fairness(
        groups,
        approved=farmers["approved"].to_numpy(),
        limit=farmers["limit_minor"].to_numpy() / 100,
        area_ha=farmers["area_ha"].to_numpy(),
        qualified=farmers["qualified"].to_numpy(),
    )
    return {outcome.group: outcome for outcome in found}


def by_size(farmers):
    return by(farmers, size_bands(farmers["plot_ha"].to_numpy()))


def by_tenure(farmers):
    return by(farmers, np.where(farmers["share"] < 1.0, "shares the harvest", "keeps it whole").tolist())


def by_quarter(farmers):
    north, east = (farmers[axis] > farmers[axis].median() for axis in ("y", "x"))
    return by(farmers, (np.where(north, "north", "south") + np.where(east, " east", " west").astype(object)).tolist())


@pytest.mark.parametrize("groups", [by_tenure, by_quarter])
def test_no_tenure_and_no_quarter_is_approved_less_than_four_fifths_as_often(farmers, groups):
    found = groups(farmers)
    judged = [outcome for outcome in found.values() if outcome.approval_ratio is not None]
    assert len(judged) == len(found) >= 2
    assert [outcome.group for outcome in judged if not outcome.holds] == []


@pytest.mark.xfail(
    strict=True,
    reason="farmers of plots under 0.2 ha: 18 of 29 approved, .68 of the best band; why: docs/method/credit.md",
)
def test_no_band_of_plot_size_is_approved_less_than_four_fifths_as_often(farmers):
    assert [outcome.group for outcome in by_size(farmers).values() if not outcome.holds] == []


@pytest.mark.parametrize("groups", [by_size, by_tenure, by_quarter])
def test_among_those_whose_harvest_qualifies_every_group_reaches_four_fifths(farmers, groups):
    judged = [outcome for outcome in groups(farmers).values() if outcome.approval_ratio is not None]
    best = max(outcome.qualified_rate for outcome in judged)
    for outcome in judged:
        assert outcome.qualified_rate >= fairness_bench().approval_ratio_min * best, outcome


def test_smallest_plots_get_no_less_a_hectare(farmers):
    assert by_size(farmers)[SMALLEST].limit_ratio >= 1.0


def test_nobody_whose_harvest_qualifies_is_declined_and_each_referral_can_be_resolved(farmers):
    others = farmers[farmers["qualified"] & ~farmers["approved"]]
    assert set(others["outcome"]) <= {"referred"}
    leading = set(others["reasons"].map(lambda reasons: reasons[0]))
    assert leading <= {"declared_area_differs", "limited_by_repayment_capacity"}
