"""Observations to yield estimates: plots that share a crop and a season go through features and network together.

A plot that states its crop is estimated for that crop; the request fills in where none is stated. Every plot gets
a row: quantiles, or the reason why there are none. Nothing known after `as_of` enters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.summary import Summary
from pipelines.crop_groups import CropGroup, crop_groups
from pipelines.evidence import evidence_sha256
from pipelines.outcome import abstained_because, estimate_counts
from pipelines.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

    from agrocredit.domain.crop import Crop
    from agrocredit.domain.errors import Refusal
    from agrocredit.yields import Release


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
        crops = _crops()
        knowledge = _knowledge(request, crops)
        parts, axes = [], set()
        groups = crop_groups(plot_set.plots, crops=crops, default=request.crop, harvest_year=request.harvest_year)
        for done, group in enumerate(groups, start=1):
            part, axis = _estimate_group(group, release=_release(request, group, knowledge), knowledge=knowledge)
            parts.append(part)
            axes |= axis
            progress("estimate", done, len(groups))
        table = pa.concat_tables(parts).sort_by("plot_id")
        write_parquet(table, request.out)
    facts = {
        "as_of": knowledge.as_of.isoformat(),
        "releases": sorted(set(table["release"].to_pylist())),
        "axes": sorted(axes),
        "abstained_because": abstained_because(table),
    }
    return Summary(counts=estimate_counts(table), refused=(*plot_set.refused, *knowledge.refused), facts=facts)


def _crops() -> Mapping[str, Crop]:
    from agrocredit.domain.crop_facts import load_crops
    from agrocredit.store.bundled import data_path

    return load_crops(data_path("facts", "crops.toml"))


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
    weather = read_weather(request.weather) if request.weather else None
    history, refused = _history(request.history, crops)
    return Knowledge(
        as_of=as_of,
        harvest_year=request.harvest_year,
        observations=observations[known],
        weather=None if weather is None else weather[weather["date"] <= pd.Timestamp(as_of)],
        history=history,
        region=request.region,
        refused=refused,
    )


def _history(path: Path | None, crops: Mapping[str, Crop]) -> tuple[pd.DataFrame | None, tuple[Refusal, ...]]:
    """Return the history with our names of the crops; rows of crops that no table knows are left out."""
    from agrocredit.domain.crop_facts import resolve_crop
    from agrocredit.store.farm_tables import read_history

    if path is None:
        return None, ()
    checked = read_history(path)
    history = checked.table.to_pandas()
    names = {name: resolve_crop(name, crops) for name in history["crop"].unique()}
    history["crop"] = history["crop"].map({name: crop.name if crop else None for name, crop in names.items()})
    return history.dropna(subset=["crop"]), checked.refused


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


def _estimate_group(group: CropGroup, *, release: Release | None, knowledge: Knowledge) -> tuple[pa.Table, set[str]]:
    """Return the rows of plots that share crop and season, and the kind of axis they were seen on."""
    from agrocredit.yields import unknown_crop

    plot_ids = group.plots["id"].tolist()
    if release is None or group.season is None:
        rows = unknown_crop(plot_ids, crop=group.crop, harvest_year=knowledge.harvest_year, as_of=knowledge.as_of)
        return rows, set()
    return _predict(group, release, knowledge)


def _predict(group: CropGroup, release: Release, knowledge: Knowledge) -> tuple[pa.Table, set[str]]:
    from agrocredit.features import assemble_season
    from agrocredit.yields import PlotFacts, area_outlooks, outlook_for, predict

    assert group.season is not None  # noqa: S101 - _estimate_group answered for groups without one
    facts = release.facts
    thermal_time = _thermal_time(group, release, knowledge)
    season = assemble_season(
        knowledge.observations,
        plot_ids=group.plots["id"].tolist(),
        season=group.season,
        indices=facts.indices,
        as_of=knowledge.as_of,
        thermal_time=thermal_time,
        thermal_total_c_day=None if thermal_time is None else facts.thermal_total_c_day,
        steps=facts.network.steps,
    )
    outlooks = {}
    if knowledge.history is not None:
        outlooks = area_outlooks(
            knowledge.history, crop=group.crop, harvest_year=knowledge.harvest_year, config=facts.credibility
        )
    regions = group.plots["region"].where(group.plots["region"].notna(), knowledge.region)
    plots = PlotFacts(
        area_m2=group.plots["area_m2"].to_numpy(float),
        outlooks=[outlook_for(region, outlooks) for region in regions],
        evidence=evidence_sha256(knowledge.observations, group.plots["id"].tolist()),
    )
    return predict(season, release=release, plots=plots, harvest_year=knowledge.harvest_year), {season.attrs["axis"]}


def _thermal_time(group: CropGroup, release: Release, knowledge: Knowledge) -> pd.Series | None:
    """Return degree days since the season's start, or None where the weather does not span what is known of it."""
    import pandas as pd

    from agrocredit.weather import thermal_time

    assert group.season is not None  # noqa: S101 - _estimate_group answered for groups without one
    if knowledge.weather is None:
        return None
    start, last = pd.Timestamp(group.season.start_on), pd.Timestamp(group.season.end_on) - pd.Timedelta(days=1)
    season = knowledge.weather[knowledge.weather["date"].between(start, last)].set_index("date")
    until = min(last, pd.Timestamp(knowledge.as_of))
    if season.empty or season.index[0] > start or season.index[-1] < until:
        return None
    degree_days = thermal_time(season["tmean_c"].to_numpy(), base_c=release.facts.base_temperature_c)
    return pd.Series(degree_days, index=season.index)
