"""The county release on the wheat data as published: other file names, only new years, and what its card says."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from agrocredit.store.bundled import models_path
from agrocredit.yields.area.release import load_area_release
from pipelines.adapt import adapt
from pipelines.area_data import read_area_data
from pipelines.evaluate import evaluate
from pipelines.predict_area import predict_area

STATES = (20, 46)
"""Kansas and South Dakota: the most counties, and the most gaps."""


@pytest.fixture(scope="module")
def source(shared):
    folder = shared / "yields" / "us_winter_wheat"
    if not folder.is_dir():
        pytest.skip("no us_winter_wheat data")
    return folder


def cut(source, out, *, first, last):
    """Write two states' harvests of some years and their weather, under names that the set has never used."""
    out.mkdir(parents=True)
    yields = pd.read_csv(source / "yield_2000_2020.csv")
    here = yields["state_fips"].isin(STATES) & yields["year"].between(first, last)
    yields[here].to_csv(out / "harvests.csv", index=False)
    for state in STATES:
        days = pd.read_parquet(source / "daily_weather_2000_2020" / f"state_{state}.parquet")
        when = pd.to_datetime(days["date"])
        days[when.between(f"{first - 1}-09-01", f"{last}-08-31")].to_parquet(out / f"weather of {state}.parquet")
    return out


@pytest.fixture(scope="module")
def folders(source, tmp_path_factory):
    """Give the canonical folders of 2018 alone, and of 2008 to 2018."""
    root = tmp_path_factory.mktemp("wheat")
    made = {}
    for name, first in (("new", 2018), ("all", 2008)):
        adapt("us_winter_wheat", [cut(source, root / f"{name}_source", first=first, last=2018)], out=root / name)
        made[name] = root / name
    return made


def test_a_folder_with_only_new_years_is_answered_as_one_with_all(folders):
    release = load_area_release(models_path("wheat-us-county"))
    new, whole = (read_area_data(folders[name], crop="winter_wheat") for name in ("new", "all"))
    one, other = (predict_area(release, data, year=2018) for data in (new, whole))
    np.testing.assert_allclose(one.quantiles_t_ha, other.quantiles_t_ha, atol=2e-4)
    assert one.reasons.count(None) > 0.9 * len(one.reasons)


def test_evaluate_scores_a_folder_with_only_new_years_beside_baselines_that_know_the_releases_harvests(folders):
    facts = evaluate("wheat-us-county", data=folders["new"], years=(2018, 2018)).facts
    assert facts["n"] + facts["abstained"] == len(pd.read_parquet(folders["new"] / "labels.parquet"))
    assert facts["baselines"]["pooled_trend"]["n"] == facts["n"]
    # The release has learnt from 2018, so its error here is no test of it; a wrong unit or a lost history would show.
    assert 0.2 < facts["rmse_t_ha"] < 0.8


def test_most_counties_are_told_what_moved_their_estimate_beside_their_normal(folders, tmp_path):
    evaluate("wheat-us-county", data=folders["new"], years=(2018, 2018), explain=tmp_path / "why.json")
    told = json.loads((tmp_path / "why.json").read_text())["areas"]["2018"]
    assert len(told) > 0.5 * len(pd.read_parquet(folders["new"] / "labels.parquet"))
    assert all(1 <= len(lines) <= 3 for lines in told.values())
    assert {line["compared_with"] for lines in told.values() for line in lines} == {"normal"}


def test_the_card_carries_the_figures_of_the_scores():
    folder = models_path("wheat-us-county")
    scores, card = json.loads((folder / "scores.json").read_text()), (folder / "card.md").read_text()
    for line in (scores["a_year_ahead"], *scores["a_year_ahead"]["by_year"].values()):
        cells = [f"{line[name]:.3f}" for name in ("rmse_t_ha", "r2", "pinball", "coverage90", "width90_t_ha")]
        assert " | ".join(cells) in card
    assert scores["split"]["history_frozen"]["rmse_t_ha"] <= 0.70
    assert scores["a_year_ahead"]["beats_pooled_trend"]["rmse_gain_95"][0] > 0
