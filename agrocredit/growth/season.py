"""A season of many plots, day by day: light, warmth and water become leaves, straw and grain (after SAFY).

The state of all plots is a handful of arrays (N,); the only loop runs over days. Formulas: ``docs/method/growth.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from agrocredit.domain.errors import InputUnusableError
from agrocredit.growth.forcing import DailyForcing, forcing_from_table
from agrocredit.growth.soil_water import SoilWater, next_day, surface_wetness, water_stress
from agrocredit.growth.stress import temperature_stress, trailing_mean, wakefulness

if TYPE_CHECKING:
    import pandas as pd

    from agrocredit.growth.parameters import FloatArray, GrowthParameters, SoilParameters

STRAW_DECAY_PER_DAY = 0.004
"""Dead leaves fall and rot at this rate while they stand; our assumption."""
ROOTS_DONE = 0.4
"""Share of the leaves' thermal time after which no extra mass goes into roots; our reading of WOFOST's tables."""
REST_LEAF_LOSS_PER_DAY = 0.006
"""Share of the green leaves that die a day in full winter rest; our assumption."""
DROUGHT_LEAF_LOSS_PER_DAY = 0.03
"""Share of the green leaves that die a day at wilting point, less where water is less scarce; our assumption."""
STUBBLE_LAI = 0.3
"""Leaf area of straw that a harvest leaves; our assumption."""

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthSeason:
    """What grew: series (N, D) and results (N,). A day index counts from the forcing's first day; -1 means never."""

    green_lai: FloatArray
    """Green leaf area, m2/m2, (N, D)."""
    dead_lai: FloatArray
    """Dead leaf and straw area that still stands, m2/m2, (N, D)."""
    biomass_g_m2: FloatArray
    """Dry mass above ground, (N, D)."""
    thermal_time_c_day: FloatArray
    """Since emergence, (N, D)."""
    water_stress: FloatArray
    """Ks, 1 without stress, (N, D)."""
    surface_wetness: FloatArray
    """1 wet to 0 dry, (N, D)."""
    grain_g_m2: FloatArray
    """Dry grain at the end, before losses, (N,)."""
    yield_t_ha: FloatArray
    """Grain in store at the crop's moisture basis, (N,)."""
    emergence_day: IntArray
    maturity_day: IntArray
    harvest_day: IntArray

    @property
    def plots(self) -> int:
        """Number of plots N."""
        return int(self.green_lai.shape[0])


@dataclass(slots=True)
class _Stand:
    """The crop on all plots at the end of a day."""

    thermal_time: FloatArray
    since_sowing: FloatArray
    biomass: FloatArray
    green: FloatArray
    dead: FloatArray
    grain: FloatArray
    emergence: IntArray
    maturity: IntArray
    harvest: IntArray

    @classmethod
    def bare(cls, plots: int) -> _Stand:
        return cls(
            thermal_time=np.zeros(plots),
            since_sowing=np.zeros(plots),
            biomass=np.zeros(plots),
            green=np.zeros(plots),
            dead=np.zeros(plots),
            grain=np.zeros(plots),
            emergence=np.full(plots, -1, dtype=np.int64),
            maturity=np.full(plots, -1, dtype=np.int64),
            harvest=np.full(plots, -1, dtype=np.int64),
        )


