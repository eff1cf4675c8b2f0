"""Score a release on labelled data: the canonical folder in, one table of figures out, baselines beside the model.

Each label is estimated as on the day of its season's last look, by the same functions that ``estimate`` uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from agrocredit.domain.estimate import QUANTILE_COLUMNS, AbstainReason
from agrocredit.domain.summary import Summary
from pipelines.known_crops import known_crops
from pipelines.labelled_data import Labelled, read_labelled
from pipelines.progress import Progress, silent

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from numpy.typing import NDArray

    from agrocredit.domain.crop import Season
    from agrocredit.yields import Release
    from pipelines.crop_groups import CropGroup


_REGION_ALONE = tuple(f"region_{column}" for column in QUANTILE_COLUMNS)
"""Columns of what the region's history says of a row without looking at it."""


def evaluate(release: str, *, data: Path, years: tuple[int, int] | None = None, progress: Progress = silent) -> Summary:
    """Return the scores of a release on labelled data.

    Parameters
    ----------
    release : str
        Name under the models that ship, or a folder.
    data : Path
        Folder in the canonical form.
    years : (int, int), optional
        Harvest years, first and last; all by default.
    progress : Progress
        Told of every year.

    Returns
    -------
    Summary
        Its facts are the scores: ``n``, ``rmse_t_ha``, ``nrmse``, ``r2``, ``pinball``, ``coverage90``,
        ``width90_t_ha``, ``coverage80``, ``abstained``, the same under ``by_year``, ``by_region``, ``by_crop``, and a
        line each under ``baselines``, scored on the rows that the release answered: ``region_alone`` knows the history,
        ``regional_mean`` and ``ndvi_integral`` know yields of other rows, of other years where there are several, else
        of the same season: more than a lender can know before harvest.

    Raises
    ------
    InputUnusableError
        ``labels_missing`` if the folder has no label of the release's crop in these years; what the readers raise.
    """
    from agrocredit.yields import rounded, score, score_by
    from pipelines.releases import named_release

    model = named_release(release)
    labelled = read_labelled(data, crop=model.facts.crop, years=years)
    parts = []
    harvest_years = sorted(set(labelled.labels["harvest_year"]))
    for done, year in enumerate(harvest_years, start=1):
        parts.append(_estimate_year(model, labelled, int(year)))
        progress("years", done, len(harvest_years))
    rows = pd.concat(parts, ignore_index=True)
    truth, quantiles = rows["yield_t_ha"].to_numpy(np.float64), rows[list(QUANTILE_COLUMNS)].to_numpy(np.float64)
    facts = {
        "release": model.facts.name,
        **score(truth, quantiles),
        **{
            f"by_{name}": score_by(rows[column].to_numpy(), truth, quantiles)
            for name, column in (("year", "harvest_year"), ("region", "region"), ("crop", "crop"))
        },
        "baselines": _baselines(rows, truth),
        "abstained_because": {str(reason): int(n) for reason, n in rows["reason"].value_counts().sort_index().items()},
    }
    return Summary(counts={"labels": len(rows)}, facts=rounded(facts))


def _baselines(rows: pd.DataFrame, truth: NDArray[np.float64]) -> dict[str, object]:
    from agrocredit.yields import folds, integral_line, regional_mean, score

    answered = rows["reason"].isna().to_numpy()
    known, regions = truth[answered], rows.loc[answered, "region"].to_numpy(dtype=object)
    if not answered.any():
        return {}
    fold = folds(rows.loc[answered, "unit"].tolist(), rows.loc[answered, "harvest_year"].to_numpy(np.int64))
    integrals = rows.loc[answered, "ndvi_integral"].to_numpy(np.float64)
    return {
        "region_alone": score(known, rows.loc[answered, list(_REGION_ALONE)].to_numpy(np.float64)),
        "regional_mean": score(known, regional_mean(regions, known, fold=fold)),
        "ndvi_integral": score(known, integral_line(integrals, known, fold=fold)),
    }


