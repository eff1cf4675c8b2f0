"""Training seasons: nothing known later may enter, levels come from other years, looks are what their settings say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agrocredit.growth import load_growth, load_optics
from agrocredit.indices import load_indices
from agrocredit.store.bundled import data_path
from agrocredit.weather import check_weather
from agrocredit.yields.inputs import CONTEXT_INPUTS
from pipelines.learn_release import region_levels
from pipelines.region_weather import as_region
from pipelines.simulated_looks import simulate_looks
from pipelines.simulated_seasons import SimulatedSeasons, Simulator, concatenate
from pipelines.training_config import read_training_file

FILE = read_training_file(Path(__file__).parents[2] / "pipelines" / "training" / "winter_wheat.toml")


def station(warmth):
    days = pd.date_range("2000-01-01", "2003-12-31")
    mean = warmth + 10 * np.cos(2 * np.pi * (days.day_of_year - 200) / 365.25)
    table = pd.DataFrame(
        {
            "date": days,
            "tmin_c": mean - 5,
            "tmax_c": mean + 5,
            "tmean_c": mean,
            "prec_mm": 6.0 * (np.arange(days.size) % 4 == 0),
        }
    )
    daily = check_weather(table)
    daily.attrs["latitude_deg"] = 40.0
    return daily


@pytest.fixture(scope="module")
def simulator():
    window = FILE.windows[1]
    regions = [
        as_region(number, f"place {number}", station(9 + number), window=window, base_temperature_c=0.0, seed=1)
        for number in range(3)
    ]
    return Simulator(
        crop=load_growth(data_path("facts", "growth.toml"))["winter_wheat"],
        optics=load_optics(data_path("facts", "canopy.toml")),
        indices=load_indices(FILE.season.indices),
        simulation=replace(FILE.simulation, plots=10),
        looks=FILE.looks,
        window=window,
        regions=regions,
        thermal_total_c_day=FILE.season.thermal_total_c_day,
    )


@pytest.fixture(scope="module")
def seasons(simulator):
    return simulator.run(2002)


def column(seasons, name):
    return seasons.inputs.context[:, CONTEXT_INPUTS.index(name)]


def test_each_season_is_seen_four_ways_with_one_truth(seasons):
    assert len(seasons.inputs) == 4 * 30
    views = seasons.yields_t_ha.reshape(4, 30)
    assert (views == views[0]).all()
    assert np.unique(column(seasons, "thermal").reshape(4, 30), axis=1).ravel().tolist() == [1, 1, 0, 0]
    complete = seasons.complete.reshape(4, 30)
    assert complete[[0, 2]].all()
    assert not complete[[1, 3]].all()
    assert (column(seasons, "progress") >= FILE.simulation.as_of_min - 0.01).all()


def test_a_year_is_the_same_again_and_another_year_is_not(simulator, seasons):
    again, other = simulator.run(2002), simulator.run(2003)
    assert np.array_equal(again.inputs.steps, seasons.inputs.steps)
    assert np.array_equal(again.yields_t_ha, seasons.yields_t_ha)
    assert not np.array_equal(other.yields_t_ha, seasons.yields_t_ha)


def test_what_is_seen_after_the_day_of_knowledge_changes_no_input(simulator):
    from agrocredit.domain.crop import Season
    from agrocredit.features import calendar_axis

    n, length = 12, simulator.window.length_days
    rng = np.random.default_rng(1)
    start = date(2001, 9, 1)
    season = Season(
        harvest_year=2002,
        start_on=start,
        end_on=start + timedelta(days=length),
        harvest_from_on=start + timedelta(days=300),
    )
    steps = np.tile(calendar_axis(season, steps=36).day, (n, 1))
    until = rng.integers(120, 340, n).astype(float)
    looks = _looks(n, length, rng)
    later = looks.index_values.copy()
    after = np.arange(length)[None, :] > until[:, None]
    later[after] = rng.uniform(-1, 1, later[after].shape)
    one, two = (
        simulator._view(replace(looks, index_values=values), steps, until, thermal=False).inputs
        for values in (looks.index_values, later)
    )
    assert np.array_equal(one.steps, two.steps)
    assert np.array_equal(one.context, two.context)


def _looks(n, days, rng):
    from pipelines.simulated_looks import SimulatedLooks

    seen = rng.random((n, days)) < 0.15
    return SimulatedLooks(
        index_values=rng.uniform(0.2, 0.8, (n, days, 6)),
        weights=seen * 1.0,
        touched=seen,
        pixel_counts=np.full(n, 50.0),
    )


def test_a_regions_level_is_the_mean_of_its_other_years(seasons):
    def rows(region, year, yields):
        part = np.arange(len(yields))
        return SimulatedSeasons(
            inputs=seasons.inputs.take(part),
            yields_t_ha=np.array(yields, dtype=float),
            harvest_years=np.full(part.size, year),
            regions=np.full(part.size, region),
            observations=part,
            clear_observations=part,
            pixel_counts=part * 1.0,
            complete=part >= 0,
            ndvi_integral_days=part * 1.0,
        )

    known = concatenate([rows(1, 2001, [2, 4]), rows(1, 2002, [5]), rows(2, 2001, [9]), rows(2, 2002, [7, 7])])
    assert region_levels(known, error=0.0, seed=1) == pytest.approx([5, 5, 3, 7, 9, 9])
    assert region_levels(known, error=0.0, seed=1, of=rows(1, 2010, [0])) == pytest.approx([11 / 3])
    noisy = region_levels(known, error=0.2, seed=1)
    assert noisy[0] == noisy[1] != pytest.approx(5)


class Bare:
    """A field where nothing ever grew."""

    green_lai = dead_lai = surface_wetness = np.zeros((400, 200))
    water_stress = np.ones((400, 200))


def look_at_soil(**changes):
    quiet = {
        "band_gain_spread": 0.0,
        "band_offset_spread": 0.0,
        "look_gain_spread": 0.0,
        "band_noise": 0.0,
        "missed_cloud_share": 0.0,
    }
    return simulate_looks(
        Bare(),
        cover=np.ones(400),
        soil_brightness=np.ones(400),
        nitrogen=np.ones(400),
        optics=load_optics(data_path("facts", "canopy.toml")),
        indices=load_indices(["NDVI"]),
        config=replace(FILE.looks, **(quiet | changes)),
        rng=np.random.default_rng(1),
    )


def test_without_errors_bare_soil_is_bare_soil_on_every_day():
    ndvi = look_at_soil(nir08_share=0.0).index_values
    soil = load_optics(data_path("facts", "canopy.toml")).bands
    expected = (soil["nir"].soil_dry - soil["red"].soil_dry) / (soil["nir"].soil_dry + soil["red"].soil_dry)
    assert ndvi == pytest.approx(np.full(ndvi.shape, expected))


def test_looks_come_as_often_as_the_settings_say():
    always = {"late_start_share": 0.0, "gap_share": 0.0, "clear_share": (0.5, 0.5), "partial_share": 0.0}
    looks = look_at_soil(revisit_days=(5,), revisit_shares=(1.0,), **always)
    assert looks.touched.sum(axis=1) == pytest.approx(np.full(400, 40))
    assert looks.weights[looks.touched].mean() == pytest.approx(0.5, abs=0.02)
    assert not looks.weights[~looks.touched].any()
    assert ((looks.pixel_counts >= 2) & (looks.pixel_counts <= 500)).all()


def test_a_late_start_and_a_gap_leave_days_without_any_look():
    late = look_at_soil(revisit_days=(1,), revisit_shares=(1.0,), late_start_share=1.0, gap_share=0.0)
    first = late.touched.argmax(axis=1)
    assert 0 < np.median(first) < 0.6 * 200
    gap = look_at_soil(revisit_days=(1,), revisit_shares=(1.0,), late_start_share=0.0, gap_share=1.0, gap_days=(20, 21))
    assert (~gap.touched).sum(axis=1).max() == 20