def simulate(
    weather: pd.DataFrame | DailyForcing,
    *,
    crop: GrowthParameters,
    sowing_day: npt.ArrayLike,
    soil: SoilParameters,
) -> GrowthSeason:
    """Return the season of N plots under daily weather.

    Light use after SAFY (Duchemin et al. 2008, doi:10.1016/j.envsoft.2007.10.003) with the soil water of FAO-56
    (Allen et al. 1998) and a winter rest of our own; see ``docs/method/growth.md``.

    Parameters
    ----------
    weather : DataFrame or DailyForcing
        D days in order without gaps; a table for one place, or forcing of shape (D,) or (N, D).
    crop, soil : GrowthParameters, SoilParameters
        Each field one number or (N,).
    sowing_day : int array (N,)
        Day index of sowing, from 0; a plot with -1 stays bare.

    Raises
    ------
    InputUnusableError
        ``weather_gap``, ``weather_invalid``, ``column_missing``; ``growth_parameters_invalid`` if shapes do not fit.
    """
    forcing = weather if isinstance(weather, DailyForcing) else forcing_from_table(weather)
    sowing = _checked_sowing(sowing_day, days=forcing.days)
    series = {name: np.zeros((sowing.size, forcing.days)) for name in _SERIES}
    try:
        stand = _grow(forcing, crop=crop, soil=soil, sowing=sowing, series=series)
    except ValueError as error:
        raise InputUnusableError(
            "growth_parameters_invalid", f"parameters do not fit {sowing.size} plots: {error}"
        ) from error
    dry_share = 1 - np.asarray(crop.moisture_basis_percent) / 100
    return GrowthSeason(
        **series,
        grain_g_m2=stand.grain,
        yield_t_ha=stand.grain / 100 / dry_share * crop.harvested_fraction,
        emergence_day=stand.emergence,
        maturity_day=stand.maturity,
        harvest_day=stand.harvest,
    )


_SERIES = ("green_lai", "dead_lai", "biomass_g_m2", "thermal_time_c_day", "water_stress", "surface_wetness")


def _checked_sowing(sowing_day: npt.ArrayLike, *, days: int) -> IntArray:
    sowing = np.asarray(sowing_day)
    if sowing.ndim != 1 or sowing.size == 0 or not np.issubdtype(sowing.dtype, np.integer):
        raise InputUnusableError(
            "growth_parameters_invalid",
            f"sowing_day of shape {sowing.shape} and type {sowing.dtype}, expected int (N,)",
        )
    if sowing.min() < -1 or sowing.max() >= days:
        raise InputUnusableError(
            "growth_parameters_invalid", f"sowing_day {sowing.min()} to {sowing.max()}, expected -1 to {days - 1}"
        )
    return sowing.astype(np.int64)


def _grow(
    forcing: DailyForcing,
    *,
    crop: GrowthParameters,
    soil: SoilParameters,
    sowing: IntArray,
    series: dict[str, FloatArray],
) -> _Stand:
    stand, water = _Stand.bare(sowing.size), SoilWater.start(soil, sowing.size)
    recent_c = trailing_mean(forcing.tmean_c)
    for day in range(forcing.days):
        today_c = forcing.tmean_c[..., day]
        stress = water_stress(water, soil=soil, crop=crop)
        awake = wakefulness(recent_c[..., day], crop=crop)
        favour = temperature_stress(today_c, crop=crop) * awake * stress
        lost = DROUGHT_LEAF_LOSS_PER_DAY * (1 - stress) + REST_LEAF_LOSS_PER_DAY * (1 - awake)
        _develop(stand, day=day, tmean_c=today_c, sown=(sowing >= 0) & (sowing <= day), crop=crop)
        _add_mass(stand, radiation_mj_m2=forcing.radiation_mj_m2[..., day], favour=favour, lost=lost, crop=crop)
        _fill_grain(stand, stress=stress, crop=crop)
        _ripen(stand, day=day, crop=crop)
        growing = ((stand.emergence >= 0) & (stand.maturity < 0)).astype(np.float64)
        water = next_day(
            water,
            lai=stand.green,
            growing=growing,
            prec_mm=forcing.prec_mm[..., day],
            et0_mm=forcing.et0_mm[..., day],
            soil=soil,
            crop=crop,
        )
        series["green_lai"][:, day] = stand.green
        series["dead_lai"][:, day] = stand.dead
        series["biomass_g_m2"][:, day] = stand.biomass
        series["thermal_time_c_day"][:, day] = stand.thermal_time
        series["water_stress"][:, day] = stress
        series["surface_wetness"][:, day] = surface_wetness(water, soil=soil)
    return stand


