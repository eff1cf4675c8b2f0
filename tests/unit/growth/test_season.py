from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.growth import DailyForcing, SoilParameters, sample_parameters, sample_soil, simulate, stack_forcings

SOWN = np.array([38])


def grow(winter, wheat, deep_soil, **change):
    return simulate(winter, crop=replace(wheat.usual(), **change), sowing_day=SOWN, soil=deep_soil)


def test_a_wheat_season_runs_from_emergence_over_a_green_spring_to_a_dry_harvest(winter, wheat, deep_soil):
    season = grow(winter, wheat, deep_soil)
    emergence, maturity, harvest = (
        int(day[0]) for day in (season.emergence_day, season.maturity_day, season.harvest_day)
    )
    peak = int(season.green_lai[0].argmax())
    assert SOWN[0] < emergence < peak < maturity < harvest
    assert 200 < peak < 270  # late March to May
    assert 2.5 < season.green_lai.max() < 9
    assert season.green_lai[0, maturity] == 0
    assert 4 < season.yield_t_ha[0] < 10


def test_the_first_day_of_light_use_is_the_formula_by_hand(winter, wheat, deep_soil):
    crop = wheat.usual()
    season = grow(winter, wheat, deep_soil)
    day = int(season.emergence_day[0])
    lai = crop.initial_biomass_g_m2 * crop.specific_leaf_area_m2_g
    absorbed = 0.48 * winter.radiation_mj_m2[day] * (1 - np.exp(-0.5 * lai))
    warm = 1 - ((20 - winter.tmean_c[day]) / 20) ** 2
    made = 2.8 * 0.97 * absorbed * warm * 0.5  # half goes into roots; warm and moist: no rest, no thirst
    assert season.biomass_g_m2[0, day] == pytest.approx(crop.initial_biomass_g_m2 + made)
    assert season.green_lai[0, day] == pytest.approx(lai + made * 0.85 * 0.022)


def test_leaf_area_is_the_leaves_made_less_the_leaves_dead(winter, wheat, deep_soil):
    # Without decay of straw no leaf area would vanish; with it green and dead never exceed what was made.
    season = grow(winter, wheat, deep_soil)
    made = np.diff(season.biomass_g_m2[0]).clip(0).sum() * 0.022 + 0.1
    assert np.all(season.green_lai + season.dead_lai <= made)


def test_thermal_time_stands_still_in_frost_and_never_falls(winter, wheat, deep_soil):
    season = grow(winter, wheat, deep_soil)
    assert np.all(np.diff(season.thermal_time_c_day[0]) >= 0)
    frozen = np.flatnonzero(winter.tmean_c[1:] <= 0) + 1
    frozen = frozen[(frozen > season.emergence_day[0])]
    if frozen.size:
        assert np.all(np.diff(season.thermal_time_c_day[0])[frozen - 1] == 0)


def test_every_series_stays_in_its_range(winter, wheat):
    rng = np.random.default_rng(1)
    season = simulate(
        winter,
        crop=sample_parameters(wheat, 200, rng),
        sowing_day=rng.integers(30, 60, 200),
        soil=sample_soil(200, rng),
    )
    assert season.green_lai.shape == (200, winter.days)
    assert np.all((season.green_lai >= 0) & (season.dead_lai >= 0))
    assert np.all((season.water_stress >= 0) & (season.water_stress <= 1))
    assert np.all((season.surface_wetness >= 0) & (season.surface_wetness <= 1))
    assert np.all((season.yield_t_ha >= 0) & (season.yield_t_ha < 18))
    assert season.yield_t_ha.std() > 0.5


def test_grain_never_exceeds_the_harvest_index(winter, wheat, deep_soil):
    season = grow(winter, wheat, deep_soil, grain_rate_per_day=0.05, harvest_index_max=0.5)
    assert season.grain_g_m2[0] == pytest.approx(0.5 * season.biomass_g_m2.max(), rel=0.02)


def test_the_yield_is_dry_grain_at_the_moisture_basis_less_the_losses(winter, wheat, deep_soil):
    season = grow(winter, wheat, deep_soil, harvested_fraction=0.8)
    assert season.yield_t_ha[0] == pytest.approx(season.grain_g_m2[0] / 100 / 0.865 * 0.8)


def test_harvest_losses_leave_no_trace_in_the_canopy(winter, wheat, deep_soil):
    low, high = (grow(winter, wheat, deep_soil, harvested_fraction=share) for share in (0.6, 1.0))
    assert np.array_equal(low.green_lai, high.green_lai)
    assert low.yield_t_ha[0] < high.yield_t_ha[0]


@pytest.mark.parametrize("better", [{"nitrogen": 1.0}, {"light_use_efficiency_g_mj": 3.2}])
def test_a_better_fed_crop_has_more_leaves_and_more_grain(winter, wheat, deep_soil, better):
    usual, more = grow(winter, wheat, deep_soil), grow(winter, wheat, deep_soil, **better)
    assert more.green_lai.max() > usual.green_lai.max()
    assert more.yield_t_ha[0] > usual.yield_t_ha[0]


def test_drought_costs_leaves_and_grain_and_irrigation_brings_them_back(winter, wheat):
    dry = replace(winter, prec_mm=np.zeros(winter.days))
    crop = wheat.usual()

    def season(weather, irrigations):
        soil = SoilParameters(available_water_mm=120.0, irrigations=irrigations)
        return simulate(weather, crop=crop, sowing_day=SOWN, soil=soil)

    rainy, thirsty, watered = season(winter, 0.0), season(dry, 0.0), season(dry, 5.0)
    assert thirsty.water_stress.min() < 0.3
    assert thirsty.yield_t_ha[0] < 0.6 * rainy.yield_t_ha[0]
    assert watered.yield_t_ha[0] > thirsty.yield_t_ha[0] + 1


