"""Labels of plots as a plot release would have answered them: at the season's last look, and at the end of each month.

Each label is estimated by the same functions that ``estimate`` uses, from what was known on the day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from agrocredit.domain.estimate import QUANTILE_COLUMNS, AbstainReason
from pipelines.known_crops import known_crops
from pipelines.progress import Progress, silent
from pipelines.scored_rows import ScoredRows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    import xarray as xr
    from numpy.typing import NDArray

    from agrocredit.domain.crop import Season
    from agrocredit.yields import AreaOutlook, Release
    from pipelines.crop_groups import CropGroup
    from pipelines.labelled_data import Labelled

    Doubles = NDArray[np.float64]

MEASURES: Final = ("integral_index_days", "peak", "amplitude", "peak_day", "rise_per_day", "fall_per_day")
"""Measures of the NDVI curve that the baselines read."""

_QUANTILES = list(QUANTILE_COLUMNS)
_MEASURES = [f"measure_{name}" for name in MEASURES]
_REGION_ALONE = [f"region_{column}" for column in QUANTILE_COLUMNS]
"""Columns of what the region's history says of a row without looking at it."""


def evaluate_plots(release: Release, labelled: Labelled, *, progress: Progress = silent) -> ScoredRows:
    """Return the labels asked about with what a plot release and its baselines said of them.

    Parameters
    ----------
    release : Release
    labelled : Labelled
        Earlier labels serve the baselines alone.
    progress : Progress
        Told of every year.
    """
    labels = pd.concat([labelled.earlier.assign(asked=False), labelled.labels.assign(asked=True)], ignore_index=True)
    years = sorted(set(labels["harvest_year"]))
    parts = []
    for done, year in enumerate(years, start=1):
        parts += _year(release, labelled, labels[labels["harvest_year"] == year], int(year))
        progress("years", done, len(years))
    rows = pd.concat([part.rows for part in parts], ignore_index=True)
    asked = rows["asked"].to_numpy(bool)
    return ScoredRows(
        rows=rows[asked].drop(columns=[*_MEASURES, *_REGION_ALONE, "asked"]).reset_index(drop=True),
        baselines=_baselines(rows, asked),
        by_month={month: quantiles[asked] for month, quantiles in _joined_months(parts).items()},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answered:
    """Labels of a group with what was said of them."""

    rows: pd.DataFrame
    """Labels, quantiles, reason, area, measures and the region's own quantiles."""
    months: Mapping[str, Doubles]
    """Quantiles (rows, 7) as known at the end of a month, in the order of the season."""


def _joined_months(parts: Sequence[_Answered]) -> dict[str, Doubles]:
    """Return the months of all groups under each other, NaN where a group has none of that name."""
    names = list(dict.fromkeys(month for part in parts for month in part.months))
    unknown = [np.full((len(part.rows), len(_QUANTILES)), np.nan) for part in parts]
    return {
        month: np.concatenate([part.months.get(month, none) for part, none in zip(parts, unknown, strict=True)])
        for month in names
    }


def _year(release: Release, labelled: Labelled, labels: pd.DataFrame, year: int) -> list[_Answered]:
    import geopandas as gpd

    from pipelines.crop_groups import crop_groups

    places = gpd.GeoDataFrame(
        {"id": labels["unit"].to_numpy(), "crop": release.facts.crop, "row": np.arange(len(labels))},
        geometry=gpd.points_from_xy(labels["longitude"], labels["latitude"]),
        crs="EPSG:4326",
    )
    groups = crop_groups(places, crops=known_crops(), default=release.facts.crop, harvest_year=year)
    members = [(group, labels.iloc[group.plots["row"]]) for group in groups]
    return [
        _Group(release=release, labelled=labelled, labels=own, group=group, year=year).answered()
        for group, own in members
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Labels that share a year and a calendar."""

    release: Release
    labelled: Labelled
    labels: pd.DataFrame
    group: CropGroup
    year: int

    def answered(self) -> _Answered:
        """Return the labels with what the release says of them at the last look, and at the end of months before."""
        if self.group.season is None:
            return _Answered(rows=self._without_season(), months={})
        outlooks = self._outlooks()
        last_look = self._last_look(self.group.season)
        season = self._season(self.group.season, last_look)
        rows = pd.concat([self.labels, self._answers(season, outlooks), self._measures(season)], axis=1)
        unknown = (np.nan,) * len(_QUANTILES)
        alone = np.array([unknown if one is None else one.quantiles_t_ha for one in outlooks])
        months = {}
        if self.labels["asked"].any():
            for as_of in month_ends(self.group.season.start_on, last_look):
                known = self._answers(self._season(self.group.season, as_of), outlooks)
                months[f"{as_of.month:02d}"] = known[_QUANTILES].to_numpy(np.float64)
        columns = dict(zip(_REGION_ALONE, alone.T, strict=True))
        return _Answered(rows=rows.assign(area_m2=self._areas(), **columns), months=months)

    def _without_season(self) -> pd.DataFrame:
        from agrocredit.yields import unknown_crop

        as_of = pd.Timestamp(self.year, 12, 31).date()
        units = self.labels["unit"].tolist()
        table = unknown_crop(units, crop=self.release.facts.crop, harvest_year=self.year, as_of=as_of)
        answers: pd.DataFrame = table.to_pandas()
        # A label that nothing ever looked at says nothing of its place: national series have none.
        seen = np.isin(units, self.labelled.series["plot_id"])
        answers["reason"] = answers["reason"].where(seen, AbstainReason.NOT_OBSERVED.value)
        answers = answers[["reason", *_QUANTILES]].set_index(self.labels.index)
        missing = dict.fromkeys([*_MEASURES, *_REGION_ALONE], np.nan)
        return pd.concat([self.labels, answers], axis=1).assign(area_m2=self._areas(), **missing)

    def _areas(self) -> Doubles:
        return np.array([self.labelled.area_m2.get(unit, np.nan) for unit in self.labels["unit"]])

    def _outlooks(self) -> list[AreaOutlook | None]:
        from agrocredit.yields import area_outlooks, outlook_for

        history, facts = self.labelled.history, self.release.facts
        outlooks = {}
        if history is not None:
            outlooks = area_outlooks(history, crop=facts.crop, harvest_year=self.year, config=facts.credibility)
        return [outlook_for(region, outlooks) for region in self.labels["region"]]

    def _last_look(self, season: Season) -> date:
        """Return the day of the season's last look, which is when `estimate` would be asked; its end without one."""
        series = self.labelled.series
        days = series.loc[series["harvest_year"] == self.year, "acquired_at"].dt.date
        inside = days[(days >= season.start_on) & (days < season.end_on)]
        last: date = inside.max() if len(inside) else season.end_on
        return last

    def _season(self, season: Season, as_of: date) -> xr.Dataset:
        from agrocredit.features import assemble_season
        from pipelines.season_weather import season_thermal_time

        facts, series = self.release.facts, self.labelled.series
        known = (series["harvest_year"] == self.year) & (series["acquired_at"].dt.date <= as_of)
        thermal_time = season_thermal_time(self.labelled.weather, season, base_c=facts.base_temperature_c, as_of=as_of)
        return assemble_season(
            series[known],
            plot_ids=self.labels["unit"].tolist(),
            season=season,
            indices=[name for name in facts.indices if name in series.columns],
            as_of=as_of,
            thermal_time=thermal_time,
            thermal_total_c_day=None if thermal_time is None else facts.thermal_total_c_day,
            steps=facts.network.steps,
        )

    def _answers(self, season: xr.Dataset, outlooks: list[AreaOutlook | None]) -> pd.DataFrame:
        from agrocredit.yields import PlotFacts, predict

        plots = PlotFacts(
            area_m2=self._areas(),
            latitude_deg=self.labels["latitude"].to_numpy(np.float64),
            outlooks=outlooks,
            evidence=self.labels["unit"].tolist(),
        )
        table = predict(season, release=self.release, plots=plots, harvest_year=self.year)
        rows: pd.DataFrame = table.select(["reason", *_QUANTILES]).to_pandas()
        return rows.set_index(self.labels.index)

    def _measures(self, season: xr.Dataset) -> pd.DataFrame:
        from agrocredit.features import phenology

        measures = phenology(season)[list(MEASURES)].astype(np.float64)
        return measures.set_axis(_MEASURES, axis=1).set_index(self.labels.index)


def month_ends(start_on: date, before: date) -> Iterator[date]:
    """Yield the last day of every month from a season's first day up to, and not including, a day.

    Parameters
    ----------
    start_on, before : date
    """
    for end in pd.date_range(start_on, before, freq="ME", inclusive="left"):
        yield end.date()


def _baselines(rows: pd.DataFrame, asked: NDArray[np.bool_]) -> dict[str, Doubles]:
    """Return the baselines' quantiles of the rows asked about.

    ``region_alone`` knows the region's history as the release does; those of `rolling_baselines` know earlier labels of
    the folder; ``regional_mean`` and ``ndvi_integral`` know the yields of other rows, also of the same season where
    there is no other: more than a lender can know before harvest.
    """
    from agrocredit.yields import folds, integral_line, regional_mean
    from agrocredit.yields.area.rows import AreaRows
    from agrocredit.yields.rolling_baselines import rolling_baselines

    known = AreaRows(
        units=rows["unit"].to_numpy(dtype=object),
        regions=rows["region"].to_numpy(dtype=object),
        harvest_years=rows["harvest_year"].to_numpy(np.int64),
        longitude_deg=rows["longitude"].to_numpy(np.float64),
        latitude_deg=rows["latitude"].to_numpy(np.float64),
        features=rows[_MEASURES].to_numpy(np.float64),
        names=tuple(_MEASURES),
        yields_t_ha=rows["yield_t_ha"].to_numpy(np.float64),
    )
    years = sorted(set(known.harvest_years[asked].tolist()))
    rolled = rolling_baselines(known, years=years)
    truth, regions = known.yields_t_ha[asked], known.regions[asked]
    integrals = rows.loc[asked, _MEASURES[0]].to_numpy(np.float64)
    fold = folds(known.units[asked].tolist(), known.harvest_years[asked])
    return {
        **{name: quantiles[asked] for name, quantiles in rolled.items()},
        "region_alone": rows.loc[asked, _REGION_ALONE].to_numpy(np.float64),
        "regional_mean": regional_mean(regions, truth, fold=fold),
        "ndvi_integral": integral_line(integrals, truth, fold=fold),
    }
