"""Reads labelled data in the canonical form: plots or regions with a measured yield and what was seen of them.

A folder holds ``labels.parquet`` (unit, region, crop, harvest_year, yield_t_ha, longitude, latitude),
``series.parquet`` (unit, year, date, index columns, valid_fraction, pixel_count; a row a unit and look),
``static.parquet`` (unit, area_m2) and, where there are any, ``history`` and ``weather`` as CSV or Parquet. A folder may
have been seen by no satellite: no series, or one of weather alone. Then there are no looks, and areas may be unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from agrocredit.domain.crop_facts import resolve_crop
from agrocredit.domain.errors import InputUnusableError
from agrocredit.store.farm_tables import read_history
from agrocredit.weather import read_weather
from pipelines.known_crops import known_crops
from pipelines.labelled_tables import labelled_table, labels_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SEEN_COLUMNS = ("unit", "year", "date", "valid_fraction", "pixel_count")
REQUIRED_INDEX = "ndvi"
"""The one index that every release reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A folder of labelled data, read."""

    labels: pd.DataFrame
    """The release's crop and the years asked for, a row a unit and year."""
    earlier: pd.DataFrame
    """The same of the years before, which are history."""
    series: pd.DataFrame
    """As an observations table with a column ``harvest_year``."""
    area_m2: Mapping[str, float]
    history: pd.DataFrame | None
    weather: pd.DataFrame | None


def read_labelled(data: Path, *, crop: str, years: tuple[int, int] | None) -> Labelled:
    """Return a folder's labels of one crop in some harvest years, and everything beside them.

    Parameters
    ----------
    data : Path
    crop : str
        Our name of it; labels may use any alias.
    years : (int, int) or None
        First and last; None for all.

    Raises
    ------
    InputUnusableError
        ``labels_missing`` if no label is left; what `labels_of` raises.
    """
    labels = labels_of(data)
    crops = known_crops()
    ours = {name: resolve_crop(str(name), crops) for name in labels["crop"].unique()}
    labels["crop"] = labels["crop"].map({name: found.name if found else str(name) for name, found in ours.items()})
    first, last = years if years is not None else (labels["harvest_year"].min(), labels["harvest_year"].max())
    ours_alone = labels[labels["crop"] == crop].dropna(subset=["yield_t_ha"]).astype({"unit": str, "region": str})
    kept = ours_alone[ours_alone["harvest_year"].between(first, last)]
    if kept.empty:
        raise InputUnusableError(
            "labels_missing", f"{data.name}: no yield of {crop} in {first} to {last}; found {sorted(map(str, ours))}"
        )
    static = labelled_table(data / "static.parquet", ("unit",)).to_pandas()
    history, weather = _one_of(data, "history"), _one_of(data, "weather")
    return Labelled(
        labels=kept.reset_index(drop=True),
        earlier=ours_alone[ours_alone["harvest_year"] < first].reset_index(drop=True),
        series=_looks(data / "series.parquet"),
        area_m2={}
        if "area_m2" not in static
        else dict(zip(static["unit"].astype(str), static["area_m2"].astype(float), strict=True)),
        history=None if history is None else read_history(history).table.to_pandas(),
        weather=None if weather is None else read_weather(weather),
    )


def _looks(path: Path) -> pd.DataFrame:
    """Return the looks of a series; none where it holds no greenness, and then not a row of it is read."""
    if not path.is_file() or REQUIRED_INDEX not in _column_names(path):
        columns = {name: pd.Series(dtype="float64") for name in (REQUIRED_INDEX, "valid_fraction", "pixel_count")}
        years = {"year": pd.Series(dtype="int32"), "date": pd.Series(dtype="datetime64[ns]")}
        return _as_observations(pd.DataFrame({"unit": pd.Series(dtype=str), **years, **columns}))
    return _as_observations(labelled_table(path, SEEN_COLUMNS).to_pandas())


def _column_names(path: Path) -> list[str]:
    try:
        return list(pq.read_schema(path).names)
    except (OSError, pa.ArrowException) as error:
        raise InputUnusableError("labels_unreadable", f"{path.parent.name}/{path.name}: {error}") from error


def _as_observations(series: pd.DataFrame) -> pd.DataFrame:
    """Return a series table as observations; its date names the look."""
    days = pd.to_datetime(series["date"])
    instants = days.dt.tz_localize("UTC") if days.dt.tz is None else days.dt.tz_convert("UTC")
    named = series.assign(
        plot_id=series["unit"].astype(str), scene_id=instants.dt.strftime("%Y-%m-%d"), acquired_at=instants
    )
    return named.rename(columns={"year": "harvest_year"}).drop(columns=["unit", "date"])


def _one_of(data: Path, stem: str) -> Path | None:
    found = [data / f"{stem}{suffix}" for suffix in (".parquet", ".csv") if (data / f"{stem}{suffix}").is_file()]
    return found[0] if found else None
