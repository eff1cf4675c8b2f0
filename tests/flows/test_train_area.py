"""A release of areas from data whose truth is known: yields follow the rain of May, by region, around a level."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from agrocredit.cli.app import app
from agrocredit.domain.errors import InputUnusableError
from agrocredit.yields.area.release import load_area_release
from pipelines.area_data import area_rows, read_area_data
from pipelines.area_training import read_area_training
from pipelines.learn_area import area_tables, learn_origin
from pipelines.predict_area import predict_area
from pipelines.train import train

CONFIG = """
schema_version = 1
kind = "area_year"
[data]
crop = "winter_wheat"
adapter = "none"
title = "A formula"
licence = "ours"
disclosure = "Nothing was chosen."
[years]
first = 2001
calibrate_from = 2007
score_from = 2010
split = 2012
last = 2014
[stages]
first_month = 9
dates = [[5, 1], [6, 1]]
[level]
decay = 0.9
growth_per_year = 0.0
growth_years = 10.0
unit_years = 1.0
clip_sigmas = 3.0
deviation_years = 8.0
years_min = 5
[training]
seed = 1
members = 2
steps = 60
learning_rate = 5e-2
shared_penalty = 10.0
own_penalty = 10.0
[calibration]
half_years = 12.0
[abstention]
out_of_range_share = 0.01
[[features]]
name = "rain"
variable = "rain_sum_mm"
months = [10, 5]
[[features]]
name = "rain_all"
variable = "rain_sum_mm"
months = [10, 5]
together = true
rows_min = 2
"""


def write_folder(folder, years, *, units=20):
    folder.mkdir(parents=True)
    labels, series = [], []
    for year in years:
        rng = np.random.default_rng(year)
        wet = {region: rng.standard_normal() for region in "AB"}
        for k in range(units):
            region = "AB"[k % 2]
            rain = 50 + 10 * (wet[region] + 0.3 * rng.standard_normal())
            october = 40 + 10 * rng.standard_normal()
            brought = 3 + 0.05 * k + 0.03 * (rain - 50) * (1.5 if region == "A" else 0.5) + 0.15 * rng.standard_normal()
            labels.append((f"{region}{k:02d}", region, "winter wheat", year, max(brought, 0), -100.0 + k, 40.0))
            series.append((f"{region}{k:02d}", year, date(year - 1, 10, 31), october))
            series.append((f"{region}{k:02d}", year, date(year, 5, 31), rain))
    names = ["unit", "region", "crop", "harvest_year", "yield_t_ha", "longitude", "latitude"]
    pd.DataFrame(labels, columns=names).to_parquet(folder / "labels.parquet")
    pd.DataFrame(series, columns=["unit", "year", "date", "rain_sum_mm"]).to_parquet(folder / "series.parquet")
    pd.DataFrame({"unit": sorted({row[0] for row in labels})}).to_parquet(folder / "static.parquet")
    return folder


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    return tmp_path_factory.mktemp("areas")


@pytest.fixture(scope="module")
def folder(places):
    return write_folder(places / "all", range(2000, 2019))


@pytest.fixture(scope="module")
def config(places):
    path = places / "areas.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def trained(places, folder, config):
    out = places / "models" / "areas-1"
    return out, train(config, out=out, data=folder)


def test_training_again_gives_the_same_bytes(trained, places, folder, config):
    out, _ = trained
    again = places / "again" / "areas-1"
    train(config, out=again, data=folder)
    for path in sorted(out.iterdir()):
        assert path.read_bytes() == (again / path.name).read_bytes(), path.name


def test_years_after_the_releases_last_change_nothing_of_it(trained, places, config):
    out, _ = trained
    shorter = places / "shorter" / "areas-1"
    train(config, out=shorter, data=write_folder(places / "to_2014", range(2000, 2015)))
    assert (out / "model.toml").read_bytes() == (shorter / "model.toml").read_bytes()


def test_where_rain_makes_the_yield_the_release_beats_every_trend_and_says_so(trained):
    out, summary = trained
    ahead = summary.facts["scores"]["a_year_ahead"]
    assert ahead["rmse_t_ha"] < 0.7 * ahead["baselines"]["pooled_trend"]["rmse_t_ha"]
    assert ahead["beats_pooled_trend"]["rmse_gain_95"][0] > 0
    assert ahead["by_month"]["on 06-01"]["width90_t_ha"] < ahead["by_month"]["before the season"]["width90_t_ha"]
    card = (out / "card.md").read_text()
    assert f"{ahead['rmse_t_ha']:.3f}" in card
    assert "A formula" in card


def test_a_folder_with_only_new_years_is_answered_as_one_with_all(trained, places, folder):
    release = load_area_release(trained[0])
    new = read_area_data(write_folder(places / "new", [2015]), crop="winter_wheat")
    whole = read_area_data(folder, crop="winter_wheat")
    for as_of in (None, date(2015, 5, 1)):
        one = predict_area(release, new, year=2015, as_of=as_of).quantiles_t_ha
        other = predict_area(release, whole, year=2015, as_of=as_of).quantiles_t_ha
        # The release keeps four digits of the yields it learnt from.
        np.testing.assert_allclose(one, other, atol=2e-4)
        assert np.isfinite(one).all()


def test_rain_that_falls_after_the_day_of_knowledge_changes_nothing(trained, places, folder):
    release = load_area_release(trained[0])
    series = pd.read_parquet(folder / "series.parquet")
    flooded = write_folder(places / "flooded", range(2000, 2019))
    series.loc[(series["year"] == 2015) & (pd.to_datetime(series["date"]).dt.month == 5), "rain_sum_mm"] = 500.0
    series.to_parquet(flooded / "series.parquet")
    said = [
        predict_area(release, read_area_data(one, crop="winter_wheat"), year=2015, as_of=date(2015, 5, 30))
        for one in (folder, flooded)
    ]
    np.testing.assert_array_equal(said[0].quantiles_t_ha, said[1].quantiles_t_ha)
    late = predict_area(release, read_area_data(flooded, crop="winter_wheat"), year=2015)
    assert set(late.reasons) == {"out_of_distribution"}


def test_an_origin_reads_nothing_of_later_years(folder, config, places):
    file = read_area_training(config)
    tables = area_tables(read_area_data(folder, crop="winter_wheat"), file)
    labels = pd.read_parquet(folder / "labels.parquet")
    other = write_folder(places / "other_later", range(2000, 2019))
    labels.loc[labels["harvest_year"] > 2010, "yield_t_ha"] *= 3
    labels.to_parquet(other / "labels.parquet")
    changed = area_tables(read_area_data(other, crop="winter_wheat"), file)
    one, two = (learn_origin(each, file, last=2010) for each in (tables, changed))
    for a, b in zip(one.network.parameters(), two.network.parameters(), strict=True):
        assert np.array_equal(a.detach().numpy(), b.detach().numpy())


def test_the_command_trains_and_says_what_is_missing(places, folder, config):
    out = places / "by_command" / "areas-1"
    run = CliRunner().invoke(app, ["train", str(config), "--out", str(out), "--data", str(folder), "--json"])
    assert run.exit_code == 0
    assert json.loads(run.stdout)["counts"]["units"] == 20
    table = CliRunner().invoke(app, ["train", str(config), "--out", str(out), "--data", str(folder)])
    assert "pooled_trend" in table.stdout
    without = CliRunner().invoke(app, ["train", str(config), "--out", str(out)])
    assert without.exit_code == 2
    assert "labels_missing" in without.stderr


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("split = 2012", "split = 2015", "years out of order"),
        ("out_of_range_share = 0.01", "out_of_range_share = 0.2", "at most 2 %"),
        ("[level]", "[levels]", "sections unknown or missing"),
        ('kind = "area_year"', 'kind = "plot"', "schema_version and kind"),
        ('name = "rain_all"', 'name = "rain_10"', "features stated twice"),
        ("decay = 0.9", "decay = 9", "level settings out of range"),
        ("dates = [[", "dates = [3, [", "areas.toml: \\[stages\\]"),
        ("[stages]\n", "[[stages]]\n", "areas.toml: \\[stages\\]"),
        ("[[features]]", "[features]", "areas.toml"),
    ],
)
def test_a_training_file_that_means_nothing_is_refused(tmp_path, was, becomes, said):
    path = tmp_path / "areas.toml"
    path.write_text(CONFIG.replace(was, becomes))
    with pytest.raises(InputUnusableError, match=said):
        read_area_training(path)


def test_a_year_without_labels_is_named(places, config):
    gap = write_folder(places / "gap", [year for year in range(2000, 2019) if year != 2009])
    with pytest.raises(InputUnusableError, match=r"no yield of winter_wheat in \[2009\]"):
        train(config, out=places / "gap_out", data=gap)


def test_two_yields_of_one_area_and_year_are_refused(places):
    twice = write_folder(places / "twice", [2015])
    labels = pd.read_parquet(twice / "labels.parquet")
    pd.concat([labels, labels.iloc[:1]]).to_parquet(twice / "labels.parquet")
    with pytest.raises(InputUnusableError, match="label_contradiction"):
        read_area_data(twice, crop="winter_wheat")


def test_a_folder_without_a_series_knows_no_feature(places, config):
    bare = write_folder(places / "bare", [2015])
    (bare / "series.parquet").unlink()
    features = read_area_training(config).features
    rows = area_rows(read_area_data(bare, crop="winter_wheat"), features=features, years=[2015])
    assert np.isnan(rows.features).all()


def test_a_crop_that_no_label_has_is_named(folder):
    with pytest.raises(InputUnusableError, match="labels_missing"):
        read_area_data(folder, crop="rice")