def _estimate_year(release: Release, labelled: Labelled, year: int) -> pd.DataFrame:
    """Return the labels of a year with their quantiles, reason and NDVI integral."""
    import geopandas as gpd

    from pipelines.crop_groups import crop_groups

    labels = labelled.labels[labelled.labels["harvest_year"] == year]
    places = gpd.GeoDataFrame(
        {"id": labels["unit"].to_numpy(), "crop": release.facts.crop, "row": np.arange(len(labels))},
        geometry=gpd.points_from_xy(labels["longitude"], labels["latitude"]),
        crs="EPSG:4326",
    )
    crops = known_crops()
    groups = crop_groups(places, crops=crops, default=release.facts.crop, harvest_year=year)
    parts = [_estimate_group(release, labelled, labels.iloc[group.plots["row"]], group, year) for group in groups]
    return pd.concat(parts, ignore_index=True)


def _estimate_group(
    release: Release, labelled: Labelled, labels: pd.DataFrame, group: CropGroup, year: int
) -> pd.DataFrame:
    from agrocredit.features import assemble_season, phenology
    from agrocredit.yields import PlotFacts, area_outlooks, outlook_for, predict, unknown_crop
    from pipelines.season_weather import season_thermal_time

    facts, units = release.facts, labels["unit"].tolist()
    if group.season is None:
        as_of = pd.Timestamp(year, 12, 31).date()
        rows = unknown_crop(units, crop=facts.crop, harvest_year=year, as_of=as_of).to_pandas()
        # A label that nothing ever looked at says nothing of its place: national series have none.
        rows["reason"] = rows["reason"].where(
            np.isin(units, labelled.series["plot_id"]), AbstainReason.NOT_OBSERVED.value
        )
        return _joined(labels, rows, np.full(len(units), np.nan)).assign(**dict.fromkeys(_REGION_ALONE, np.nan))
    series = labelled.series[labelled.series["harvest_year"] == year]
    as_of = _last_look(series, group.season)
    thermal_time = season_thermal_time(labelled.weather, group.season, base_c=facts.base_temperature_c, as_of=as_of)
    season = assemble_season(
        series,
        plot_ids=units,
        season=group.season,
        indices=[name for name in facts.indices if name in labelled.series.columns],
        as_of=as_of,
        thermal_time=thermal_time,
        thermal_total_c_day=None if thermal_time is None else facts.thermal_total_c_day,
        steps=facts.network.steps,
    )
    outlooks = {}
    if labelled.history is not None:
        outlooks = area_outlooks(labelled.history, crop=facts.crop, harvest_year=year, config=facts.credibility)
    plots = PlotFacts(
        area_m2=np.array([labelled.area_m2.get(unit, np.nan) for unit in units]),
        latitude_deg=labels["latitude"].to_numpy(np.float64),
        outlooks=[outlook_for(region, outlooks) for region in labels["region"]],
        evidence=units,
    )
    rows = predict(season, release=release, plots=plots, harvest_year=year)
    joined = _joined(labels, rows.to_pandas(), phenology(season)["integral_index_days"].to_numpy(np.float64))
    unknown = (np.nan,) * len(QUANTILE_COLUMNS)
    region_alone = [unknown if one is None else one.quantiles_t_ha for one in plots.outlooks]
    return joined.assign(**dict(zip(_REGION_ALONE, np.array(region_alone).T, strict=True)))


def _last_look(series: pd.DataFrame, season: Season) -> date:
    """Return the day of the season's last look, which is when `estimate` would be asked; its end if there is none."""
    days = series["acquired_at"].dt.date
    inside = days[(days >= season.start_on) & (days < season.end_on)]
    return inside.max() if len(inside) else season.end_on


def _joined(labels: pd.DataFrame, rows: pd.DataFrame, integral: NDArray[np.float64]) -> pd.DataFrame:
    answers = rows[["reason", *QUANTILE_COLUMNS]].set_index(labels.index)
    return pd.concat([labels, answers.assign(ndvi_integral=integral)], axis=1)
