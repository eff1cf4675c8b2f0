"""Simulated winter wheat beside leaf area measured on two Swiss fields; a check of plausibility, not a calibration."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agrocredit.growth import SoilParameters, load_growth, sample_parameters, sample_soil, simulate
from agrocredit.weather import complete_weather, read_weather

FACTS = Path(__file__).parents[2] / "data" / "facts" / "growth.toml"
SOWN = {"Altkloster": "2021-10-11", "Ruetteli": "2021-10-18"}
LATITUDE_DEG, ELEVATION_M = 47.48, 540.0


@pytest.fixture(scope="module")
def farm(shared):
    folder = shared / "imagery" / "ch_swissfuturefarm_2022"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    return folder


@pytest.fixture(scope="module")
def weather(farm):
    stem = "phenomen_swissfuturefarm_daily"
    files = [farm / "weather" / f"{stem}_{kind}_meteoswiss.txt" for kind in ("mean_temperature", "precipitation_sum")]
    return complete_weather(read_weather(files), latitude_deg=LATITUDE_DEG, elevation_m=ELEVATION_M)


@pytest.fixture(scope="module")
def measured(farm):
    features = json.loads((farm / "insitu" / "glai_2022.geojson").read_text())["features"]
    rows = [(f["properties"]["parcel"], f["properties"]["date"][:10], f["properties"]["lai"]) for f in features]
    table = pd.DataFrame(rows, columns=["parcel", "date", "lai"])
    return table.groupby(["parcel", "date"])["lai"].median().reset_index()


def test_leaf_area_of_two_fields_rises_peaks_and_falls_when_it_did(weather, measured):
    first = weather["date"].iloc[0]
    sowing = np.array([(pd.Timestamp(day) - first).days for day in SOWN.values()])
    season = simulate(
        weather,
        crop=load_growth(FACTS)["winter_wheat"].usual(),
        sowing_day=sowing,
        soil=SoilParameters(available_water_mm=190.0),
    )
    errors = []
    for row, parcel in enumerate(SOWN):
        truth = measured[measured["parcel"] == parcel]
        days = (pd.to_datetime(truth["date"]) - first).dt.days.to_numpy()
        simulated = season.green_lai[row, days]
        errors.append(simulated - truth["lai"].to_numpy())
        peak_days = [int(truth["lai"].to_numpy().argmax()), int(season.green_lai[row].argmax())]
        lag = peak_days[1] - int(days[peak_days[0]])
        r = np.corrcoef(simulated, truth["lai"])[0, 1]
        print(  # noqa: T201
            f"{parcel}: peak {season.green_lai[row].max():.2f} simulated, {truth['lai'].max():.2f} measured; "
            f"{lag:+d} days; r {r:.3f}; yield {season.yield_t_ha[row]:.1f} t/ha"
        )
        assert abs(season.green_lai[row].max() - truth["lai"].max()) < 2.0
        assert abs(lag) <= 21
        assert r > 0.85
    together = np.concatenate(errors)
    rmse = np.sqrt((together**2).mean())
    print(f"leaf area: rmse {rmse:.2f}, bias {together.mean():+.2f}, n {together.size}")  # noqa: T201
    assert rmse < 1.2


def test_the_fields_ripen_by_the_time_they_were_harvested(weather):
    # Harvested on 20 and 27 July 2022.
    first = weather["date"].iloc[0]
    sowing = np.array([(pd.Timestamp(day) - first).days for day in SOWN.values()])
    season = simulate(
        weather,
        crop=load_growth(FACTS)["winter_wheat"].usual(),
        sowing_day=sowing,
        soil=SoilParameters(available_water_mm=190.0),
    )
    ripe = [first + pd.Timedelta(days=int(day)) for day in season.maturity_day]
    print("ripe on", [f"{day:%Y-%m-%d}" for day in ripe])  # noqa: T201
    assert all(pd.Timestamp("2022-06-30") < day < pd.Timestamp("2022-07-27") for day in ripe)


def test_the_drawn_plots_hold_the_measured_leaf_area_between_them(weather, measured):
    rng = np.random.default_rng(7)
    crop = load_growth(FACTS)["winter_wheat"]
    season = simulate(
        weather, crop=sample_parameters(crop, 400, rng), sowing_day=rng.integers(5, 25, 400), soil=sample_soil(400, rng)
    )
    days = (pd.to_datetime(measured["date"]) - weather["date"].iloc[0]).dt.days.to_numpy()
    low, high = np.quantile(season.green_lai[:, days], [0.02, 0.98], axis=0)
    inside = (measured["lai"].to_numpy() >= low) & (measured["lai"].to_numpy() <= high)
    print(f"{inside.sum()} of {inside.size} measured medians within the middle 96 percent of drawn plots")  # noqa: T201
    assert inside.mean() > 0.75
