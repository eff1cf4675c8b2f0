"""Seasons with known yield for training: crops under real weather, seen through clouds, assembled as observed ones are.

Strategy: one piece of work is a harvest year and a season window, all regions at once: grow (growth), look
(`simulated_looks`), assemble (features), and turn into the network's inputs (yields) by the same functions that
`estimate` uses. Each season is assembled four times: in thermal and in calendar time, complete and as known on a random
day.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

from agrocredit.domain.crop import Season
from agrocredit.domain.errors import InputUnusableError
from agrocredit.features import assemble_arrays, calendar_axis, thermal_axis
from agrocredit.growth import (
    DailyForcing,
    GrowthParameters,
    SoilParameters,
    sample_parameters,
    sample_soil,
    simulate,
    stack_forcings,
)
from agrocredit.yields import SeasonInputs, array_inputs
from agrocredit.yields.inputs import STEPS
from pipelines.simulated_looks import LooksConfig, SimulatedLooks, simulate_looks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from agrocredit.growth import CanopyOptics, CropGrowth
    from agrocredit.indices import IndexDefinition
    from pipelines.region_weather import RegionWeather, WindowConfig

CLEAR_FRACTION_MIN = 0.5
"""As the features room counts clear observations."""

Drawn = TypeVar("Drawn", GrowthParameters, SoilParameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationConfig:
    """How many seasons, and how plots and regions vary around the facts of the crop."""

    seed: int
    regions: int
    plots: int
    """Plots a region and year."""
    regional_share: float
    """Share of a plot's parameters that is its region's: varieties, soils and means are alike among neighbours."""
    sowing_spread_days: float
    irrigations_max: int
    nitrogen: tuple[float, float]
    """Range of the regions' nitrogen supply relative to the need: poorer than the facts' farms, as smallholders are."""
    cover_low: float
    """Share of the ground that the patchiest stand of the worst region covers. Regions lie anywhere between that and
    full stands only; in each a full stand is the likeliest."""
    region_yield: tuple[float, float]
    """Range of what a region's farms bring home of the same canopy: old varieties, weeds that look like crop, losses.
    No picture shows it, the region's history does. Drawn from a triangle in the logarithm whose tip is at 1."""
    level_error: float
    """Relative error of the yield that a region's history lets one expect."""
    unseen_yield_cv: float
    """What takes or gives yield and leaves no trace in a picture: grain filling, pests, hail, harvest; relative."""
    as_of_min: float
    """Earliest share of the season at which training asks."""

    def __post_init__(self) -> None:
        if min(self.regions, self.plots) < 1 or not 0 <= self.regional_share <= 1 or not 0 < self.as_of_min < 1:
            raise InputUnusableError("config_invalid", f"settings of the simulation out of range: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSeasons:
    """Assembled seasons with their truth; arrays over n rows, several rows a season."""

    inputs: SeasonInputs
    """Without a regional level."""
    yields_t_ha: NDArray[np.float64]
    harvest_years: NDArray[np.int64]
    regions: NDArray[np.int64]
    """Number of the region."""
    observations: NDArray[np.int64]
    clear_observations: NDArray[np.int64]
    pixel_counts: NDArray[np.float64]
    complete: NDArray[np.bool_]
    """Whether the row knows its whole season."""
    ndvi_integral_days: NDArray[np.float64]
    """Integral of the NDVI curve over the season's days, for the baseline: index times days; NaN if not in days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """Grows and looks at the seasons of all regions of one window, year by year."""

    crop: CropGrowth
    optics: CanopyOptics
    indices: Sequence[IndexDefinition]
    simulation: SimulationConfig
    looks: LooksConfig
    window: WindowConfig
    regions: Sequence[RegionWeather]
    """Regions of this window, each with its own start."""
    thermal_total_c_day: float

    def run(self, harvest_year: int) -> SimulatedSeasons:
        """Return the seasons of one harvest year; the draws depend on nothing but seed, window and year."""
        rng = np.random.default_rng([self.simulation.seed, self.window.length_days, harvest_year])
        n = len(self.regions) * self.simulation.plots
        region_of = np.repeat(np.arange(len(self.regions)), self.simulation.plots)
        starts = [region.start_on(harvest_year, self.window.start) for region in self.regions]
        crop, soil = self._plots(region_of, rng)
        sowing = np.array([region.sowing_day for region in self.regions], dtype=np.float64)[region_of]
        sowing += self.simulation.sowing_spread_days * rng.standard_normal(n)
        grown = simulate(
            self._forcing(starts, region_of), crop=crop, soil=soil, sowing_day=np.clip(sowing, 0, 200).astype(np.int64)
        )
        cover = rng.triangular(self._cover_low()[region_of], 1.0, 1.0)
        looks = simulate_looks(
            grown,
            cover=cover,
            soil_brightness=np.asarray(soil.brightness),
            nitrogen=np.asarray(crop.nitrogen),
            optics=self.optics,
            indices=self.indices,
            config=self.looks,
            rng=rng,
        )
        spread = np.sqrt(np.log1p(self.simulation.unseen_yield_cv**2))
        unseen = np.exp(spread * rng.standard_normal(n) - spread**2 / 2)
        parts = list(self._views(looks, starts, region_of, harvest_year, rng))
        yields_t_ha = grown.yield_t_ha * cover * unseen * self._brought()[region_of]
        return _joined(parts, yields_t_ha, harvest_year, self._numbers()[region_of])

    def _region_draws(self, stream: int) -> np.random.Generator:
        """Return a generator that says the same of the regions in every year."""
        return np.random.default_rng([self.simulation.seed, self.window.length_days, stream])

    def _brought(self) -> NDArray[np.float64]:
        """Return what each region brings home of its canopy."""
        low, high = np.log(self.simulation.region_yield)
        return np.exp(self._region_draws(1).triangular(low, min(0.0, high), high, size=len(self.regions)))

    def _cover_low(self) -> NDArray[np.float64]:
        """Return how patchy each region's worst stand is."""
        return self._region_draws(2).uniform(self.simulation.cover_low, 0.98, size=len(self.regions))

    def _numbers(self) -> NDArray[np.int64]:
        return np.array([region.number for region in self.regions], dtype=np.int64)

    def _plots(self, region_of: NDArray[np.intp], rng: np.random.Generator) -> tuple[GrowthParameters, SoilParameters]:
        """Draw plots around their regions; a region is the same in every year."""
        own = np.random.default_rng([self.simulation.seed, self.window.length_days])
        share, n, regions = self.simulation.regional_share, region_of.size, len(self.regions)
        crop_of = sample_parameters(self.crop, regions, own)
        crop_of = replace(crop_of, nitrogen=own.uniform(*self.simulation.nitrogen, size=regions))
        soil_of = sample_soil(regions, own, irrigations_max=self.simulation.irrigations_max)
        crop = _towards(sample_parameters(self.crop, n, rng), crop_of, region_of, share)
        soil = _towards(sample_soil(n, rng), soil_of, region_of, share)
        return crop, replace(soil, irrigations=np.asarray(soil_of.irrigations)[region_of])

    def _forcing(self, starts: Sequence[date], region_of: NDArray[np.intp]) -> DailyForcing:
        pairs = zip(self.regions, starts, strict=True)
        whole = stack_forcings([region.forcing(start, self.window.length_days) for region, start in pairs])
        return DailyForcing(**{field.name: getattr(whole, field.name)[region_of] for field in fields(DailyForcing)})

    def _views(
        self,
        looks: SimulatedLooks,
        starts: Sequence[date],
        region_of: NDArray[np.intp],
        harvest_year: int,
        rng: np.random.Generator,
    ) -> Iterator[_View]:
        """Yield the seasons as known at harvest and on a random day, on both axes."""
        length = self.window.length_days
        for thermal in (True, False):
            for complete in (True, False):
                earliest = self.simulation.as_of_min
                share = np.ones(len(starts)) if complete else rng.uniform(earliest, 1.0, len(starts))
                until_day = np.floor(share * (length - 1) + 0.5)
                steps = np.stack(
                    [
                        self._step_days(region, start, harvest_year, int(day), thermal=thermal)
                        for region, start, day in zip(self.regions, starts, until_day, strict=True)
                    ]
                )
                yield self._view(looks, steps[region_of], until_day[region_of], thermal=thermal)

    def _step_days(
        self, region: RegionWeather, start: date, harvest_year: int, until_day: int, *, thermal: bool
    ) -> NDArray[np.float64]:
        end = start + timedelta(days=self.window.length_days)
        season = Season(harvest_year=harvest_year, start_on=start, end_on=end, harvest_from_on=end - timedelta(days=1))
        if not thermal:
            return calendar_axis(season, steps=STEPS).day
        reached = region.thermal_time(start, self.window.length_days)
        index = pd.DatetimeIndex(pd.date_range(start, periods=reached.size, freq="D"))
        return thermal_axis(
            season,
            thermal_time=pd.Series(reached, index=index),
            total_c_day=self.thermal_total_c_day,
            steps=STEPS,
            as_of=start + timedelta(days=until_day),
        ).day

    def _view(
        self, looks: SimulatedLooks, steps: NDArray[np.float64], until_day: NDArray[np.float64], *, thermal: bool
    ) -> _View:
        length = self.window.length_days
        names = [index.column for index in self.indices]
        arrays = assemble_arrays(
            looks.index_values,
            looks.weights,
            np.arange(length, dtype=np.float64),
            step_days=steps,
            length_days=length,
            until_day=until_day,
            guide=names.index("ndvi"),
        )
        inputs = array_inputs(
            arrays.curve,
            names,
            gap_days=arrays.gap_days,
            seen=arrays.seen,
            thermal=thermal,
            progress=until_day / length,
            pixel_counts=looks.pixel_counts,
        )
        known = np.arange(length)[None, :] <= until_day[:, None]
        clear = looks.weights >= CLEAR_FRACTION_MIN
        integral = np.nansum(arrays.curve[:, :, names.index("ndvi")], axis=1) * (length / STEPS)
        return _View(
            inputs=inputs,
            observations=(looks.touched & known).sum(axis=1),
            clear_observations=(clear & known).sum(axis=1),
            pixel_counts=looks.pixel_counts,
            complete=until_day >= length - 1,
            ndvi_integral_days=np.full(len(inputs), np.nan) if thermal else integral.astype(np.float64),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """All seasons of a piece of work, assembled one way."""

    inputs: SeasonInputs
    observations: NDArray[np.int64]
    clear_observations: NDArray[np.int64]
    pixel_counts: NDArray[np.float64]
    complete: NDArray[np.bool_]
    ndvi_integral_days: NDArray[np.float64]


def concatenate(parts: Sequence[SimulatedSeasons]) -> SimulatedSeasons:
    """Return the seasons of several pieces of work as one, in their order."""
    columns = [field.name for field in fields(SimulatedSeasons) if field.name != "inputs"]
    return SimulatedSeasons(
        inputs=_joined_inputs([part.inputs for part in parts]),
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in columns},
    )


def _joined(
    views: Sequence[_View], yields_t_ha: NDArray[np.float64], harvest_year: int, regions: NDArray[np.int64]
) -> SimulatedSeasons:
    n = len(views)
    columns = [field.name for field in fields(_View) if field.name != "inputs"]
    return SimulatedSeasons(
        inputs=_joined_inputs([view.inputs for view in views]),
        yields_t_ha=np.tile(yields_t_ha, n),
        harvest_years=np.full(n * yields_t_ha.size, harvest_year, dtype=np.int64),
        regions=np.tile(regions, n),
        **{name: np.concatenate([getattr(view, name) for view in views]) for name in columns},
    )


def _joined_inputs(parts: Sequence[SeasonInputs]) -> SeasonInputs:
    return SeasonInputs(
        steps=np.concatenate([part.steps for part in parts]), context=np.concatenate([part.context for part in parts])
    )


def _towards(plots: Drawn, regions: Drawn, region_of: NDArray[np.intp], share: float) -> Drawn:
    """Return plots drawn towards their regions: ``(1 - share) * own + share * region's``, field by field."""
    mixed = {}
    for field in fields(plots):
        own, region = (np.asarray(getattr(drawn, field.name), dtype=np.float64) for drawn in (plots, regions))
        mixed[field.name] = (1 - share) * own + share * np.broadcast_to(region, (region_of.max() + 1,))[region_of]
    return replace(plots, **mixed)
