"""Observations to yield estimates: plots that share a crop and a season go through features and network together.

A plot that states its crop is estimated for that crop; the request fills in where none is stated. Every plot gets
a row: quantiles, or the reason why there are none. Nothing known after `as_of` enters.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.summary import Summary
from pipelines.crop_groups import CropGroup, crop_groups
from pipelines.evidence import evidence_sha256
from pipelines.known_crops import known_crops
from pipelines.outcome import abstained_because, estimate_counts
from pipelines.progress import Progress, silent
from pipelines.read_once import read_once
from pipelines.region_history import read_region_history
from pipelines.season_weather import season_thermal_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

    from agrocredit.domain.crop import Crop
    from agrocredit.domain.errors import Refusal
    from agrocredit.yields import AreaOutlook, Release
    from pipelines.area_outlooks import AreaOutlooks, AreaSource


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateRequest:
    """What to estimate, from what."""

    observations: Path
    plots: Path
    crop: str
    """Crop of the plots that state none; a name or alias of ``data/facts/crops.toml``."""
    harvest_year: int
    out: Path
    as_of: date | None = None
    """Date of knowledge; None means the day of the last observation."""
    weather: Path | None = None
    history: Path | None = None
    region: str | None = None
    """Region of the plots that state none."""
    release: str | None = None
    """Name under the models that ship, or a folder; None means the one in force."""
    id_field: str | None = None
    explain: Path | None = None
    """JSON file to write what moved each estimate into."""
    areas: AreaSource | None = None
    """Where plots' regions are areas of a release: its outlook stands in for the history's where it answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What all plots share: everything that was known on `as_of`, nothing later."""

    as_of: date
    harvest_year: int
    observations: pd.DataFrame
    weather: pd.DataFrame | None
    history: pd.DataFrame | None
    region: str | None
    refused: tuple[Refusal, ...]
    """Rows of the user's tables that could not be used."""
    explain: bool
    """Whether to say what moved each estimate."""
    areas: AreaSource | None


def estimate(request: EstimateRequest, *, progress: Progress = silent) -> Summary:
    """Write one row a plot, as `agrocredit.domain.tables.ESTIMATES`, sorted by plot; return what was counted.

    Raises
    ------
    InputUnusableError
        What readers and rooms raise about their files; nothing is written then.
    WrongUsageError
        ``crop_unknown`` for a requested crop that stands in no table.
    """
    import pyarrow as pa

    from agrocredit.store.lock import hold
    from agrocredit.store.plot_files import read_plots
    from agrocredit.store.tables import write_parquet

    with hold(request.out):
        plot_set = read_plots(request.plots, id_field=request.id_field)
        crops = known_crops()
        knowledge = _knowledge(request, crops)
        answers = []
        groups = crop_groups(plot_set.plots, crops=crops, default=request.crop, harvest_year=request.harvest_year)
        for done, group in enumerate(groups, start=1):
            answers.append(_answer(group, release=_release(request, group, knowledge), knowledge=knowledge))
            progress("estimate", done, len(groups))
        table = pa.concat_tables([answer.rows for answer in answers]).sort_by("plot_id")
        write_parquet(table, request.out)
        if request.explain is not None:
            from pipelines.explain import write_explained

            explained = {plot: found for one in answers for plot, found in one.explained.items()}
            told = {area: found for one in answers if one.areas for area, found in one.areas.influences.items()}
            write_explained(explained, request.explain, areas=told)
    refused = (*plot_set.refused, *knowledge.refused)
    return _summary(table, answers, knowledge=knowledge, refused=refused)


def _summary(
    table: pa.Table, answers: Sequence[GroupAnswer], *, knowledge: Knowledge, refused: tuple[Refusal, ...]
) -> Summary:
    facts: dict[str, object] = {
        "as_of": knowledge.as_of.isoformat(),
        "releases": sorted(set(table["release"].to_pylist())),
        "axes": sorted({answer.axis for answer in answers if answer.axis}),
        "abstained_because": abstained_because(table),
    }
    counts = {**estimate_counts(table), "plots_with_history": sum(answer.plots_with_history for answer in answers)}
    if knowledge.areas is not None:
        said = [one.areas for one in answers if one.areas is not None]
        reasons = Counter(reason.value for one in said for reason in one.abstained.values())
        facts["areas_abstained_because"] = dict(sorted(reasons.items()))
        counts |= {"areas_answered": sum(len(one.outlooks) for one in said), "areas_abstained": reasons.total()}
    return Summary(counts=counts, refused=refused, facts=facts)


def _knowledge(request: EstimateRequest, crops: Mapping[str, Crop]) -> Knowledge:
    """Read the tables and cut them at the date of knowledge."""
    import pandas as pd

    from agrocredit.store.observations import read_observations
    from agrocredit.weather import read_weather

    observations = read_observations(request.observations).to_pandas()
    if observations.empty:
        raise InputUnusableError("season_empty", f"{request.observations} holds no observation")
    as_of = request.as_of or observations["acquired_at"].max().date()
    known = observations["acquired_at"] < pd.Timestamp(as_of, tz="UTC") + pd.Timedelta(days=1)
    weather = read_once(read_weather, request.weather) if request.weather else None
    history, refused = _history(request.history, crops)
    return Knowledge(
        as_of=as_of,
        harvest_year=request.harvest_year,
        observations=observations[known],
        weather=None if weather is None else weather[weather["date"] <= pd.Timestamp(as_of)],
        history=history,
        region=request.region,
        refused=refused,
        explain=request.explain is not None,
        areas=request.areas,
    )


