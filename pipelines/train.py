"""Train a release: simulated seasons under real weather -> network -> calibration -> scores -> a folder with its card.

Years are split whole: the network learns on the first, its quantiles are corrected on the next, and the scores come
from the last, which nothing else has seen. Everything is seeded and runs on one thread, so the same files and the same
versions give the same bytes on the same kind of machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.domain.errors import WrongUsageError
from agrocredit.domain.summary import Summary
from agrocredit.growth import load_growth, load_optics
from agrocredit.indices import load_indices
from agrocredit.store.bundled import data_path
from agrocredit.store.folders import atomic_folder
from agrocredit.store.lock import hold
from agrocredit.yields import json_bytes, manifest, release_files
from pipelines.area_training import is_area_training
from pipelines.learn_release import learn
from pipelines.model_card import card
from pipelines.progress import Progress, silent
from pipelines.region_weather import as_region, read_places
from pipelines.simulated_scores import simulated_scores
from pipelines.simulated_seasons import SimulatedSeasons, Simulator, concatenate
from pipelines.train_area import train_area
from pipelines.training_config import TrainingFile, read_training_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from agrocredit.yields import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """The simulators of all windows of a training file."""

    simulators: tuple[Simulator, ...]

    def seasons(self, years: Iterable[int], *, stage: str, progress: Progress) -> SimulatedSeasons:
        """Return the seasons of some harvest years, all windows."""
        pieces = [(year, simulator) for year in years for simulator in self.simulators]
        parts = []
        for done, (year, simulator) in enumerate(pieces, start=1):
            parts.append(simulator.run(year))
            progress(stage, done, len(pieces))
        return concatenate(parts)


def train(
    config: Path,
    *,
    out: Path,
    weather_folder: Path | None = None,
    data: Path | None = None,
    progress: Progress = silent,
) -> Summary:
    """Train a release and write its folder; return its scores.

    Parameters
    ----------
    config : Path
        Training file, see ``pipelines/training``.
    out : Path
        ``models/NAME``; NAME becomes the release's name. Replaced as a whole.
    weather_folder : Path
        Folder with the weather files that the training file names, for a release of plots.
    data : Path
        Folder of labelled data in the canonical form, for a release of areas.
    progress : Progress
        Told of every year and epoch.

    Raises
    ------
    InputUnusableError
        ``config_invalid``, ``weather_unreadable``, ``weather_gap``, ``training_failed``.
    WrongUsageError
        ``weather_missing`` without a weather folder, ``labels_missing`` without labelled data where they are needed.
    """
    if is_area_training(config):
        if data is None:
            raise WrongUsageError("labels_missing", f"{config.name} learns from labelled data; name its --data")
        return train_area(config, out=out, data=data, progress=progress)
    file = read_training_file(config)
    if weather_folder is None:
        raise WrongUsageError("weather_missing", f"{config.name} reads {file.weather.files}; name its --weather-folder")
    simulation = _simulation(file, weather_folder)
    seasons = {
        part: simulation.seasons(file.split.years(years), stage=f"seasons to {part}", progress=progress)
        for part, years in (("train", file.split.train), ("calibrate", file.split.calibrate), ("test", file.split.test))
    }
    release = learn(out.name, file, seasons["train"], seasons["calibrate"], progress=progress)
    scores = simulated_scores(
        release, history=concatenate([seasons["train"], seasons["calibrate"]]), test=seasons["test"]
    )
    with hold(out), atomic_folder(out, kind="release") as folder:
        for name, content in _files(release, file, scores).items():
            (folder / name).write_bytes(content)
    counts = {part: len(rows.yields_t_ha) for part, rows in seasons.items()}
    return Summary(counts=counts, facts={"release": out.name, "crop": file.season.crop, "scores": scores})


def _simulation(file: TrainingFile, weather_folder: Path) -> Simulation:
    """Read the weather, share the places out over the windows, and name what grows there."""
    rng = np.random.default_rng(file.simulation.seed)
    places = read_places(weather_folder, file.weather, count=file.simulation.regions, rng=rng)
    crop = load_growth(data_path("facts", "growth.toml"))[file.season.crop]
    optics, indices = load_optics(data_path("facts", "canopy.toml")), load_indices(file.season.indices)
    numbered = list(enumerate(places.items()))
    simulators = []
    for which, window in enumerate(file.windows):
        regions = [
            as_region(
                number,
                place,
                daily,
                window=window,
                base_temperature_c=file.season.base_temperature_c,
                seed=file.simulation.seed,
            )
            for number, (place, daily) in numbered[which :: len(file.windows)]
        ]
        simulators.append(
            Simulator(
                crop=crop,
                optics=optics,
                indices=indices,
                simulation=file.simulation,
                looks=file.looks,
                window=window,
                regions=regions,
                thermal_total_c_day=file.season.thermal_total_c_day,
            )
        )
    return Simulation(simulators=tuple(simulators))


def _files(release: Release, file: TrainingFile, scores: dict[str, object]) -> dict[str, bytes]:
    """Return every file of the release's folder."""
    learnt = release_files(
        facts=release.facts, network=release.network, calibration=release.calibration, known=release.known
    )
    files = {**learnt, "scores.json": json_bytes(scores), "card.md": card(release, file, scores).encode()}
    return {**files, "model.toml": manifest(release.facts, files, training=file.text)}