def test_later_sowing_emerges_and_ripens_later(winter, wheat, deep_soil):
    season = simulate(winter, crop=wheat.usual(), sowing_day=np.array([30, 42]), soil=deep_soil)
    assert season.emergence_day[0] < season.emergence_day[1]
    assert season.maturity_day[0] < season.maturity_day[1]


def test_plots_do_not_know_of_each_other(winter, wheat):
    rng = np.random.default_rng(3)
    crop, soil = sample_parameters(wheat, 5, rng), sample_soil(5, rng)
    together = simulate(winter, crop=crop, sowing_day=np.full(5, 40), soil=soil)

    def only(record, index):
        return replace(record, **{k: v[index : index + 1] for k, v in _arrays(record).items()})

    alone = simulate(winter, crop=only(crop, 2), sowing_day=np.array([40]), soil=only(soil, 2))
    assert np.array_equal(alone.green_lai[0], together.green_lai[2])
    assert alone.yield_t_ha[0] == together.yield_t_ha[2]


def _arrays(record):
    values = {name: getattr(record, name) for name in type(record).__dataclass_fields__}
    return {name: value for name, value in values.items() if np.ndim(value) == 1}


def test_a_place_a_plot_gives_the_same_as_each_place_alone(winter, wheat, deep_soil):
    cold = replace(winter, tmean_c=winter.tmean_c - 2)
    both = simulate(stack_forcings([winter, cold]), crop=wheat.usual(), sowing_day=np.array([38, 38]), soil=deep_soil)
    for row, forcing in enumerate((winter, cold)):
        alone = simulate(forcing, crop=wheat.usual(), sowing_day=SOWN, soil=deep_soil)
        assert np.array_equal(both.green_lai[row], alone.green_lai[0])


def test_a_plot_that_is_never_sown_stays_bare(winter, wheat, deep_soil):
    season = simulate(winter, crop=wheat.usual(), sowing_day=np.array([-1]), soil=deep_soil)
    assert not season.green_lai.any()
    assert season.yield_t_ha[0] == 0
    assert season.emergence_day[0] == season.maturity_day[0] == season.harvest_day[0] == -1


def test_a_season_cut_short_has_no_harvest_yet(winter, wheat, deep_soil):
    half = DailyForcing(**{name: getattr(winter, name)[:200] for name in type(winter).__dataclass_fields__})
    season = simulate(half, crop=wheat.usual(), sowing_day=SOWN, soil=deep_soil)
    assert season.maturity_day[0] == -1
    assert season.yield_t_ha[0] == 0


def test_maize_grows_through_a_summer(maize, deep_soil):
    day = np.arange(220)
    warm = DailyForcing(
        tmean_c=16 + 9 * np.sin(np.pi * day / 220),
        prec_mm=np.where(day % 4 == 0, 18.0, 0.0),
        radiation_mj_m2=np.full(220, 19.0),
        et0_mm=np.full(220, 4.0),
    )
    season = simulate(warm, crop=maize.usual(), sowing_day=np.array([20]), soil=deep_soil)
    assert 3 < season.green_lai.max() < 8
    assert 4 < season.yield_t_ha[0] < 14


def test_winter_rest_keeps_wheat_small_until_spring(winter, wheat, deep_soil):
    season = grow(winter, wheat, deep_soil)
    restless = grow(winter, wheat, deep_soil, dormancy_low_c=-40.0, dormancy_high_c=-30.0)
    midwinter = 150
    assert season.green_lai[0, midwinter] < restless.green_lai[0, midwinter]


def test_the_same_inputs_give_the_same_bytes(winter, wheat, deep_soil):
    first, second = grow(winter, wheat, deep_soil), grow(winter, wheat, deep_soil)
    assert first.green_lai.tobytes() == second.green_lai.tobytes()


@pytest.mark.parametrize(
    "sowing", [[], [[1]], [1.5], [300], [-2], ["a"]], ids=["none", "matrix", "float", "late", "early", "text"]
)
def test_impossible_sowing_days_are_refused(winter, wheat, deep_soil, sowing):
    with pytest.raises(InputUnusableError) as caught:
        simulate(winter, crop=wheat.usual(), sowing_day=np.array(sowing), soil=deep_soil)
    assert caught.value.code == "growth_parameters_invalid"


def test_parameters_of_another_number_of_plots_are_refused(winter, wheat, deep_soil):
    crop = replace(wheat.usual(), nitrogen=np.array([0.9, 0.8, 0.7]))
    with pytest.raises(InputUnusableError, match="do not fit 2 plots"):
        simulate(winter, crop=crop, sowing_day=np.array([30, 40]), soil=deep_soil)


def test_a_table_without_evapotranspiration_is_refused(wheat, deep_soil):
    table = pd.DataFrame({"tmean_c": [1.0], "prec_mm": [0.0], "radiation_mj_m2": [3.0]})
    with pytest.raises(InputUnusableError, match="et0_mm") as caught:
        simulate(table, crop=wheat.usual(), sowing_day=np.array([0]), soil=deep_soil)
    assert caught.value.code == "column_missing"


def test_a_day_without_weather_is_refused(winter):
    gap = winter.prec_mm.copy()
    gap[3] = np.nan
    with pytest.raises(InputUnusableError) as caught:
        replace(winter, prec_mm=gap)
    assert caught.value.code == "weather_gap"
