"""The soil water bucket under a growing canopy (FAO-56 chapters 7 and 8), one day for all plots.

It lives here and not in the weather room because each day's canopy decides the next day's water.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from agrocredit.growth.parameters import FloatArray, GrowthParameters, SoilParameters

BARE_COEFFICIENT = 0.15
"""Kc min: a dry soil without cover (FAO-56, eq. 97)."""
COVER_EXTINCTION = 0.7
"""Of cover with leaf area (FAO-56, eq. 97)."""
CEILING_COEFFICIENT = 1.2
"""Kc max: no surface evaporates more (FAO-56, eq. 72)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoilWater:
    """Water missing from a soil at the end of a day, each (N,)."""

    root_depletion_mm: FloatArray
    """Dr: missing below field capacity in the root zone."""
    surface_depletion_mm: FloatArray
    """De: missing in the surface layer."""
    irrigations_left: FloatArray

    @classmethod
    def start(cls, soil: SoilParameters, plots: int) -> SoilWater:
        """Return the water of the first morning."""
        share = np.broadcast_to(np.asarray(soil.initial_depletion, dtype=np.float64), plots)
        return cls(
            root_depletion_mm=share * soil.available_water_mm,
            surface_depletion_mm=share * soil.surface_water_mm,
            irrigations_left=np.array(np.broadcast_to(soil.irrigations, plots), dtype=np.float64),
        )


def water_stress(water: SoilWater, *, soil: SoilParameters, crop: GrowthParameters) -> FloatArray:
    """Return Ks, 1 while water is at hand, 0 at wilting point: Ks = (TAW - Dr) / ((1 - p) TAW) (FAO-56, eq. 84)."""
    left_mm = soil.available_water_mm - water.root_depletion_mm
    return np.asarray(
        np.clip(left_mm / ((1 - np.asarray(crop.depletion_fraction)) * soil.available_water_mm), 0.0, 1.0),
        dtype=np.float64,
    )


def surface_wetness(water: SoilWater, *, soil: SoilParameters) -> FloatArray:
    """Return 1 for a wet surface, 0 for a dry one."""
    return np.asarray(1 - np.minimum(water.surface_depletion_mm / soil.surface_water_mm, 1.0), dtype=np.float64)


def next_day(
    water: SoilWater,
    *,
    lai: FloatArray,
    growing: FloatArray,
    prec_mm: FloatArray,
    et0_mm: FloatArray,
    soil: SoilParameters,
    crop: GrowthParameters,
) -> SoilWater:
    """Return the water after one day (FAO-56, eq. 71, 74, 77, 85, 97).

    Kcb = Kcmin + (Kcb,full - Kcmin)(1 - exp(-0.7 LAI)); Ke = Kr (Kcmax - Kcb); water above field capacity drains.

    Parameters
    ----------
    lai, growing, prec_mm, et0_mm : arrays (N,)
        Green leaf area, 1 where a crop stands and may be irrigated, rain and reference evapotranspiration in mm.
    """
    cover = 1 - np.exp(-COVER_EXTINCTION * lai)
    basal = BARE_COEFFICIENT * (lai > 0) + (np.asarray(crop.basal_crop_coefficient) - BARE_COEFFICIENT) * cover
    drying = (soil.surface_water_mm - water.surface_depletion_mm) / (
        np.asarray(soil.surface_water_mm) - soil.surface_ready_mm
    )
    evaporation_mm = np.clip(drying, 0, 1) * np.maximum(CEILING_COEFFICIENT - basal, 0) * (1 - cover) * et0_mm
    transpiration_mm = water_stress(water, soil=soil, crop=crop) * basal * et0_mm
    thirsty = water.root_depletion_mm > np.asarray(soil.irrigation_trigger) * soil.available_water_mm
    irrigate = thirsty & (growing > 0) & (water.irrigations_left >= 1)
    received_mm = prec_mm + irrigate * np.asarray(soil.irrigation_mm)
    root_mm = water.root_depletion_mm - received_mm + evaporation_mm + transpiration_mm
    surface_mm = water.surface_depletion_mm - received_mm + evaporation_mm
    return SoilWater(
        root_depletion_mm=np.clip(root_mm, 0, soil.available_water_mm),
        surface_depletion_mm=np.clip(surface_mm, 0, soil.surface_water_mm),
        irrigations_left=water.irrigations_left - irrigate,
    )
