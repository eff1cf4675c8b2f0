"""Areas by hand: histories as tables of unit to year to yield (a unit's first letter is its region), small releases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agrocredit.domain.estimate import QUANTILE_LEVELS
from agrocredit.yields.area.calibration import AreaCalibration
from agrocredit.yields.area.features import FeatureConfig, feature_names
from agrocredit.yields.area.history import AreaHistory
from agrocredit.yields.area.levels import LevelConfig
from agrocredit.yields.area.network import AreaNetwork, AreaNetworkConfig
from agrocredit.yields.area.normals import fit_normals
from agrocredit.yields.area.packing import area_manifest, area_release_files
from agrocredit.yields.area.release import AreaFacts, AreaRelease, SeasonStages
from agrocredit.yields.area.rows import AreaRows
from agrocredit.yields.area.training import AreaTrainingConfig, fit_area

FEATURES = (
    FeatureConfig(name="rain", variable="rain_sum_mm", months=(4, 5)),
    FeatureConfig(name="heat", variable="t_max_c", statistic="excess", threshold=30.0, months=(6,)),
)
LEVEL = LevelConfig(
    decay=0.9,
    growth_per_year=0.0,
    growth_years=0,
    unit_years=1.0,
    clip_sigmas=2.5,
    deviation_years=8.0,
    years_min=5,
)
TRAINING = AreaTrainingConfig(seed=3, members=2, steps=60, learning_rate=0.05, shared_penalty=1.0, own_penalty=1.0)


def history_of(table):
    rows = [(unit, year, brought) for unit, series in table.items() for year, brought in series.items()]
    units, years, yields = (list(column) for column in zip(*rows, strict=True))
    return AreaHistory(
        units=np.array(units, dtype=object),
        regions=np.array([unit[0] for unit in units], dtype=object),
        harvest_years=np.array(years),
        yields_t_ha=np.array(yields, dtype=float),
    )


def rows_of(units, years, features, yields=None):
    n = len(units)
    return AreaRows(
        units=np.array(units, dtype=object),
        regions=np.array([unit[0] for unit in units], dtype=object),
        harvest_years=np.array(years, dtype=np.int64),
        longitude_deg=np.full(n, np.nan),
        latitude_deg=np.full(n, np.nan),
        features=np.asarray(features, dtype=float),
        names=feature_names(FEATURES),
        yields_t_ha=np.full(n, np.nan) if yields is None else np.asarray(yields, dtype=float),
    )


@pytest.fixture(scope="session")
def a_history():
    return history_of


@pytest.fixture(scope="session")
def area_rows_of():
    return rows_of


@pytest.fixture(scope="session")
def area_release():
    """A release that has learnt, on 20 units of two regions over 12 years, that April's rain makes the yield."""
    rng = np.random.default_rng(1)
    units = [f"{region}{k}" for region in "AB" for k in range(10)]
    pairs = [(unit, year) for year in range(2000, 2012) for unit in units]
    rain = {year: rng.standard_normal() for year in range(2000, 2012)}
    features = np.array([[rain[year] + 0.1 * rng.standard_normal(), *rng.standard_normal(2)] for _, year in pairs])
    yields = 4.0 + 0.4 * features[:, 0] + 0.1 * rng.standard_normal(len(pairs))
    rows = rows_of([unit for unit, _ in pairs], [year for _, year in pairs], features, yields)
    normals = fit_normals(rows)
    network = fit_area(
        normals.anomalies(rows).astype(np.float32),
        (yields - 4.0).astype(np.float32),
        swings=np.full(len(pairs), 0.5, dtype=np.float32),
        places=np.array([0 if unit[0] == "A" else 1 for unit, _ in pairs]),
        years=rows.harvest_years,
        regions=2,
        training=TRAINING,
    )
    table = {unit: {year: y for (u, year), y in zip(pairs, yields, strict=True) if u == unit} for unit in units}
    facts = AreaFacts(
        name="areas-for-tests",
        crop="winter_wheat",
        code_version="0",
        trained_to=2011,
        regions=("A", "B"),
        network=AreaNetworkConfig(features=3, regions=2, members=2),
        stages=SeasonStages(first_month=9, dates=((5, 1), (7, 1))),
        level=LEVEL,
        features=FEATURES,
    )
    nothing = (0.0,) * len(QUANTILE_LEVELS)
    calibration = AreaCalibration(
        trust=(0.0, 1.0, 1.0),
        shifts=(nothing,) * 3,
        widths={"B": (1.0, 1.2, 1.5)},
        strangeness_max=(0.0, 9.0, 9.0),
        climate_distance_max=12.0,
        years=(2009, 2010, 2011),
    )
    return AreaRelease(
        facts=facts, network=network, normals=normals, calibration=calibration, history=history_of(table), sha256=""
    )


@pytest.fixture
def area_folder(area_release, tmp_path):
    files = {**area_release_files(area_release), "scores.json": b"{}\n", "card.md": b"# card\n"}
    files["model.toml"] = area_manifest(area_release.facts, files, training="schema_version = 1\n")
    folder = tmp_path / "areas-for-tests"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="session")
def untrained(area_release):
    """The same release with a network that has learnt nothing."""
    return replace(area_release, network=AreaNetwork(area_release.facts.network).eval())