def _history(path: Path | None, crops: Mapping[str, Crop]) -> tuple[pd.DataFrame | None, tuple[Refusal, ...]]:
    """Return the history with our names of the crops; rows of crops that no table knows are left out."""
    from agrocredit.domain.crop_facts import resolve_crop

    if path is None:
        return None, ()
    checked = read_once(read_region_history, path)
    history = checked.table.to_pandas()
    names = {name: resolve_crop(name, crops) for name in history["crop"].unique()}
    history["crop"] = history["crop"].map({name: crop.name if crop else None for name, crop in names.items()})
    return history.dropna(subset=["crop"]), checked.refused


def _indices(release: Release, observations: pd.DataFrame) -> list[str]:
    """Return the columns that the release reads, or raise where there is none."""
    wanted = release.facts.indices
    found = [name for name in wanted if name in observations.columns]
    if not found:
        detail = f"observations without {', '.join(wanted)}, of which release {release.facts.name} reads at least one"
        raise InputUnusableError("index_missing", detail)
    return found


def _release(request: EstimateRequest, group: CropGroup, knowledge: Knowledge) -> Release | None:
    """Return the release that answers for a group: the named one if it is of this crop, else the one in force."""
    from agrocredit.yields import release_in_force
    from pipelines.releases import named_release

    if group.season is None:
        return None
    if request.release is not None:
        release = named_release(request.release)
        return release if release.facts.crop == group.crop else None
    from agrocredit.store.bundled import models_path

    name = release_in_force(models_path(), group.crop, as_of=knowledge.as_of)
    return None if name is None else named_release(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAnswer:
    """What is said of plots that share crop and season."""

    rows: pa.Table
    axis: str | None = None
    """``thermal`` or ``calendar``; None where nobody looked."""
    plots_with_history: int = 0
    """Plots whose region's earlier yields spoke along."""
    explained: Mapping[str, object] = field(default_factory=dict)
    """What moved the estimates, by plot, where it was asked for."""
    areas: AreaOutlooks | None = None
    """What an area release said of the plots' regions, where one was asked."""


def _answer(group: CropGroup, *, release: Release | None, knowledge: Knowledge) -> GroupAnswer:
    from agrocredit.yields import unknown_crop

    plot_ids = group.plots["id"].tolist()
    if release is None or group.season is None:
        rows = unknown_crop(plot_ids, crop=group.crop, harvest_year=knowledge.harvest_year, as_of=knowledge.as_of)
        return GroupAnswer(rows=rows)
    return _predict(group, release, knowledge)


def _predict(group: CropGroup, release: Release, knowledge: Knowledge) -> GroupAnswer:
    import pandas as pd

    from agrocredit.features import assemble_season
    from agrocredit.yields import PlotFacts, area_outlooks, outlook_for, predict
    from pipelines.explain import explain_rows

    assert group.season is not None  # noqa: S101 - _estimate_group answered for groups without one
    facts = release.facts
    thermal_time = season_thermal_time(
        knowledge.weather, group.season, base_c=facts.base_temperature_c, as_of=knowledge.as_of
    )
    season = assemble_season(
        knowledge.observations,
        plot_ids=group.plots["id"].tolist(),
        season=group.season,
        indices=_indices(release, knowledge.observations),
        as_of=knowledge.as_of,
        thermal_time=thermal_time,
        thermal_total_c_day=None if thermal_time is None else facts.thermal_total_c_day,
        steps=facts.network.steps,
    )
    regions = group.plots["region"].where(group.plots["region"].notna(), knowledge.region)
    areas = _areas(knowledge, release, asked={str(region) for region in regions if not pd.isna(region)})
    outlooks: dict[str | None, AreaOutlook] = {}
    if knowledge.history is not None:
        outlooks = area_outlooks(
            knowledge.history, crop=group.crop, harvest_year=knowledge.harvest_year, config=facts.credibility
        )
    if areas is not None:
        outlooks.update(areas.outlooks)
    plots = PlotFacts(
        area_m2=group.plots["area_m2"].to_numpy(float),
        latitude_deg=group.plots.geometry.representative_point().y.to_numpy(),
        outlooks=[outlook_for(region, outlooks) for region in regions],
        evidence=evidence_sha256(knowledge.observations, group.plots["id"].tolist()),
    )
    rows = predict(season, release=release, plots=plots, harvest_year=knowledge.harvest_year)
    named = [None if pd.isna(region) else str(region) for region in regions]
    return GroupAnswer(
        rows=rows,
        explained=explain_rows(season, rows, release=release, plots=plots, regions=named) if knowledge.explain else {},
        axis=str(season.attrs["axis"]),
        plots_with_history=sum(outlook is not None for outlook in plots.outlooks),
        areas=areas,
    )


def _areas(knowledge: Knowledge, release: Release, *, asked: set[str]) -> AreaOutlooks | None:
    """Return what the area release says of the plots' regions, None where none was named."""
    if knowledge.areas is None:
        return None
    from pipelines.area_outlooks import area_release_outlooks

    return area_release_outlooks(
        knowledge.areas,
        asked=asked,
        crop=release.facts.crop,
        harvest_year=knowledge.harvest_year,
        as_of=knowledge.as_of,
        config=release.facts.credibility,
        explain=knowledge.explain,
    )
