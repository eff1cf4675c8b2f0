"""What grows on the fields: one simulated season for the pictures and the truth, and earlier years for the history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from agrocredit.growth import (
    CropGrowth,
    GrowthParameters,
    GrowthSeason,
    SoilParameters,
    sample_parameters,
    sample_soil,
    simulate,
)
from agrocredit.weather import complete_weather
from pipelines.sample.climate import simulate_weather
from pipelines.sample.land import Cover

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from pipelines.sample.settings import SampleSettings

GARLIC_VIGOUR = 0.45
"""Light use of the garlic fields relative to wheat; they are drawn as a weak winter crop, nothing more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cropping:
    """The season on all fields, in the order of the field pieces."""

    season: GrowthSeason
    crop: GrowthParameters
    soil: SoilParameters
    sowing_day: npt.NDArray[np.int64]
    first_on: date
    """The day that day index 0 means."""

    def on(self, day: int) -> date | None:
        """Return the date of a day index; None for -1, which means never."""
        return None if day < 0 else self.first_on + timedelta(days=int(day))


def grow_fields(
    covers: Sequence[Cover],
    *,
    facts: CropGrowth,
    weather: pd.DataFrame,
    settings: SampleSettings,
    latitude_deg: float,
    rng: np.random.Generator,
) -> Cropping:
    """Return the simulated season of every field: wheat, garlic as a weak winter crop, bare land unsown."""
    complete = complete_weather(weather, latitude_deg=latitude_deg, elevation_m=settings.place.elevation_m)
    crop, soil, sowing = _draw(
        len(covers), facts=facts, settings=settings, first_on=settings.season.weather_from, rng=rng
    )
    garlic = np.array([cover is Cover.GARLIC for cover in covers])
    bare = np.array([cover is Cover.BARE for cover in covers])
    crop = replace(
        crop, light_use_efficiency_g_mj=crop.light_use_efficiency_g_mj * np.where(garlic, GARLIC_VIGOUR, 1.0)
    )
    sowing = np.where(bare, -1, sowing)
    season = simulate(complete, crop=crop, sowing_day=sowing, soil=soil)
    return Cropping(season=season, crop=crop, soil=soil, sowing_day=sowing, first_on=settings.season.weather_from)


def simulate_history(
    settings: SampleSettings,
    *,
    facts: CropGrowth,
    latitude_deg: float,
    rng_of: Callable[[str], np.random.Generator],
) -> pd.DataFrame:
    """Return the region's mean yield of earlier years: other weather, other plots, the same model."""
    season = settings.season
    rows = []
    for harvest_year in range(season.harvest_year - season.history_years, season.harvest_year):
        rng = rng_of(f"history {harvest_year}")
        back = season.harvest_year - harvest_year
        first_on, end_on = (_years_back(day, back) for day in (season.weather_from, season.weather_to))
        weather = simulate_weather(
            settings.climate, start_on=first_on, end_on=end_on, latitude_deg=latitude_deg, rng=rng
        )
        complete = complete_weather(weather, latitude_deg=latitude_deg, elevation_m=settings.place.elevation_m)
        crop, soil, sowing = _draw(
            season.history_plots, facts=facts, settings=settings, first_on=season.weather_from, rng=rng
        )
        grown = simulate(complete, crop=crop, sowing_day=sowing, soil=soil)
        rows.append((settings.place.name, season.crop, harvest_year, round(float(grown.yield_t_ha.mean()), 3)))
    return pd.DataFrame(rows, columns=["region", "crop", "harvest_year", "yield_t_ha"])


def _years_back(day: date, years: int) -> date:
    return day.replace(year=day.year - years)


def _draw(
    n: int, *, facts: CropGrowth, settings: SampleSettings, first_on: date, rng: np.random.Generator
) -> tuple[GrowthParameters, SoilParameters, npt.NDArray[np.int64]]:
    crop = sample_parameters(facts, n, rng)
    soil = sample_soil(
        n, rng, irrigations_min=settings.plots.irrigations_min, irrigations_max=settings.plots.irrigations_max
    )
    earliest = (settings.season.sowing_from - first_on).days
    latest = (settings.season.sowing_to - first_on).days
    return crop, soil, rng.integers(earliest, latest + 1, size=n)
