"""From labelled areas to a release: a network for every origin, what it was worth a year ahead, and the last one.

The network of an origin learns from harvests up to it. What it says of the next year is held out by construction, so
one walk through the years gives every figure: the held-out predictions of earlier years calibrate the intervals of
later ones, and the network that comes last is the release's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import agrocredit
from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.estimate import QUANTILE_LEVELS
from agrocredit.yields.area.calibration import AreaCalibration, fit_shifts, fit_trust, fit_widths, shifted, trusting
from agrocredit.yields.area.levels import levels
from agrocredit.yields.area.network import AreaNetworkConfig
from agrocredit.yields.area.normals import Normals, fit_normals, network_input, places_of, strangeness
from agrocredit.yields.area.places import climate_distance
from agrocredit.yields.area.prediction import network_quantiles_t_ha
from agrocredit.yields.area.release import AreaFacts, AreaRelease
from agrocredit.yields.area.training import fit_area
from pipelines.area_data import stage_rows
from pipelines.predict_area import history_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agrocredit.yields.area.history import AreaHistory
    from agrocredit.yields.area.network import AreaNetwork
    from agrocredit.yields.area.rows import AreaRows
    from pipelines.area_data import AreaData
    from pipelines.area_training import AreaTrainingFile
    from pipelines.progress import Progress

_MEDIAN = QUANTILE_LEVELS.index(0.50)


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaTables:
    """Labelled areas of all years, as known at every stage of the season."""

    stages: list[AreaRows]
    """A table a stage, the same rows in each."""
    history: AreaHistory

    @property
    def whole(self) -> AreaRows:
        """The area-years as known after the season."""
        return self.stages[-1]

    def years(self, first: int, last: int) -> NDArray[np.bool_]:
        """Return which rows are of harvest years from `first` to `last`."""
        year = self.whole.harvest_years
        return np.asarray((year >= first) & (year <= last))


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What was learnt by the end of a harvest year."""

    last: int
    network: AreaNetwork
    normals: Normals
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """What the origin of the year before said of a year, stage by stage. Arrays over n rows."""

    year: int
    regions: NDArray[np.object_]
    truth_t_ha: NDArray[np.float64]
    levels_t_ha: NDArray[np.float64]
    quantiles_t_ha: NDArray[np.float64]
    """(stage, n, 7), not corrected yet."""


def area_tables(data: AreaData, file: AreaTrainingFile) -> AreaTables:
    """Return the tables of all years that the file names.

    Parameters
    ----------
    data : AreaData
    file : AreaTrainingFile

    Raises
    ------
    InputUnusableError
        ``labels_missing`` if a year to learn from has no label.
    """
    years = range(file.years.first, file.years.last + 1)
    missing = sorted(set(years) - set(data.labels["harvest_year"].tolist()))
    if missing:
        raise InputUnusableError("labels_missing", f"no yield of {file.data.crop} in {missing}")
    tables = stage_rows(data, features=file.features, years=years, stages=file.stages)
    return AreaTables(stages=tables, history=history_of(data))


def learn_origin(tables: AreaTables, file: AreaTrainingFile, *, last: int) -> Origin:
    """Return what can be learnt from harvest years up to `last`.

    Parameters
    ----------
    tables : AreaTables
    file : AreaTrainingFile
    last : int
        Nothing of a later year is read.
    """
    rows = tables.whole.take(tables.years(file.years.first, last))
    history = tables.history.until(last)
    expected, swing = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    for year in np.unique(rows.harvest_years):
        at = rows.harvest_years == year
        level = levels(
            history.without(int(year)),
            units=rows.units[at],
            regions=rows.regions[at],
            year=int(year),
            config=file.level,
        )
        expected[at], swing[at] = level.expected_t_ha, level.swing
    kept = np.isfinite(expected)
    normals = fit_normals(rows)
    regions = tuple(sorted(set(rows.regions.astype(str).tolist())))
    network = fit_area(
        network_input(normals.anomalies(rows))[kept],
        (rows.yields_t_ha - expected)[kept].astype(np.float32),
        swings=swing[kept].astype(np.float32),
        places=places_of(rows.regions, regions)[kept],
        years=rows.harvest_years[kept],
        regions=len(regions),
        training=file.training,
    )
    return Origin(last=last, network=network, normals=normals, regions=regions)


