"""Reads labelled data of areas and turns it into area-years with features, as known on any day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from agrocredit.domain.crop_facts import resolve_crop
from agrocredit.domain.errors import InputUnusableError
from agrocredit.yields.area.features import SeriesRows, feature_names, feature_table
from agrocredit.yields.area.rows import AreaRows
from pipelines.known_crops import known_crops
from pipelines.labelled_tables import labelled_table, labels_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    import pyarrow as pa

    from agrocredit.yields.area.features import FeatureConfig
    from agrocredit.yields.area.release import SeasonStages


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaData:
    """A folder of labelled data in the canonical form: every year of it, because earlier ones are the history."""

    labels: pd.DataFrame
    """One crop, a row a unit and harvest year, in the order of both."""
    series: pa.Table | None
    """Sorted by year; None where the folder has none."""
    static: pd.DataFrame


def read_area_data(data: Path, *, crop: str) -> AreaData:
    """Return a folder's labels of one crop, all years, with the series and the static table.

    Parameters
    ----------
    data : Path
        Folder in the canonical form.
    crop : str
        Our name of it; labels may use any alias.

    Raises
    ------
    InputUnusableError
        ``labels_missing`` without a yield of the crop, ``label_contradiction`` for two yields of one unit and year;
        what `labels_of` raises.
    """
    labels = labels_of(data, named=("unit", "region", "crop"))
    crops = known_crops()
    ours = {name: resolve_crop(str(name), crops) for name in labels["crop"].unique()}
    labels["crop"] = labels["crop"].map({name: found.name if found else str(name) for name, found in ours.items()})
    kept = labels[labels["crop"] == crop].dropna(subset=["yield_t_ha"]).astype({"unit": str, "region": str})
    if kept.empty:
        raise InputUnusableError("labels_missing", f"{data.name}: no yield of {crop}; found {sorted(map(str, ours))}")
    twice = kept.duplicated(["unit", "harvest_year"])
    if twice.any():
        first = kept.loc[twice].iloc[0]
        raise InputUnusableError(
            "label_contradiction", f"{data.name}: two yields of unit {first['unit']} in {first['harvest_year']}"
        )
    path = data / "series.parquet"
    return AreaData(
        labels=kept.sort_values(["harvest_year", "unit"], kind="stable").reset_index(drop=True),
        series=labelled_table(path, ("unit", "year", "date")).sort_by("year") if path.is_file() else None,
        static=labelled_table(data / "static.parquet", ("unit",)).to_pandas(),
    )


def area_rows(
    data: AreaData, *, features: Sequence[FeatureConfig], years: Sequence[int], as_of: date | None = None
) -> AreaRows:
    """Return the area-years of some harvest years with their features.

    Parameters
    ----------
    data : AreaData
    features : sequence of FeatureConfig
    years : sequence of int
        Harvest years.
    as_of : date, optional
        Nothing dated later enters; everything measured does where it is None. Yields stay: they are what is asked.
    """
    labels = data.labels[data.labels["harvest_year"].isin(list(years))].reset_index(drop=True)
    series = _series_rows(data.series, labels, features)
    known = series if as_of is None else series.until(np.full(len(labels), as_of, dtype="datetime64[D]"))
    return _rows(labels, known, features)


def stage_rows(
    data: AreaData, *, features: Sequence[FeatureConfig], years: Sequence[int], stages: SeasonStages
) -> list[AreaRows]:
    """Return the area-years of some harvest years as known at each stage of their seasons, a table a stage.

    At the first nothing is known; the last stands for the whole season.

    Parameters
    ----------
    data : AreaData
    features : sequence of FeatureConfig
    years : sequence of int
    stages : SeasonStages
    """
    labels = data.labels[data.labels["harvest_year"].isin(list(years))].reset_index(drop=True)
    series = _series_rows(data.series, labels, features)
    last = len(stages) - 1
    tables = []
    for stage in range(len(stages)):
        if stage == last:
            known = series
        elif stage == 0:
            known = series.until(np.full(len(labels), "NaT", dtype="datetime64[D]"))
        else:
            days = [stages.date_of(stage, harvest_year=int(year)) for year in labels["harvest_year"]]
            known = series.until(np.array(days, dtype="datetime64[D]"))
        tables.append(_rows(labels, known, features))
    return tables


def _rows(labels: pd.DataFrame, series: SeriesRows, features: Sequence[FeatureConfig]) -> AreaRows:
    return AreaRows(
        units=labels["unit"].to_numpy(dtype=object),
        regions=labels["region"].to_numpy(dtype=object),
        harvest_years=labels["harvest_year"].to_numpy(np.int64),
        longitude_deg=labels["longitude"].to_numpy(np.float64),
        latitude_deg=labels["latitude"].to_numpy(np.float64),
        features=feature_table(series, n=len(labels), features=features),
        names=feature_names(features),
        yields_t_ha=labels["yield_t_ha"].to_numpy(np.float64),
    )


def _series_rows(series: pa.Table | None, labels: pd.DataFrame, features: Sequence[FeatureConfig]) -> SeriesRows:
    """Return the rows of a series that belong to labelled area-years, and only the variables that features read."""
    if series is None:
        nothing = np.empty(0, dtype=np.int64)
        return SeriesRows(row=nothing, month=nothing, step=nothing, days=nothing.astype("datetime64[D]"), values={})
    part = _years_of(series, labels)
    row = pd.MultiIndex.from_frame(labels[["unit", "harvest_year"]]).get_indexer(
        pd.MultiIndex.from_arrays([part["unit"].to_numpy().astype(str), part["year"].to_numpy()])
    )
    kept = row >= 0
    days = part["date"].to_numpy().astype("datetime64[D]")[kept]
    dated = ~np.isnat(days)
    month = np.zeros(days.size, dtype=np.int64)
    month[dated] = days[dated].astype("datetime64[M]").astype(np.int64) % 12 + 1
    step = part["step"].to_numpy()[kept] if "step" in part.column_names else np.full(days.size, -1)
    wanted = sorted({feature.variable for feature in features} & set(part.column_names))
    return SeriesRows(
        row=row[kept].astype(np.int64),
        month=month,
        step=step.astype(np.int64),
        days=days,
        values={name: part[name].to_numpy().astype(np.float32)[kept] for name in wanted},
    )


def _years_of(series: pa.Table, labels: pd.DataFrame) -> pa.Table:
    """Return the slice of a series, sorted by year, that spans the labels' years."""
    year = series["year"].to_numpy()
    first = int(np.searchsorted(year, labels["harvest_year"].min(), side="left"))
    after = int(np.searchsorted(year, labels["harvest_year"].max(), side="right"))
    return series.slice(first, after - first)