def _develop(
    stand: _Stand, *, day: int, tmean_c: FloatArray, sown: npt.NDArray[np.bool_], crop: GrowthParameters
) -> None:
    """Let thermal time pass; seedlings appear with their first leaf area."""
    degrees = np.maximum(tmean_c - crop.temperature_min_c, 0.0)
    emerged = stand.emergence >= 0
    stand.thermal_time += np.where(emerged & (stand.maturity < 0), degrees, 0.0)
    stand.since_sowing += np.where(sown & ~emerged, degrees, 0.0)
    appears = sown & ~emerged & (stand.since_sowing >= crop.emergence_c_day)
    stand.emergence[appears] = day
    stand.biomass = np.where(appears, crop.initial_biomass_g_m2, stand.biomass)
    first_lai = np.asarray(crop.initial_biomass_g_m2) * crop.specific_leaf_area_m2_g
    stand.green = np.where(appears, first_lai, stand.green)


def _add_mass(
    stand: _Stand, *, radiation_mj_m2: FloatArray, favour: FloatArray, lost: FloatArray, crop: GrowthParameters
) -> None:
    """Turn light into mass, mass into leaves, and old, thirsty or frozen leaves into straw."""
    growing = (stand.emergence >= 0) & (stand.maturity < 0)
    absorbed_mj = crop.climatic_efficiency * radiation_mj_m2 * (1 - np.exp(-np.asarray(crop.extinction) * stand.green))
    roots_end = ROOTS_DONE * np.asarray(crop.leaf_end_c_day)
    above = 1 - np.asarray(crop.root_share_start) * np.maximum(1 - stand.thermal_time / roots_end, 0.0)
    made = growing * np.asarray(crop.light_use_efficiency_g_mj) * crop.nitrogen * absorbed_mj * favour * above
    past = np.maximum(stand.thermal_time - crop.senescence_start_c_day, 0.0)
    died = growing * stand.green * np.minimum(past / crop.senescence_rate_c_day + lost, 1.0)
    stand.biomass = stand.biomass + made
    stand.green = stand.green + made * _leaf_share(stand, crop) * crop.specific_leaf_area_m2_g - died
    stand.dead = stand.dead * (1 - STRAW_DECAY_PER_DAY) + died


def _leaf_share(stand: _Stand, crop: GrowthParameters) -> FloatArray:
    """Return the share of new mass that becomes leaf: 1 - PLa exp(PLb SMT), 0 from `leaf_end_c_day` on (SAFY)."""
    stalk_share = 1 - np.asarray(crop.leaf_share_start)
    return np.asarray(
        np.maximum(1 - stalk_share ** (1 - stand.thermal_time / crop.leaf_end_c_day), 0.0), dtype=np.float64
    )


def _fill_grain(stand: _Stand, *, stress: FloatArray, crop: GrowthParameters) -> None:
    """Add the day's grain: Py of the standing mass once leaves are finished (SAFY), less in drought."""
    filling = (stand.emergence >= 0) & (stand.maturity < 0) & (stand.thermal_time >= crop.leaf_end_c_day)
    grain = stand.grain + np.asarray(crop.grain_rate_per_day) * stand.biomass * np.sqrt(stress)
    stand.grain = np.where(filling, np.minimum(grain, crop.harvest_index_max * stand.biomass), stand.grain)


def _ripen(stand: _Stand, *, day: int, crop: GrowthParameters) -> None:
    """End growth at ripeness, and clear the field at harvest."""
    ripe = (stand.emergence >= 0) & (stand.maturity < 0) & (stand.thermal_time >= crop.maturity_c_day)
    stand.maturity[ripe] = day
    stand.dead = np.where(ripe, stand.dead + stand.green, stand.dead)
    stand.green = np.where(ripe, 0.0, stand.green)
    cut = (stand.maturity >= 0) & (stand.harvest < 0) & (day >= stand.maturity + crop.harvest_delay_days)
    stand.harvest[cut] = day
    stand.dead = np.where(cut, np.minimum(stand.dead, STUBBLE_LAI), stand.dead)
    stand.biomass = np.where(cut, 0.0, stand.biomass)
