"""Simulated seasons with known truth: a daily crop growth model and the reflectance of its canopy.

`simulate` grows many plots at once through a season of daily weather in the manner of SAFY (Duchemin et al. 2008,
doi:10.1016/j.envsoft.2007.10.003) with an FAO-56 soil water bucket; `canopy_reflectance` says what a satellite would
see of them. Parameters and leaf spectra are facts with sources, read by `load_growth` and `load_optics`.
The formulas, their sources and what is our own assumption stand in ``docs/method/growth.md``.
"""

from agrocredit.growth.canopy import canopy_reflectance
from agrocredit.growth.facts import CropGrowth, ParameterFact, load_growth
from agrocredit.growth.forcing import DailyForcing, forcing_from_table, stack_forcings
from agrocredit.growth.optics import CanopyOptics, load_optics
from agrocredit.growth.parameters import GrowthParameters, SoilParameters
from agrocredit.growth.sampling import sample_parameters, sample_soil
from agrocredit.growth.season import GrowthSeason, simulate

__all__ = [
    "CanopyOptics",
    "CropGrowth",
    "DailyForcing",
    "GrowthParameters",
    "GrowthSeason",
    "ParameterFact",
    "SoilParameters",
    "canopy_reflectance",
    "forcing_from_table",
    "load_growth",
    "load_optics",
    "sample_parameters",
    "sample_soil",
    "simulate",
    "stack_forcings",
]
