"""From observations to features: smooth season curves with their gaps, and the dates and sums read off them.

Arrays and tables in, xarray and tables out: no file is opened, no clock is read, nothing is computed lazily.
`assemble_season` takes a table of observations, `assemble_arrays` plain arrays (simulated seasons); both run the same
code. ``docs/method/features.md`` gives every formula with its source.
"""

from __future__ import annotations

from agrocredit.features.arrays import SeasonArrays, assemble_arrays
from agrocredit.features.axis import StepAxis, calendar_axis, thermal_axis
from agrocredit.features.phenology import Thresholds, phenology
from agrocredit.features.season import assemble_season
from agrocredit.features.settings import Smoothing
from agrocredit.features.smoothing import whittaker_smooth

__all__ = [
    "SeasonArrays",
    "Smoothing",
    "StepAxis",
    "Thresholds",
    "assemble_arrays",
    "assemble_season",
    "calendar_axis",
    "phenology",
    "thermal_axis",
    "whittaker_smooth",
]
