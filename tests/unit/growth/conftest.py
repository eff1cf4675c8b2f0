from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agrocredit.growth import DailyForcing, SoilParameters, load_growth, load_optics

FACTS = Path(__file__).parents[3] / "data" / "facts"


@pytest.fixture(scope="session")
def growth_file():
    return FACTS / "growth.toml"


@pytest.fixture(scope="session")
def optics_file():
    return FACTS / "canopy.toml"


@pytest.fixture(scope="session")
def wheat(growth_file):
    return load_growth(growth_file)["winter_wheat"]


@pytest.fixture(scope="session")
def maize(growth_file):
    return load_growth(growth_file)["maize"]


@pytest.fixture(scope="session")
def optics(optics_file):
    return load_optics(optics_file)


@pytest.fixture(scope="session")
def winter():
    """A smooth year from September to July, temperate: 15 degrees mean, 12 of swing, a little rain every fifth day."""
    day = np.arange(300)
    season = np.cos(2 * np.pi * (day + 243 - 200) / 365)
    return DailyForcing(
        tmean_c=13.0 + 12.0 * season,
        prec_mm=np.where(day % 5 == 0, 9.0, 0.0),
        radiation_mj_m2=14.0 + 8.0 * season,
        et0_mm=2.6 + 2.2 * season,
    )


@pytest.fixture(scope="session")
def deep_soil():
    return SoilParameters(available_water_mm=200.0)
