"""A release is trained on a made-up climate, end to end, in seconds; then scored on labels of the same making."""

from __future__ import annotations

import json
import math
import tomllib
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agrocredit.domain.errors import InputUnusableError, WrongUsageError
from agrocredit.yields import load_release
from pipelines.area_training import is_area_training, read_area_training
from pipelines.evaluate import evaluate
from pipelines.train import train
from pipelines.training_config import read_training_file

FOLDER = Path(__file__).parents[2] / "pipelines" / "training"
SMALL = {
    "regions": 4,
    "plots": 8,
    "epochs": 2,
    "width": 4,
    "hidden": 8,
    "train": [2001, 2003],
    "calibrate": [2004, 2004],
    "test": [2005, 2005],
}


def small_config(folder, **changes):
    """The winter wheat file, but of a size that trains in seconds."""
    lines = []
    for line in (FOLDER / "winter_wheat.toml").read_text().splitlines():
        key = line.split("=")[0].strip()
        value = (SMALL | changes).get(key)
        lines.append(line if value is None else f"{key} = {json.dumps(value)}")
    path = folder / "small.toml"
    path.write_text("\n".join(lines))
    return path


def made_up_weather(folder):
    """Five places with a yearly wave of temperature and rain in showers, 2000 to 2005."""
    days = pd.date_range("2000-01-01", "2005-12-31")
    season = np.cos(2 * np.pi * (days.day_of_year - 200) / 365.25)
    rng = np.random.default_rng(1)
    parts = []
    for place in range(5):
        mean = 10 + place + 11 * season + 3 * rng.standard_normal(days.size)
        parts.append(
            pd.DataFrame(
                {
                    "county_fips": f"0800{place}",
                    "date": days,
                    "t2m_c": mean.astype(np.float32),
                    "tmax_c": (mean + 6).astype(np.float32),
                    "tmin_c": (mean - 6).astype(np.float32),
                    "prec_mm": np.where(rng.random(days.size) < 0.25, 8.0, 0.0).astype(np.float32),
                }
            )
        )
    (folder / "daily_weather_2000_2020").mkdir(parents=True)
    pd.concat(parts).to_parquet(folder / "daily_weather_2000_2020" / "state_08.parquet")
    places = pd.DataFrame({"county_fips": [8000, 8001, 8002, 8003, 8004], "county_lat": [38, 39, 40, 41, 42]})
    places.to_csv(folder / "yield_2000_2020.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def weather(tmp_path_factory):
    return made_up_weather(tmp_path_factory.mktemp("weather"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory, weather):
    folder = tmp_path_factory.mktemp("models")
    told = []
    summary = train(
        small_config(folder),
        out=folder / "small-1",
        weather_folder=weather,
        progress=lambda stage, done, total: told.append((stage, done, total)),
    )
    return folder / "small-1", summary, told


def test_training_writes_a_release_that_loads_with_its_scores_and_card(trained):
    folder, summary, told = trained
    release = load_release(folder)
    assert release.facts.name == "small-1"
    assert release.facts.crop == "winter_wheat"
    assert release.calibration.years == (2004,)
    scores = json.loads((folder / "scores.json").read_text())
    assert scores["test_years"] == [2005]
    assert scores == summary.facts["scores"]
    model, mean = scores["complete"]["model alone, calendar"], scores["complete"]["regional mean"]
    assert model["n"] > 15
    assert model["n"] == mean["n"]
    assert summary.counts == {"train": 3 * 128, "calibrate": 128, "test": 128}
    assert ("epochs", 2, 2) in told


def test_the_card_says_what_it_learnt_from_and_what_it_was_not_tested_on(trained):
    folder, _, _ = trained
    card = (folder / "card.md").read_text()
    assert "NASA POWER" in card
    assert "Licence" in card
    assert "No real plot yield stands behind any figure" in card
    figure = json.loads((folder / "scores.json").read_text())["complete"]["model alone, calendar"]["rmse_t_ha"]
    assert f"{figure:.3f}" in card


def test_the_training_file_stands_in_the_release(trained, tmp_path):
    folder, _, _ = trained
    stated = tomllib.loads((folder / "model.toml").read_text())["training"]["file"]
    assert stated == small_config(tmp_path).read_text()


def test_training_again_gives_the_same_bytes(trained, tmp_path, weather):
    folder, _, _ = trained
    train(small_config(tmp_path), out=tmp_path / "small-1", weather_folder=weather)
    for path in sorted(folder.iterdir()):
        assert (tmp_path / "small-1" / path.name).read_bytes() == path.read_bytes(), path.name


def test_no_year_serves_two_purposes(tmp_path):
    with pytest.raises(InputUnusableError, match="config_invalid"):
        read_training_file(small_config(tmp_path, calibrate=[2003, 2004]))
    with pytest.raises(InputUnusableError, match="config_invalid"):
        read_training_file(small_config(tmp_path, test=[2004, 2005]))


def test_the_training_files_that_ship_can_be_read():
    paths = sorted(FOLDER.glob("*.toml"))
    areas = [path for path in paths if is_area_training(path)]
    assert {read_area_training(path).data.crop for path in areas} == {"winter_wheat", "rice", "soybean"}
    of_plots = {read_training_file(path).season.crop for path in paths if path not in areas}
    assert of_plots == {"winter_wheat", "maize"}


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda text: text.replace("[split]", "[splits]"), "splits"),
        (lambda text: text.replace("seed = 7", "seeds = 7"), "seeds"),
        (lambda text: text.replace("schema_version = 1", "schema_version = 2"), "schema_version"),
        (lambda text: text.replace("[network]", "[network"), "small.toml"),
        (lambda text: text.replace("gap_share = 0.4", "gap_share = 4"), "out of range"),
    ],
)
def test_a_training_file_with_a_mistake_is_refused_and_says_where(tmp_path, break_it, says):
    path = small_config(tmp_path)
    path.write_text(break_it(path.read_text()))
    with pytest.raises(InputUnusableError, match="config_invalid") as raised:
        read_training_file(path)
    assert says in raised.value.detail


