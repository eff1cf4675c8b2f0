"""Plausible plots: management, varieties and soils drawn around the facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agrocredit.growth.parameters import GrowthParameters, SoilParameters

if TYPE_CHECKING:
    from agrocredit.growth.facts import CropGrowth, ParameterFact
    from agrocredit.growth.parameters import FloatArray

STAGES = ("leaf_end_c_day", "senescence_start_c_day", "maturity_c_day")

SOIL_WATER_MM = (90.0, 190.0, 280.0)
"""Available water of the root zone: 60 to 190 mm a metre (FAO-56, table 19) over 1.5 m of roots (table 22)."""
SOIL_BRIGHTNESS = (0.75, 1.0, 1.25)
"""Relative to the table's soil; our assumption."""
INITIAL_DEPLETION = (0.0, 0.25, 0.7)
"""Water missing on the first day; our assumption."""


def sample_parameters(crop: CropGrowth, n: int, rng: np.random.Generator) -> GrowthParameters:
    """Return parameters of `n` plots, each field of shape (n,), drawn from triangles between low, value and high.

    Every parameter is drawn on its own, in the order of their names; the `cycle` factor then scales all stages of a
    plot together, as an early or late variety does. Parameters whose range is a point do not vary.
    """
    drawn = {name: _triangular(fact, n, rng) for name, fact in sorted(crop.parameters.items())}
    cycle = _triangular(crop.cycle, n, rng)
    for stage in STAGES:
        drawn[stage] = drawn[stage] * cycle
    return GrowthParameters(**drawn)


def sample_soil(
    n: int, rng: np.random.Generator, *, irrigations_min: int = 0, irrigations_max: int = 0
) -> SoilParameters:
    """Return soils of `n` plots, each irrigated so many times at most, every number in the range as likely."""
    return SoilParameters(
        available_water_mm=rng.triangular(*SOIL_WATER_MM, size=n),
        initial_depletion=rng.triangular(*INITIAL_DEPLETION, size=n),
        brightness=rng.triangular(*SOIL_BRIGHTNESS, size=n),
        irrigations=rng.integers(irrigations_min, irrigations_max + 1, size=n).astype(np.float64),
    )


def _triangular(fact: ParameterFact, n: int, rng: np.random.Generator) -> FloatArray:
    if fact.low == fact.high:
        return np.full(n, fact.value)
    return rng.triangular(fact.low, fact.value, fact.high, size=n)