def held_out(tables: AreaTables, file: AreaTrainingFile, origin: Origin) -> HeldOut:
    """Return what an origin says of the year after it, from harvests up to the origin.

    Parameters
    ----------
    tables : AreaTables
    file : AreaTrainingFile
    origin : Origin
    """
    year = origin.last + 1
    at = tables.years(year, year)
    rows = tables.whole.take(at)
    level = levels(
        tables.history.until(origin.last), units=rows.units, regions=rows.regions, year=year, config=file.level
    )
    places = places_of(rows.regions, origin.regions)
    quantiles = [
        network_quantiles_t_ha(origin.network, origin.normals.anomalies(table.take(at)), level, places=places)
        for table in tables.stages
    ]
    kept = np.isfinite(level.expected_t_ha)
    return HeldOut(
        year=year,
        regions=rows.regions[kept],
        truth_t_ha=rows.yields_t_ha[kept],
        levels_t_ha=level.expected_t_ha[kept],
        quantiles_t_ha=np.stack(quantiles)[:, kept],
    )


def calibrated(tables: AreaTables, file: AreaTrainingFile, origin: Origin, before: list[HeldOut]) -> AreaCalibration:
    """Return the corrections learnt from held-out years up to the origin.

    Parameters
    ----------
    tables : AreaTables
    file : AreaTrainingFile
    origin : Origin
    before : list of HeldOut
        Years from the file's first to calibrate on up to the origin's last.
    """
    regions = np.concatenate([one.regions for one in before])
    truth = np.concatenate([one.truth_t_ha for one in before])
    level = np.concatenate([one.levels_t_ha for one in before])
    years = np.concatenate([np.full(one.truth_t_ha.size, one.year) for one in before])
    trusts, shifts, widths, limits = [], [], [], []
    inside = tables.years(file.years.first, origin.last)
    for stage, table in enumerate(tables.stages):
        raw = np.concatenate([one.quantiles_t_ha[stage] for one in before])
        trust = fit_trust(raw[:, _MEDIAN] - level, truth - level, years)
        trusts.append(trust)
        trusted = trusting(raw, level, trust)
        shifts.append(fit_shifts(trusted, truth, years))
        pooled = shifted(trusted, np.array(shifts[-1]))
        half_years = file.calibration.half_years
        widths.append(fit_widths(pooled, truth, years=years, regions=regions, half_years=half_years))
        strange = strangeness(origin.normals.anomalies(table.take(inside)))
        limits.append(_quantile(strange, file))
    return AreaCalibration(
        trust=tuple(trusts),
        shifts=tuple(shifts),
        widths={region: tuple(stage[region] for stage in widths) for region in widths[-1]},
        strangeness_max=tuple(limits),
        climate_distance_max=_quantile(climate_distance(origin.normals.mean, origin.normals), file),
        years=tuple(one.year for one in before),
    )


def _quantile(values: NDArray[np.float64], file: AreaTrainingFile) -> float:
    """Return what all but the share that may be refused stay below."""
    return float(np.quantile(values, 1.0 - file.abstention.out_of_range_share, method="higher"))


def release_of(
    name: str, tables: AreaTables, file: AreaTrainingFile, origin: Origin, calibration: AreaCalibration
) -> AreaRelease:
    """Return the release of an origin.

    Parameters
    ----------
    name : str
    tables : AreaTables
    file : AreaTrainingFile
    origin : Origin
    calibration : AreaCalibration
        From years up to the origin.
    """
    facts = AreaFacts(
        name=name,
        crop=file.data.crop,
        code_version=agrocredit.__version__,
        trained_to=origin.last,
        regions=origin.regions,
        network=AreaNetworkConfig(
            features=len(origin.normals.scale), regions=len(origin.regions), members=file.training.members
        ),
        stages=file.stages,
        level=file.level,
        features=file.features,
    )
    known = set(origin.normals.units)
    history = tables.history.until(origin.last)
    return AreaRelease(
        facts=facts,
        network=origin.network,
        normals=origin.normals,
        calibration=calibration,
        history=history.take(np.array([unit in known for unit in history.units.astype(str)])),
        sha256="",
    )


def walk(
    tables: AreaTables, file: AreaTrainingFile, *, last: int, progress: Progress
) -> tuple[list[Origin], list[HeldOut]]:
    """Return the origins from the year before the first to calibrate on up to `last`, and what each said of its next.

    Parameters
    ----------
    tables : AreaTables
    file : AreaTrainingFile
    last : int
        Harvest year of the last origin; its next year is held out where it has labels.
    progress : Progress
    """
    origins, said = [], []
    years = range(file.years.calibrate_from - 1, last + 1)
    for done, year in enumerate(years, start=1):
        origin = learn_origin(tables, file, last=year)
        origins.append(origin)
        if year < last:
            said.append(held_out(tables, file, origin))
        progress("origins", done, len(years))
    return origins, said
