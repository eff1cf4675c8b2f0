"""A release of areas scored on labels: with a history in the folder, without one, and never with what came later."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from agrocredit.cli.app import app
from agrocredit.domain.errors import InputUnusableError
from agrocredit.yields.area.explanations import explain_areas, feature_words
from agrocredit.yields.area.features import FeatureConfig, feature_names
from agrocredit.yields.area.release import load_area_release
from pipelines.area_data import area_rows, read_area_data
from pipelines.evaluate import evaluate
from pipelines.predict_area import history_of, predict_area
from pipelines.train_area import train_area

CONFIG = """
schema_version = 1
kind = "area_year"
[data]
crop = "winter_wheat"
adapter = "us_winter_wheat"
title = "made up for tests"
licence = "CC0"
disclosure = "none of it is real"
[years]
first = 2001
calibrate_from = 2006
score_from = 2010
split = 2011
last = 2012
[stages]
first_month = 9
dates = [[4, 1], [6, 1]]
[level]
decay = 0.9
growth_per_year = 0.0
growth_years = 15.0
unit_years = 0.5
clip_sigmas = 2.5
deviation_years = 8.0
years_min = 2
[training]
seed = 1
members = 2
steps = 120
learning_rate = 3e-2
shared_penalty = 10.0
own_penalty = 10.0
[calibration]
half_years = 12.0
[abstention]
out_of_range_share = 0.02
[[features]]
name = "rain"
variable = "rain_sum_mm"
scale = "root"
months = [3, 5]
[[features]]
name = "warmth"
variable = "t_mean_c"
months = [5]
"""


def write_folder(path, *, years):
    """Counties of two states: May's rain makes the harvest, March's and the warmth do not."""
    rows = []
    for unit in range(16):
        for year in range(2000, 2015):
            rng = np.random.default_rng([unit, year])
            season = {2013: 100.0, 2014: 25.0}.get(year, 60.0 + 35.0 * np.random.default_rng(year).standard_normal())
            rain = max(season + 8.0 * rng.standard_normal(), 1.0)
            brought = 3.0 + 0.1 * unit + 0.25 * (np.sqrt(rain) - 7.5) + 0.1 * rng.standard_normal()
            rows.append((f"u{unit:02d}", year, rain, brought, 40.0 + 30.0 * rng.random(), rng.normal(15, 2)))
    table = pd.DataFrame(rows, columns=["unit", "year", "may", "yield_t_ha", "march", "warmth"])
    table = table[table["year"].between(*years)]
    path.mkdir()
    labels = table[["unit"]].assign(region=np.where(table["unit"] < "u08", "NORTH", "SOUTH"), crop="winter_wheat")
    labels = labels.assign(harvest_year=table["year"].astype("int32"), yield_t_ha=table["yield_t_ha"])
    labels.assign(longitude=-100.0, latitude=38.0).to_parquet(path / "labels.parquet")
    parts = [
        pd.DataFrame(
            {
                "unit": table["unit"],
                "year": table["year"].astype("int32"),
                "date": pd.to_datetime(table["year"].astype(str) + day).dt.date,
                "rain_sum_mm": rain,
                "t_mean_c": warmth,
            }
        )
        for day, rain, warmth in (("-03-31", table["march"], np.nan), ("-05-31", table["may"], table["warmth"]))
    ]
    pd.concat(parts).to_parquet(path / "series.parquet")
    table[["unit"]].drop_duplicates().to_parquet(path / "static.parquet")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("areas") / "data", years=(2000, 2014))


@pytest.fixture(scope="module")
def release(folder, tmp_path_factory):
    config = tmp_path_factory.mktemp("config") / "tiny.toml"
    config.write_text(CONFIG)
    out = tmp_path_factory.mktemp("models") / "tiny"
    train_area(config, out=out, data=folder, progress=lambda *_: None)
    return out


@pytest.fixture(scope="module")
def facts(release, folder):
    return evaluate(str(release), data=folder, years=(2013, 2014)).facts


def test_years_the_release_never_saw_are_answered_better_than_by_their_trend(facts):
    assert facts["n"] + facts["abstained"] == 32
    assert facts["n"] >= 28
    assert facts["trained_to"] == 2012
    assert set(facts["by_year"]) == {"2013", "2014"}
    assert set(facts["by_region"]) == {"NORTH", "SOUTH"}
    assert facts["by_size"] == {}
    baselines = facts["baselines"]
    assert {line["n"] for line in baselines.values()} == {facts["n"]}
    assert facts["rmse_t_ha"] < 0.7 * baselines["pooled_trend"]["rmse_t_ha"]
    assert facts["rmse_t_ha"] < 0.7 * baselines["level_alone"]["rmse_t_ha"]


def test_the_interval_narrows_once_the_rain_that_matters_has_fallen(facts):
    months = facts["by_month"]
    assert list(months) == ["before", "03", "05"]
    assert months["05"]["width90_t_ha"] < 0.7 * months["before"]["width90_t_ha"]
    assert months["05"]["rmse_t_ha"] == facts["rmse_t_ha"]


def test_a_folder_with_only_new_years_has_the_releases_own_history(release, facts, tmp_path):
    new = evaluate(str(release), data=write_folder(tmp_path / "new", years=(2013, 2014)), years=(2013, 2014)).facts
    assert new["n"] == facts["n"]
    assert new["by_year"]["2013"] == facts["by_year"]["2013"]
    assert new["baselines"]["mean"] == facts["baselines"]["mean"]
    # Before 2013 the folder has no weather, so what reads weather has nothing to learn from.
    assert new["baselines"]["ridge"]["n"] == 0


def test_what_came_later_changes_nothing(release, facts, tmp_path):
    alone = evaluate(str(release), data=write_folder(tmp_path / "to2013", years=(2000, 2013)), years=(2013, 2013)).facts
    assert alone["by_year"]["2013"] == facts["by_year"]["2013"]


def test_the_same_question_has_the_same_answer(release, folder, facts):
    assert evaluate(str(release), data=folder, years=(2013, 2014)).facts == facts


def test_a_season_that_has_begun_is_answered_as_before_it_until_the_first_day_of_the_release(release, folder):
    loaded, data = load_area_release(release), read_area_data(folder, crop="winter_wheat")
    # March's rain is dated by its last day, and the release's first day is the first of April.
    before, begun = (predict_area(loaded, data, year=2014, as_of=day) for day in (date(2013, 8, 31), date(2014, 3, 31)))
    assert begun.reasons == [None] * 16
    assert np.array_equal(before.quantiles_t_ha, begun.quantiles_t_ha)


def test_years_without_labels_are_refused(release, folder):
    with pytest.raises(InputUnusableError, match="labels_missing"):
        evaluate(str(release), data=folder, years=(2031, 2032))


def test_the_command_says_what_moved_each_area_and_refuses_a_release_of_plots(release, folder, tmp_path):
    out = tmp_path / "why.json"
    options = ["evaluate", "--data", str(folder), "--years", "2013-2014", "--explain", str(out)]
    run = CliRunner().invoke(app, [*options, "--release", str(release)])
    assert run.exit_code == 0
    told = json.loads(out.read_text())["areas"]
    assert set(told) == {"2013", "2014"}
    assert len(told["2014"]) >= 12
    first = {one[0]["what"] for one in told["2014"].values()}
    assert first == {"rain in May"}
    plots = CliRunner().invoke(app, [*options, "--release", "winter-wheat-simulated-1"])
    assert plots.exit_code == 4
    assert "kind plot_season, expected one of kind area_year" in plots.stderr


def test_the_rain_that_made_the_harvest_explains_it(release, folder):
    loaded, data = load_area_release(release), read_area_data(folder, crop="winter_wheat")
    rows = area_rows(data, features=loaded.facts.features, years=[2014])
    stage = len(loaded.facts.stages) - 1
    explained = explain_areas(loaded, rows, history=history_of(data), stage=stage)
    told = [influences[0] for influences in explained if influences]
    assert len(told) >= 12
    assert {one.what for one in told} == {"rain in May"}
    assert all((one.side == "higher") == (one.moved_t_ha > 0) for one in told)
    assert {one.compared_with for one in told} == {"normal"}


def test_features_are_said_in_the_fields_words():
    features = (
        FeatureConfig(name="heat", variable="t_max_c", statistic="excess", threshold=30.0, months=(5, 6)),
        FeatureConfig(name="cold", variable="t_min_c", statistic="min"),
        FeatureConfig(name="green", variable="ndvi", steps=(3,)),
        FeatureConfig(name="cr", variable="cr_mm"),
        FeatureConfig(name="winter", variable="rain_sum_mm", months=(12, 1, 2), together=True),
    )
    assert len(feature_words(features)) == len(feature_names(features))
    assert feature_words(features) == [
        "heat of the days above 30 in May",
        "heat of the days above 30 in June",
        "lowest warmth of the nights of the season",
        "greenness at step 3 of the season",
        "cr mm of the season",
        "rain from December to February",
    ]
