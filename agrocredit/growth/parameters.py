"""What a crop and its soil are to the growth model: one number each, or one a plot."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from agrocredit.domain.errors import InputUnusableError

FloatArray: TypeAlias = npt.NDArray[np.float64]
PerPlot: TypeAlias = float | FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthParameters:
    """Parameters of the growth model; every field is a number or an array of one number a plot, shape (N,).

    Thermal times count degrees C days above `temperature_min_c` since emergence, except where said otherwise.
    """

    light_use_efficiency_g_mj: PerPlot
    """ELUE: dry mass above ground a MJ of absorbed PAR, g/MJ, of a crop that lacks nothing but what nitrogen tells."""
    climatic_efficiency: PerPlot
    """Photosynthetically active share of global radiation."""
    extinction: PerPlot
    """k of Beer's law for PAR in the canopy."""
    specific_leaf_area_m2_g: PerPlot
    """Leaf area a gram of leaf."""
    initial_biomass_g_m2: PerPlot
    """Dry mass above ground at emergence."""
    emergence_c_day: PerPlot
    """Thermal time from sowing to emergence."""
    root_share_start: PerPlot
    """Share of new mass that seedlings send into roots beyond what the light use already leaves out; falls to none
    before the leaves are finished (`ROOTS_DONE` of `leaf_end_c_day`)."""
    leaf_share_start: PerPlot
    """1 - PLa: share of new mass that becomes leaf at emergence."""
    leaf_end_c_day: PerPlot
    """Thermal time at which no new mass becomes leaf; fixes PLb."""
    senescence_start_c_day: PerPlot
    """STT: thermal time at which leaves begin to die."""
    senescence_rate_c_day: PerPlot
    """RS: the larger, the slower leaves die."""
    maturity_c_day: PerPlot
    """Thermal time of ripeness: growth ends."""
    temperature_min_c: PerPlot
    temperature_opt_c: PerPlot
    temperature_max_c: PerPlot
    temperature_exponent: PerPlot
    """Exponent beta of the temperature function."""
    dormancy_low_c: PerPlot
    """Ten-day mean temperature at and below which the crop rests."""
    dormancy_high_c: PerPlot
    """Ten-day mean temperature from which the crop grows at its full rate."""
    grain_rate_per_day: PerPlot
    """Py: grain made a day after the end of leaf growth, as share of the standing dry mass."""
    harvest_index_max: PerPlot
    """Grain is never more than this share of the dry mass."""
    basal_crop_coefficient: PerPlot
    """Kcb of a full canopy (FAO-56)."""
    depletion_fraction: PerPlot
    """p: share of the available water that roots take without stress (FAO-56)."""
    nitrogen: PerPlot
    """Nitrogen supply relative to the need, 0 to 1: scales the light use and the chlorophyll."""
    harvested_fraction: PerPlot
    """Share of the grain that reaches the store after weeds, lodging and harvest losses, which no picture shows."""
    harvest_delay_days: PerPlot
    """Days from ripeness to harvest."""
    moisture_basis_percent: PerPlot
    """Moisture at which the yield is stated, percent of fresh weight."""

    def __post_init__(self) -> None:
        _check_finite(self)
        cardinal_ok = np.all(np.less(self.temperature_min_c, self.temperature_opt_c)) and np.all(
            np.less(self.temperature_opt_c, self.temperature_max_c)
        )
        stages_ok = np.all(np.less(self.leaf_end_c_day, self.maturity_c_day)) and np.all(
            np.less(self.senescence_start_c_day, self.maturity_c_day)
        )
        if not (cardinal_ok and stages_ok and np.all(np.less(self.dormancy_low_c, self.dormancy_high_c))):
            raise InputUnusableError(
                "growth_parameters_invalid", "cardinal temperatures, stages or dormancy limits are not in order"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SoilParameters:
    """The soil under a plot and its irrigation; every field a number or an array (N,)."""

    available_water_mm: PerPlot
    """TAW: water between field capacity and wilting point in the root zone."""
    initial_depletion: PerPlot = 0.3
    """Share of the available water missing on the first day, 0 to 1."""
    surface_water_mm: PerPlot = 20.0
    """TEW: water that can evaporate from the surface layer (FAO-56 table 19)."""
    surface_ready_mm: PerPlot = 8.0
    """REW: of which as fast as the air takes it."""
    irrigations: PerPlot = 0.0
    """How many times the plot may be irrigated."""
    irrigation_mm: PerPlot = 60.0
    """Water given each time."""
    irrigation_trigger: PerPlot = 0.6
    """Irrigated when this share of the available water is gone."""
    brightness: PerPlot = 1.0
    """Reflectance of the bare soil relative to the table's."""

    def __post_init__(self) -> None:
        _check_finite(self)
        if not np.all(np.greater(self.available_water_mm, 0)):
            raise InputUnusableError("growth_parameters_invalid", "available_water_mm must be above 0")


def _check_finite(record: GrowthParameters | SoilParameters) -> None:
    for field in fields(record):
        values = np.asarray(getattr(record, field.name), dtype=np.float64)
        negative = np.any(values < 0) and not field.name.endswith("_c")
        if values.ndim > 1 or not np.all(np.isfinite(values)) or negative:
            raise InputUnusableError(
                "growth_parameters_invalid",
                f"{field.name} has shape {values.shape}, range {values.min()} to {values.max()}; "
                "expected finite numbers of 0 or more, one or one a plot",
            )