def test_training_without_weather_says_what_it_needs_and_writes_nothing(tmp_path):
    with pytest.raises(WrongUsageError, match="weather_missing"):
        train(small_config(tmp_path), out=tmp_path / "small-1")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputUnusableError, match="weather_unreadable"):
        train(small_config(tmp_path), out=tmp_path / "small-1", weather_folder=tmp_path / "empty")
    assert not (tmp_path / "small-1").exists()


def test_more_regions_than_places_are_refused(tmp_path, weather):
    with pytest.raises(InputUnusableError, match="5 places with weather, expected 6 or more"):
        train(small_config(tmp_path, regions=6), out=tmp_path / "small-1", weather_folder=weather)


def labelled_folder(folder, *, years=(2020, 2021), units=20):
    """Units whose curve is a bell as high as their yield, seen every 8 days, in two regions with a history."""
    rng = np.random.default_rng(3)
    labels, series = [], []
    for year in years:
        for unit in range(units):
            yield_t_ha = rng.uniform(1.5, 6.0)
            labels.append(
                {
                    "unit": f"u{unit}",
                    "region": "north" if unit % 2 else "south",
                    "crop": "wheat",
                    "harvest_year": year,
                    "yield_t_ha": yield_t_ha,
                    "longitude": 9.0,
                    "latitude": 47.0,
                }
            )
            for day in range(30, 360, 8):
                ndvi = 0.18 + 0.11 * yield_t_ha * math.exp(-(((day - 255) / 45) ** 2))
                series.append(
                    {
                        "unit": f"u{unit}",
                        "year": year,
                        "date": date.fromordinal(date(year - 1, 9, 1).toordinal() + day),
                        **dict.fromkeys(("ndvi", "evi", "gndvi", "savi", "ndmi", "ndrei"), ndvi),
                        "valid_fraction": 1.0,
                        "pixel_count": 60.0,
                    }
                )
    folder.mkdir(exist_ok=True)
    pd.DataFrame(labels).to_parquet(folder / "labels.parquet")
    pd.DataFrame(series).to_parquet(folder / "series.parquet")
    pd.DataFrame({"unit": [f"u{k}" for k in range(units)], "area_m2": 6000.0}).to_parquet(folder / "static.parquet")
    history = [
        {"region": region, "crop": "winter_wheat", "harvest_year": year, "yield_t_ha": 3.5 + 0.1 * (year % 3)}
        for region in ("north", "south")
        for year in range(2008, 2020)
    ]
    pd.DataFrame(history).to_csv(folder / "history.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def lenient(trained, tmp_path_factory):
    """The small release, but one that answers for the made-up bells, too."""
    from agrocredit.yields import manifest

    folder = tmp_path_factory.mktemp("lenient") / "small-1"
    folder.mkdir()
    files = {path.name: path.read_bytes() for path in trained[0].iterdir() if not path.name.startswith(".")}
    text = json.loads(files["calibration.json"])
    text["training_range"]["tail"] = 0.0
    files["calibration.json"] = json.dumps(text).encode()
    facts = load_release(trained[0]).facts
    for name, data in {**files, "model.toml": manifest(facts, files, training="")}.items():
        (folder / name).write_bytes(data)
    return folder


def test_evaluate_prints_the_figures_beside_their_baselines(lenient, tmp_path):
    summary = evaluate(str(lenient), data=labelled_folder(tmp_path / "data"))
    facts = summary.facts
    figures = ("n", "rmse_t_ha", "nrmse", "r2", "pinball", "coverage90", "width90_t_ha", "coverage80", "abstained")
    assert all(name in facts for name in figures)
    assert facts["n"] + facts["abstained"] == 40
    assert facts["n"] > 20
    assert set(facts["by_year"]) == {"2020", "2021"}
    assert set(facts["by_region"]) == {"north", "south"}
    assert set(facts["by_crop"]) == {"winter_wheat"}
    of_other_rows = {"region_alone", "regional_mean", "ndvi_integral"}
    of_earlier_years = {"climatology", "mean", "pooled_trend", "county_trend", "ridge", "gradient_boosting"}
    assert set(facts["baselines"]) == of_other_rows | of_earlier_years
    # One year before the last is no history to speak of.
    assert {facts["baselines"][name]["n"] for name in of_earlier_years} == {0}
    assert facts["baselines"]["region_alone"]["n"] == facts["n"]
    # On bells whose area is the yield, a ruler is nearly perfect: the baseline is not made of straw.
    assert facts["baselines"]["ndvi_integral"]["r2"] > 0.9
    assert facts["baselines"]["regional_mean"]["r2"] < 0.2
    json.dumps(summary.as_dict(), allow_nan=False)


def test_evaluate_keeps_to_the_years_asked_for_and_is_the_same_twice(lenient, tmp_path):
    data = labelled_folder(tmp_path / "data")
    one, two = (evaluate(str(lenient), data=data, years=(2021, 2021)).as_dict() for _ in range(2))
    assert set(one["by_year"]) == {"2021"}
    assert one == two


def test_a_folder_without_labels_of_the_crop_is_refused(lenient, tmp_path):
    data = labelled_folder(tmp_path / "data")
    with pytest.raises(InputUnusableError, match="labels_missing"):
        evaluate(str(lenient), data=data, years=(1990, 1991))
    labels = pd.read_parquet(data / "labels.parquet")
    labels.assign(crop="rice").to_parquet(data / "labels.parquet")
    with pytest.raises(InputUnusableError, match="labels_missing"):
        evaluate(str(lenient), data=data)
    labels.drop(columns="region").to_parquet(data / "labels.parquet")
    with pytest.raises(InputUnusableError, match="column_missing"):
        evaluate(str(lenient), data=data)
    (data / "labels.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(InputUnusableError, match="labels_unreadable"):
        evaluate(str(lenient), data=data)


def test_places_without_a_calendar_abstain(lenient, tmp_path):
    data = labelled_folder(tmp_path / "data")
    labels = pd.read_parquet(data / "labels.parquet")
    labels.assign(latitude=0.0).to_parquet(data / "labels.parquet")
    facts = evaluate(str(lenient), data=data).facts
    assert facts["n"] == 0
    assert facts["abstained_because"] == {"crop_unknown": 40}
    assert {line["n"] for line in facts["baselines"].values()} == {0}
