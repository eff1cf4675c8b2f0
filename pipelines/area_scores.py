"""What a recipe for areas was worth on years it had not seen, beside what anyone would use instead.

Two tests. *A year ahead*: every year is answered by the release that could have been trained the year before, itself
corrected on earlier years. *Split*: one release answers all years after its last, once with every harvest that had come
in by then and once with a history that ends where its training did.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from agrocredit.domain.estimate import QUANTILE_COLUMNS, QUANTILE_LEVELS
from agrocredit.yields.area.prediction import estimate_areas
from agrocredit.yields.rolling_baselines import rolling_baselines
from agrocredit.yields.scoring import rounded
from pipelines.learn_area import calibrated, release_of
from pipelines.scored_rows import ScoredRows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from agrocredit.yields.area.history import AreaHistory
    from agrocredit.yields.area.prediction import AreaEstimates
    from agrocredit.yields.area.release import AreaRelease, SeasonStages
    from agrocredit.yields.area.rows import AreaRows
    from pipelines.area_training import AreaTrainingFile
    from pipelines.learn_area import AreaTables, HeldOut, Origin

    Doubles = NDArray[np.float64]

BOOTSTRAP_DRAWS = 10_000
_MEDIAN = QUANTILE_LEVELS.index(0.50)


def area_scores(
    tables: AreaTables, file: AreaTrainingFile, origins: list[Origin], said: list[HeldOut]
) -> dict[str, object]:
    """Return the figures of both tests, rounded as they stand in a release.

    Parameters
    ----------
    tables : AreaTables
    file : AreaTrainingFile
    origins : list of Origin
        From `pipelines.learn_area.walk`.
    said : list of HeldOut
        Likewise.
    """
    years = range(file.years.score_from, file.years.last + 1)
    releases = {
        origin.last: release_of("scored", tables, file, origin, calibrated(tables, file, origin, known))
        for origin in origins
        if (known := [one for one in said if one.year <= origin.last]) and origin.last >= file.years.score_from - 1
    }
    baselines = rolling_baselines(tables.whole, years=list(years))
    ahead = _scored(tables, {year: releases[year - 1] for year in years}, tables.history, baselines)
    after = {year: releases[file.years.split] for year in years if year > file.years.split}
    frozen = tables.history.until(file.years.split)
    return rounded(
        {
            "a_year_ahead": {**ahead.figures(), "beats_pooled_trend": _bootstrap(ahead, "pooled_trend")},
            "split": {
                "trained_to": file.years.split,
                "history_as_it_came_in": _scored(tables, after, tables.history, baselines).figures(),
                "history_frozen": _scored(tables, after, frozen, _frozen_baselines(tables, file)).figures(),
            },
        }
    )


def _scored(
    tables: AreaTables, releases: Mapping[int, AreaRelease], history: AreaHistory, baselines: Mapping[str, Doubles]
) -> ScoredRows:
    """Return the rows of some years with what each year's release said of them, at every stage."""
    stages = next(iter(releases.values())).facts.stages
    said: list[list[AreaEstimates]] = [[] for _ in tables.stages]
    parts: list[AreaRows] = []
    for year, release in releases.items():
        at = tables.years(year, year)
        parts.append(tables.whole.take(at))
        for stage, table in enumerate(tables.stages):
            said[stage].append(estimate_areas(release, table.take(at), history=history, stage=stage))
    quantiles = [np.concatenate([one.quantiles_t_ha for one in stage]) for stage in said]
    now = tables.years(min(releases), max(releases))
    level = np.concatenate([one.levels_t_ha for one in said[-1]])
    return ScoredRows(
        rows=_table(parts, quantiles[-1], [reason for one in said[-1] for reason in one.reasons]),
        baselines={
            **{name: answers[now] for name, answers in baselines.items()},
            "level_alone": np.repeat(level[:, None], len(QUANTILE_LEVELS), axis=1),
        },
        by_month=dict(zip(_stage_names(stages), quantiles, strict=True)),
    )


def _table(parts: list[AreaRows], quantiles: Doubles, reasons: list[object]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "unit": np.concatenate([part.units for part in parts]),
            "region": np.concatenate([part.regions for part in parts]),
            "crop": "",
            "harvest_year": np.concatenate([part.harvest_years for part in parts]),
            "yield_t_ha": np.concatenate([part.yields_t_ha for part in parts]),
            "area_m2": np.nan,
            "reason": np.array([None if reason is None else str(reason) for reason in reasons], dtype=object),
            **dict(zip(QUANTILE_COLUMNS, quantiles.T, strict=True)),
        }
    )


def _stage_names(stages: SeasonStages) -> list[str]:
    return ["before the season", *(f"on {month:02d}-{day:02d}" for month, day in stages.dates)]


def _frozen_baselines(tables: AreaTables, file: AreaTrainingFile) -> dict[str, Doubles]:
    """Return the baselines' answers for the years after the split, from harvests up to it alone."""
    whole, split = tables.whole, file.years.split
    answers: dict[str, Doubles] = {}
    for year in range(split + 1, file.years.last + 1):
        # Years between the split and the one asked about leave no trace: their yields are taken away.
        hidden = (whole.harvest_years > split) & (whole.harvest_years < year)
        rows = replace(whole, yields_t_ha=np.where(hidden, np.nan, whole.yields_t_ha))
        at = whole.harvest_years == year
        for name, said in rolling_baselines(rows, years=[year]).items():
            answers.setdefault(name, np.full(said.shape, np.nan))[at] = said[at]
    return answers


def _bootstrap(scored: ScoredRows, baseline: str) -> dict[str, object]:
    """Return how much smaller the error is than a baseline's, with a 95 % interval from resampled years.

    Years are drawn whole with replacement, because the areas of a year share its weather.
    """
    answered = np.asarray(np.isfinite(np.hstack([scored.quantiles, scored.baselines[baseline]])).all(axis=1))
    truth, years = scored.truth[answered], scored.rows["harvest_year"].to_numpy()[answered]
    each, place = np.unique(years, return_inverse=True)
    errors = [
        np.bincount(place, (truth - said[answered][:, _MEDIAN]) ** 2)
        for said in (scored.quantiles, scored.baselines[baseline])
    ]
    rows = np.bincount(place)
    draws = np.random.default_rng(0).integers(0, each.size, size=(BOOTSTRAP_DRAWS, each.size))
    ours, theirs = (np.sqrt(error[draws].sum(axis=1) / rows[draws].sum(axis=1)) for error in errors)
    gains = np.sqrt(errors[1] / rows) - np.sqrt(errors[0] / rows)
    low, high = np.quantile(theirs - ours, (0.025, 0.975))
    return {
        "rmse_gain_t_ha": float(np.sqrt(errors[1].sum() / rows.sum()) - np.sqrt(errors[0].sum() / rows.sum())),
        "rmse_gain_95": [round(float(low), 4), round(float(high), 4)],
        "years_won": int((gains > 0).sum()),
        "years": int(each.size),
    }
