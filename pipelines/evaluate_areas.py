"""Labels of areas as an area release would have answered them: after the season, and on each of its days before.

Every year is answered from earlier harvests alone, by the release and by its baselines: those of the folder, and those
the release learnt from, so that a folder with only new years has a history, too.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.estimate import QUANTILE_COLUMNS, QUANTILE_LEVELS
from agrocredit.yields.area.rows import AreaRows
from pipelines.area_data import area_rows
from pipelines.predict_area import predict_area
from pipelines.progress import Progress, silent
from pipelines.scored_rows import ScoredRows

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from agrocredit.yields.area.prediction import AreaEstimates
    from agrocredit.yields.area.release import AreaRelease
    from pipelines.area_data import AreaData

BEFORE: Final = "before"
"""Name of the estimate made the day before the season begins: what the history alone says."""


def evaluate_areas(
    release: AreaRelease, data: AreaData, *, years: tuple[int, int] | None, progress: Progress = silent
) -> ScoredRows:
    """Return the labels of some years with what an area release and its baselines said of them.

    Parameters
    ----------
    release : AreaRelease
    data : AreaData
        All years of the folder.
    years : (int, int) or None
        Harvest years asked about, first and last; None for all.
    progress : Progress
        Told of every year.

    Raises
    ------
    InputUnusableError
        ``labels_missing`` if the folder has no label in these years.
    """
    found = data.labels["harvest_year"]
    first, last = years if years is not None else (int(found.min()), int(found.max()))
    asked = sorted(set(found[found.between(first, last)].tolist()))
    if not asked:
        raise InputUnusableError("labels_missing", f"no yield of {release.facts.crop} in {first} to {last}")
    parts: dict[str, list[NDArray[np.float64]]] = {}
    estimates: list[AreaEstimates] = []
    for done, year in enumerate(asked, start=1):
        estimates.append(predict_area(release, data, year=year))
        for name, quantiles in _in_season(release, data, year).items():
            parts.setdefault(name, []).append(quantiles)
        progress("years", done, len(asked))
    rows = data.labels[found.isin(asked)].reset_index(drop=True)
    quantiles = np.concatenate([one.quantiles_t_ha for one in estimates])
    reasons = np.array(
        [None if reason is None else reason.value for one in estimates for reason in one.reasons], dtype=object
    )
    return ScoredRows(
        rows=rows.assign(
            area_m2=_areas(rows, data.static), reason=reasons, **dict(zip(QUANTILE_COLUMNS, quantiles.T, strict=True))
        ),
        baselines={**_rolled(release, data, asked), "level_alone": _levels_alone(estimates)},
        by_month={name: np.concatenate(known) for name, known in parts.items()},
    )


def _in_season(release: AreaRelease, data: AreaData, year: int) -> dict[str, NDArray[np.float64]]:
    """Return the estimates of a year on the release's days, by the month of each, in the order of the season."""
    stages = release.facts.stages
    if len(stages) == 1:
        return {}
    begins = date(year - (stages.first_month > 1), stages.first_month, 1)
    days = {BEFORE: begins - timedelta(days=1)}
    for stage in range(1, len(stages)):
        day = stages.date_of(stage, harvest_year=year)
        # The first of June is the end of May: a day is called by the month that was over or nearly over on it.
        days[f"{(day - timedelta(days=1)).month:02d}"] = day
    return {name: predict_area(release, data, year=year, as_of=day).quantiles_t_ha for name, day in days.items()}


def _areas(rows: pd.DataFrame, static: pd.DataFrame) -> NDArray[np.float64]:
    """Return the areas in m2 where the folder states any; areas of counties are nobody's plot."""
    if "area_m2" not in static:
        return np.full(len(rows), np.nan)
    area_m2 = rows["unit"].map(static.drop_duplicates("unit").set_index("unit")["area_m2"])
    found: NDArray[np.float64] = area_m2.to_numpy(np.float64)
    return found


def _levels_alone(estimates: list[AreaEstimates]) -> NDArray[np.float64]:
    """Return the release's own level at every quantile: a point without an interval."""
    level = np.concatenate([one.levels_t_ha for one in estimates])
    return np.repeat(level[:, None], len(QUANTILE_LEVELS), axis=1)


def _rolled(release: AreaRelease, data: AreaData, asked: list[int]) -> dict[str, NDArray[np.float64]]:
    from agrocredit.yields.rolling_baselines import rolling_baselines

    known = sorted(year for year in set(data.labels["harvest_year"]) if year <= max(asked))
    own = area_rows(data, features=release.facts.features, years=known)
    rows = _joined(own, _learnt_harvests(release, own))
    now = np.isin(own.harvest_years, asked)
    return {name: said[: len(own)][now] for name, said in rolling_baselines(rows, years=asked).items()}


def _learnt_harvests(release: AreaRelease, own: AreaRows) -> AreaRows:
    """Return the harvests the release learnt from that the folder lacks: without features, they serve as history."""
    mine = set(zip(own.units, own.harvest_years.tolist(), strict=True))
    history = release.history
    new = [pair not in mine for pair in zip(history.units, history.harvest_years.tolist(), strict=True)]
    added = history.take(np.array(new, dtype=bool))
    nowhere = np.full(len(added), np.nan)
    return AreaRows(
        units=added.units,
        regions=added.regions,
        harvest_years=added.harvest_years,
        longitude_deg=nowhere,
        latitude_deg=nowhere,
        features=np.full((len(added), len(own.names)), np.nan),
        names=own.names,
        yields_t_ha=added.yields_t_ha,
    )


def _joined(one: AreaRows, other: AreaRows) -> AreaRows:
    return AreaRows(
        units=np.concatenate([one.units, other.units]),
        regions=np.concatenate([one.regions, other.regions]),
        harvest_years=np.concatenate([one.harvest_years, other.harvest_years]),
        longitude_deg=np.concatenate([one.longitude_deg, other.longitude_deg]),
        latitude_deg=np.concatenate([one.latitude_deg, other.latitude_deg]),
        features=np.concatenate([one.features, other.features]),
        names=one.names,
        yields_t_ha=np.concatenate([one.yields_t_ha, other.yields_t_ha]),
    )
