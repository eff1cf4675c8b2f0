"""An area release as the region's outlook of plots: it moves them where it answers, and leaves them alone elsewhere."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from agrocredit.cli.app import app
from agrocredit.store.observations import write_observations
from pipelines.area_outlooks import AreaSource
from pipelines.estimate import EstimateRequest, estimate
from pipelines.train_area import train_area

from .test_evaluate_areas import CONFIG, write_folder

INDICES = ("ndvi", "evi", "gndvi", "savi", "ndmi", "ndrei")
REGIONS = ("u03", "u11", "far", "nowhere")


def labelled(path, *, years=(2000, 2014)):
    """Write the made-up counties, of which 2014 was dry, and a far one with nine tonnes in every year."""
    folder = write_folder(path, years=years)
    labels = pd.read_parquet(folder / "labels.parquet")
    far = labels[labels["unit"] == "u03"].assign(unit="far", region="EAST", yield_t_ha=9.0)
    pd.concat([labels, far]).to_parquet(folder / "labels.parquet")
    return folder


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Give a folder with a release, labelled areas, a plot in each region, and a season of looks at them."""
    root = tmp_path_factory.mktemp("outlooks")
    folder = labelled(root / "areas")
    (root / "tiny.toml").write_text(CONFIG)
    train_area(
        root / "tiny.toml",
        out=root / "tiny",
        data=write_folder(root / "known", years=(2000, 2012)),
        progress=lambda *_: None,
    )
    features = [
        {
            "type": "Feature",
            "properties": {"id": region, "region": region},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [(west, 40.0), (west + 0.001, 40.0), (west + 0.001, 40.001), (west, 40.001), (west, 40.0)]
                ],
            },
        }
        for region, west in zip(REGIONS, (-100.0, -100.1, -100.2, -100.3), strict=True)
    ]
    (root / "plots.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    days = pd.date_range("2013-09-10", "2014-08-20", freq="8D", tz="UTC")
    height = 0.2 + 0.5 * np.exp(-(((np.arange(len(days)) / len(days) - 0.7) / 0.15) ** 2))
    rows = pd.DataFrame({"acquired_at": np.tile(days, len(REGIONS)), "plot_id": np.repeat(sorted(REGIONS), len(days))})
    rows["scene_id"] = "s" + rows["acquired_at"].dt.strftime("%Y%m%d")
    for place, name in enumerate(INDICES):
        rows[name] = np.tile(height * (1 - 0.1 * place), len(REGIONS))
    rows = rows.assign(valid_fraction=1.0, pixel_count=90.0).sort_values(["plot_id", "acquired_at"])
    columns = ["plot_id", "scene_id", "acquired_at", "valid_fraction", "pixel_count", *INDICES]
    write_observations([pa.Table.from_pandas(rows[columns], preserve_index=False)], root / "looks", manifest={})
    earlier = pd.read_parquet(folder / "labels.parquet").query("harvest_year < 2014").drop(columns="region")
    earlier.rename(columns={"unit": "region"}).to_csv(root / "history.csv", index=False)
    return root


def ask(work, tmp_path, *, areas="areas", **changes):
    request = EstimateRequest(
        observations=work / "looks",
        plots=work / "plots.geojson",
        crop="winter_wheat",
        harvest_year=2014,
        out=tmp_path / "estimates.parquet",
        as_of=date(2014, 8, 1),
        release="winter-wheat-simulated-1",
        history=work / "history.csv",
        areas=None if areas is None else AreaSource(release=str(work / "tiny"), data=work / areas),
    )
    summary = estimate(replace(request, **changes))
    return summary, pd.read_parquet(tmp_path / "estimates.parquet").set_index("plot_id")


def test_plots_of_areas_that_the_release_answers_for_come_nearer_to_what_these_brought_and_no_others_move(
    work, tmp_path
):
    summary, joined = ask(work, tmp_path)
    _, alone = ask(work, tmp_path, areas=None)
    assert (joined["status"] == "estimated").all()
    brought = pd.read_parquet(work / "areas" / "labels.parquet").query("harvest_year == 2014").set_index("unit")
    for unit in ("u03", "u11"):
        truth = brought.loc[unit, "yield_t_ha"]
        assert abs(joined.loc[unit, "q50"] - truth) < abs(alone.loc[unit, "q50"] - truth) - 0.1
    assert joined.loc["u03", "q50"] < alone.loc["u03", "q50"] - 0.5
    # The release has never met the far area, whose yields are beyond its own, and the folder does not know the last.
    pd.testing.assert_frame_equal(joined.loc[["far", "nowhere"]], alone.loc[["far", "nowhere"]])
    assert summary.facts["areas_abstained_because"] == {"out_of_distribution": 1}
    expected = {"plots_with_history": 3, "areas_answered": 2, "areas_abstained": 1}
    assert {name: summary.counts[name] for name in expected} == expected


def test_without_a_history_the_areas_outlook_narrows_the_interval(work, tmp_path):
    _, joined = ask(work, tmp_path, history=None)
    _, alone = ask(work, tmp_path, history=None, areas=None)
    ratio = (joined["q95"] / joined["q05"]) / (alone["q95"] / alone["q05"])
    assert (ratio[["u03", "u11"]] < 0.8).all()
    assert (ratio[["far", "nowhere"]] == 1.0).all()


def test_the_harvest_asked_about_and_weather_after_the_day_of_knowledge_change_nothing(work, tmp_path):
    other = labelled(tmp_path / "later")
    labels, series = (pd.read_parquet(other / f"{name}.parquet") for name in ("labels", "series"))
    labels.loc[labels["harvest_year"] == 2014, "yield_t_ha"] = 0.1
    labels.to_parquet(other / "labels.parquet")
    late = pd.to_datetime(series["date"]) > "2014-05-01"
    series.loc[late, "rain_sum_mm"] = 400.0
    series.to_parquet(other / "series.parquet")
    as_of = date(2014, 5, 1)
    _, one = ask(work, tmp_path, as_of=as_of)
    _, two = ask(work, tmp_path, as_of=as_of, areas=other)
    pd.testing.assert_frame_equal(one, two)


def test_what_moved_an_areas_outlook_stands_beside_what_moved_its_plots(work, tmp_path):
    ask(work, tmp_path, explain=tmp_path / "why.json")
    told = json.loads((tmp_path / "why.json").read_text())["areas"]
    assert set(told) == {"u03", "u11"}
    assert told["u03"][0]["what"] == "rain in May"
    assert told["u03"][0]["side"] == "lower"
    assert told["u03"][0]["moved_t_ha"] < 0


def test_the_command_asks_a_release_on_areas_and_neither_alone_is_enough(work, tmp_path):
    options = ["--observations", work / "looks", "--plots", work / "plots.geojson", "--crop", "winter_wheat"]
    options += ["--harvest-year", 2014, "--out", tmp_path / "e.parquet", "--release", "winter-wheat-simulated-1"]
    for lone in (["--areas", work / "areas"], ["--area-release", "wheat-us-county"]):
        run = CliRunner().invoke(app, ["estimate", *map(str, options + lone)])
        assert run.exit_code == 2
        assert "go together" in run.stderr
    run = CliRunner().invoke(
        app,
        [
            "estimate",
            *map(str, options),
            "--areas",
            str(work / "areas"),
            "--area-release",
            str(work / "tiny"),
            "--json",
        ],
    )
    assert json.loads(run.stdout)["counts"]["areas_answered"] == 2
