"""Builds the sample region: plots, pictures, weather, history and truth of a place that does not exist."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from pyproj import Transformer

from agrocredit.growth import load_growth, load_optics
from agrocredit.store.atomic import write_text
from agrocredit.store.bundled import data_path
from agrocredit.store.folders import atomic_folder
from agrocredit.store.tables import write_parquet
from pipelines.sample.claims import draw_claims
from pipelines.sample.climate import simulate_weather
from pipelines.sample.cropping import grow_fields, simulate_history
from pipelines.sample.ground import survey
from pipelines.sample.land import FIELD_COVERS, lay_out
from pipelines.sample.pictures import take_pictures
from pipelines.sample.records import truth_table, write_csv, write_holdings, write_labelled, write_plots
from pipelines.sample.settings import SampleSettings, load_settings

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

KIND = "sample region"

README = """SIMULATED DATA

Nothing here was measured. The place "{name}" does not exist; its fields were grown by a crop model under weather from a
random generator, and its pictures were rendered from the model's canopies, with seed {seed} (data set {version}).
Use it to try the program and its tests. Results on it say nothing about any real field, farmer or season.

plots.geojson    plots as a lender would send them, some of them wrong on purpose
holdings.csv     who farms which plot, with what share and evidence
scenes/          pictures as Cloud Optimized GeoTIFF with a STAC ItemCollection, items.json
weather.csv      daily weather of the season
history.csv      the region's mean yields of earlier years, from the same model under other weather
truth.parquet    what is true of each plot: yield, dates, whether it is a field at all
labelled/        the plots with a known yield, in the form that training and evaluation read
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRegion:
    """Where the parts of a built sample region lie."""

    folder: Path
    plots: Path
    holdings: Path
    scenes: Path
    """The ItemCollection."""
    weather: Path
    history: Path
    truth: Path
    labelled: Path

    @classmethod
    def at(cls, folder: Path) -> SampleRegion:
        """Return the paths of a region built in a folder."""
        return cls(
            folder=folder,
            plots=folder / "plots.geojson",
            holdings=folder / "holdings.csv",
            scenes=folder / "scenes" / "items.json",
            weather=folder / "weather.csv",
            history=folder / "history.csv",
            truth=folder / "truth.parquet",
            labelled=folder / "labelled",
        )


def build_sample(out: Path, *, seed: int | None = None, settings: SampleSettings | None = None) -> SampleRegion:
    """Build the sample region in a folder, whole or not at all; the same seed gives the same bytes.

    Parameters
    ----------
    out : Path
        Folder to make; an earlier sample region there is replaced, anything else is refused.
    seed : int, optional
        Instead of the settings' own.
    settings : SampleSettings, optional
        Those of ``data/sample/region.toml`` by default.

    Raises
    ------
    InputUnusableError
        ``output_not_ours``, ``output_unwritable``; ``sample_settings_invalid`` if fields do not suffice for the plots.
    """
    chosen = load_settings(data_path("sample", "region.toml")) if settings is None else settings
    if seed is not None:
        chosen = replace(chosen, seed=seed)
    with atomic_folder(out, kind=KIND) as folder:
        _fill(SampleRegion.at(folder), settings=chosen)
    return SampleRegion.at(out)


def _fill(region: SampleRegion, *, settings: SampleSettings) -> None:
    def rng_of(purpose: str) -> np.random.Generator:
        # One stream a purpose: a change in one part of the region leaves the others as they were.
        return np.random.default_rng([settings.seed, zlib.crc32(purpose.encode())])

    facts = load_growth(data_path("facts", "growth.toml"))[settings.season.crop]
    optics = load_optics(data_path("facts", "canopy.toml"))
    latitude_deg = _latitude_deg(settings)
    land = lay_out(settings.land, place=settings.place, rng=rng_of("land"))
    weather = simulate_weather(
        settings.climate,
        start_on=settings.season.weather_from,
        end_on=settings.season.weather_to,
        latitude_deg=latitude_deg,
        rng=rng_of("weather"),
    )
    covers = [land.covers[index] for index in land.indices(*FIELD_COVERS)]
    cropping = grow_fields(
        covers, facts=facts, weather=weather, settings=settings, latitude_deg=latitude_deg, rng=rng_of("fields")
    )
    claims = draw_claims(land, settings=settings, rng=rng_of("claims"))
    write_text(
        README.format(name=settings.place.name, seed=settings.seed, version=settings.dataset_version),
        region.folder / "README.txt",
    )
    write_plots(claims, region.plots, region=settings.place.name)
    write_holdings(claims, region.holdings, rng=rng_of("holdings"))
    write_csv(weather, region.weather)
    write_csv(simulate_history(settings, facts=facts, latitude_deg=latitude_deg, rng_of=rng_of), region.history)
    truth = truth_table(claims, land=land, cropping=cropping, settings=settings)
    write_parquet(_labelled_simulated(truth), region.truth)
    write_labelled(claims, truth, region.labelled, settings=settings)
    ground = survey(land, place=settings.place, patchiness=settings.sky.patchiness, rng=rng_of("patches"))
    take_pictures(
        region.scenes.parent,
        land=land,
        ground=ground,
        cropping=cropping,
        optics=optics,
        settings=settings,
        rng_of=rng_of,
    )


def _labelled_simulated(table: pa.Table) -> pa.Table:
    return table.replace_schema_metadata({b"simulated": b"true"})


def _latitude_deg(settings: SampleSettings) -> float:
    place = settings.place
    to_degrees = Transformer.from_crs(place.epsg, 4326, always_xy=True)
    middle = place.size_m / 2
    return float(to_degrees.transform(place.west_m + middle, place.north_m - middle)[1])
