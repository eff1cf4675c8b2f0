"""The sample region, built small: what a lender would get, what is true of it, and that a seed means the same bytes."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely

from agrocredit.growth import SoilParameters, load_growth, simulate
from agrocredit.store.bundled import data_path
from agrocredit.weather import complete_weather, read_weather, water_balance
from pipelines.sample import build_sample, load_settings

SETTINGS_FILE = data_path("sample", "region.toml")


def small(**plots):
    settings = load_settings(SETTINGS_FILE)
    return replace(
        settings,
        place=replace(settings.place, pixels=128),
        season=replace(settings.season, pictures=6, overcast=1, history_years=3, history_plots=20),
        plots=replace(
            settings.plots,
            **{
                "count": 60,
                "not_fields": 3,
                "other_crop": 2,
                "overlapping": 4,
                "crossing": 2,
                "area_overstated": 4,
                "smallest": 4,
                **plots,
            },
        ),
    )


@pytest.fixture(scope="module")
def region(tmp_path_factory):
    return build_sample(tmp_path_factory.mktemp("sample") / "region", settings=small())


@pytest.fixture(scope="module")
def features(region):
    return json.loads(region.plots.read_text())["features"]


@pytest.fixture(scope="module")
def truth(region):
    return pd.read_parquet(region.truth).set_index("plot_id")


@pytest.fixture(scope="module")
def items(region):
    return json.loads(region.scenes.read_text())["features"]


def read(region, item, asset):
    with rasterio.open(region.scenes.parent / item["assets"][asset]["href"]) as source:
        return source.read(1), source.profile, source


def clearest(items, month):
    return min(
        (item for item in items if item["properties"]["datetime"][:7] == month),
        key=lambda item: item["properties"]["eo:cloud_cover"],
    )


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    def hashes(name, seed):
        folder = build_sample(tmp_path / name, seed=seed, settings=small()).folder
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    first, again, other = hashes("a", 1), hashes("b", 1), hashes("c", 2)
    assert first == again
    assert first["plots.geojson"] != other["plots.geojson"]
    assert len(first) > 40


def test_the_plots_are_those_wanted_with_their_oddities(features, truth):
    assert len(features) == 60
    assert len({feature["properties"]["id"] for feature in features}) == 60
    kinds = Counter(truth["kind"])
    assert kinds == {"plain": 49, "overlapping": 4, "crossing": 2, "not_a_field": 3, "other_crop": 2}
    crops = Counter(feature["properties"]["crop"] for feature in features)
    assert crops == {"winter_wheat": 58, "garlic": 2}


def test_only_the_crossing_rings_are_invalid(features, truth):
    shapes = {f["properties"]["id"]: shapely.from_geojson(json.dumps(f["geometry"])) for f in features}
    invalid = {plot for plot, shape in shapes.items() if not shape.is_valid}
    assert invalid == set(truth.index[truth["kind"] == "crossing"])
    assert all(shape.exterior.is_ccw for plot, shape in shapes.items() if plot not in invalid)


def test_some_plots_overlap_their_neighbours(features, truth):
    shapes = [shapely.from_geojson(json.dumps(f["geometry"])) for f in features]
    valid = [shape for shape in shapes if shape.is_valid]
    pairs = shapely.STRtree(valid).query(valid, predicate="overlaps")
    crowded = [(a, b) for a, b in pairs.T if a < b and valid[a].intersection(valid[b]).area > 0.02 * valid[a].area]
    assert crowded
    assert (truth["kind"] == "overlapping").sum() == 4


def test_some_areas_are_overstated_and_most_are_honest(features, truth):
    declared = pd.Series({f["properties"]["id"]: f["properties"]["declared_area_m2"] for f in features})
    ratio = declared / truth["area_m2"]
    assert (ratio > 1.15).sum() == 4
    assert (ratio.between(0.85, 1.15)).sum() == 56


def test_a_farmer_holds_one_to_four_plots_and_the_holdings_agree_with_the_plots(region, features):
    holdings = pd.read_csv(region.holdings)
    assert list(holdings.columns) == ["farmer_id", "plot_id", "tenure_share", "grade"]
    assert dict(zip(holdings["plot_id"], holdings["farmer_id"], strict=True)) == {
        f["properties"]["id"]: f["properties"]["farmer_id"] for f in features
    }
    assert set(Counter(holdings["farmer_id"]).values()) <= {1, 2, 3, 4}


def test_everything_says_that_it_is_simulated(region, features, items):
    assert region.folder.joinpath("README.txt").read_text().startswith("SIMULATED")
    assert all(feature["properties"]["simulated"] for feature in features)
    assert all("Simulated" in item["properties"]["description"] for item in items)
    assert pq.read_schema(region.truth).metadata[b"simulated"] == b"true"


def test_the_items_describe_the_files_that_lie_there(region, items):
    assert len(items) == 7  # six pictures, one of them in an older edition too
    for item in items:
        assert item["properties"]["s2:processing_baseline"] in {"05.10", "05.09"}
        for key, asset in item["assets"].items():
            path = region.scenes.parent / asset["href"]
            assert asset["href"].startswith("./")
            assert asset["file:checksum"] == "1220" + hashlib.sha256(path.read_bytes()).hexdigest()
            image, profile, source = read(region, item, key)
            assert list(image.shape) == asset["proj:shape"]
            assert list(source.transform)[:6] == asset["proj:transform"]
            assert profile["crs"].to_epsg() == 32650
            assert profile["dtype"] == ("uint8" if key == "SCL" else "uint16")
            assert profile["nodata"] == 0
            assert image.min() > 0


def test_fine_bands_have_10_m_and_the_others_20_m(items):
    assets = items[0]["assets"]
    assert {key: asset["gsd"] for key, asset in assets.items()} == {
        **dict.fromkeys(["B02", "B03", "B04", "B08"], 10.0),
        **dict.fromkeys(["B05", "B11", "SCL"], 20.0),
    }
    assert assets["B04"]["raster:bands"][0]["offset"] == -0.1


def test_the_files_are_cloud_optimised_and_compressed(region, items):
    with rasterio.open(region.scenes.parent / items[0]["assets"]["B04"]["href"]) as source:
        assert source.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert source.profile["compress"] == "deflate"


def test_the_older_edition_shows_the_same_picture(region, items):
    older = next(item for item in items if item["properties"]["s2:processing_baseline"] == "05.09")
    newer = next(
        item
        for item in items
        if item["properties"]["datetime"] == older["properties"]["datetime"] and item["id"] != older["id"]
    )
    assert newer["properties"]["s2:generation_time"] > older["properties"]["s2:generation_time"]
    assert np.array_equal(read(region, older, "B04")[0], read(region, newer, "B04")[0])


def test_an_overcast_picture_is_masked_throughout(region, items):
    overcast = next(item for item in items if item["properties"]["eo:cloud_cover"] == 100)
    assert np.isin(read(region, overcast, "SCL")[0], [8, 9]).all()
    assert (read(region, overcast, "B04")[0] * 1e-4 - 0.1).mean() > 0.35


def test_fields_green_up_while_what_is_no_field_stays_as_it_is(tmp_path):
    settings = small()
    settings = replace(settings, season=replace(settings.season, pictures=24, overcast=0))
    settings = replace(settings, sky=replace(settings.sky, clear_pictures=1.0))
    region = build_sample(tmp_path / "clear", settings=settings)
    items = json.loads(region.scenes.read_text())["features"]
    truth = pd.read_parquet(region.truth).set_index("plot_id")
    autumn, spring = clearest(items, "2023-10"), clearest(items, "2024-04")
    drawn = truth.index[truth["kind"] != "crossing"]
    rise = pd.Series({plot: _ndvi(region, spring, plot) - _ndvi(region, autumn, plot) for plot in drawn})
    truth = truth.loc[drawn]
    wheat = (truth["kind"] == "plain") & (truth["area_m2"] > 2000)
    assert rise[wheat].median() > 0.3
    assert rise[truth["kind"] == "not_a_field"].abs().max() < 0.15


def _ndvi(region, item, plot):
    features = json.loads(region.plots.read_text())["features"]
    shape = next(f["geometry"] for f in features if f["properties"]["id"] == plot)
    red, _, source = read(region, item, "B04")
    nir = read(region, item, "B08")[0]
    middle = shapely.centroid(shapely.from_geojson(json.dumps(shape)))
    (x,), (y,) = rasterio.warp.transform("EPSG:4326", source.crs, [middle.x], [middle.y])
    row, column = source.index(x, y)
    red, nir = (band[row, column] * 1e-4 - 0.1 for band in (red, nir))
    return (nir - red) / (nir + red)


def test_yields_vary_plausibly_and_only_where_the_crop_stands(truth):
    known = truth["yield_t_ha"].dropna()
    assert set(known.index) == set(truth.index[truth["kind"].isin(["plain", "overlapping", "crossing"])])
    assert 3 < known.mean() < 7.5
    assert known.min() > 0
    assert known.max() < 12
    assert known.std() > 0.6


def test_the_crop_is_sown_in_autumn_and_cut_by_early_summer(truth):
    fields = truth[truth["yield_t_ha"].notna()]
    assert fields["sowing_on"].min() >= date(2023, 10, 5)
    assert (fields["emergence_on"] > fields["sowing_on"]).all()
    assert (fields["harvest_on"] > fields["maturity_on"]).all()
    assert fields["harvest_on"].max() <= date(2024, 7, 15)


def test_the_weather_reads_back_and_the_history_is_of_earlier_years(region):
    weather = read_weather(region.weather)
    assert weather["date"].iloc[0] == pd.Timestamp("2023-09-01")
    assert not weather.isna().any().any()
    history = pd.read_csv(region.history)
    assert history["harvest_year"].tolist() == [2021, 2022, 2023]
    assert history["yield_t_ha"].between(1, 9).all()


def test_the_labelled_form_holds_each_known_plot_once(region, truth):
    labels = pd.read_parquet(region.labelled / "labels.parquet")
    static = pd.read_parquet(region.labelled / "static.parquet")
    known = truth.loc[truth["kind"] != "crossing", "yield_t_ha"].dropna()  # crossing rings cannot be observed
    assert labels.set_index("unit")["yield_t_ha"].to_dict() == known.to_dict()
    assert static["unit"].tolist() == labels["unit"].tolist()
    assert labels["latitude"].between(34.4, 34.6).all()


def test_the_growth_model_and_the_weather_room_keep_the_same_water_books(region):
    # A closed canopy: growth's bucket under FAO-56's transpiration equals the plain bucket with the crop's coefficient.
    weather = complete_weather(read_weather(region.weather), latitude_deg=34.5)
    facts = load_growth(data_path("facts", "growth.toml"))["winter_wheat"]
    crop = replace(facts.usual(), initial_biomass_g_m2=1000.0, senescence_rate_c_day=1e12, emergence_c_day=0.0)
    season = simulate(
        weather.iloc[:120],
        crop=crop,
        sowing_day=np.array([0]),
        soil=SoilParameters(available_water_mm=150.0, initial_depletion=0.0),
    )
    plain = water_balance(
        weather["prec_mm"].iloc[:120],
        et0_mm=weather["et0_mm"].iloc[:120],
        crop_coefficient=1.1,
        available_water_mm=150.0,
        depletion_fraction=0.55,
    )
    assert season.water_stress.min() < 0.8
    assert season.water_stress[0] == pytest.approx(plain["water_stress"].to_numpy(), abs=0.01)
