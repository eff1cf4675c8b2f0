"""Releases of the area kind: a folder that is written, checked and loaded as one, like a plot release's.

Beside the files of every release it holds ``places.json``: the areas it knows, their regions and the harvests it learnt
from. These are its own history, so that a folder with only new years is answered, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from agrocredit.domain.errors import InputUnusableError
from agrocredit.yields.area.calibration import AreaCalibration
from agrocredit.yields.area.features import FEATURES_VERSION, FeatureConfig, feature_from, feature_names
from agrocredit.yields.area.history import AreaHistory
from agrocredit.yields.area.levels import LevelConfig
from agrocredit.yields.area.network import AreaNetwork, AreaNetworkConfig
from agrocredit.yields.area.normals import Normals
from agrocredit.yields.release_folder import FILES, MANIFEST, CheckedFolder, ReleaseForm, checked_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

KIND: Final = "area_year"
PLACES: Final = "places.json"
AREA_FILES: Final = (*FILES, PLACES)
"""Every file an area release holds beside its manifest."""
FORM: Final = ReleaseForm(kind=KIND, versions={"features_version": FEATURES_VERSION}, files=AREA_FILES)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonStages:
    """Days of a season at which estimates are calibrated; between two the earlier one's corrections hold."""

    first_month: int
    """Month the season begins in: it and later months belong to the year before the harvest year."""
    dates: tuple[tuple[int, int], ...]
    """(month, day), in the order of the season; empty where estimates are made at harvest only."""

    def __post_init__(self) -> None:
        after = [(month - self.first_month) % 12 * 100 + day for month, day in self.dates]
        if not 1 <= self.first_month <= 12 or after != sorted(set(after)):
            raise InputUnusableError("config_invalid", f"stages out of order: {self}")

    def __len__(self) -> int:
        """Return the number of stages: that of a season not seen yet, and one a date, or one alone without dates."""
        return len(self.dates) + 1

    def on(self, as_of: date | None, *, harvest_year: int) -> int:
        """Return the stage of a day; the last for None, which is after the season."""
        if as_of is None:
            return len(self.dates)
        return sum(as_of >= self.date_of(stage, harvest_year=harvest_year) for stage in range(1, len(self)))

    def date_of(self, stage: int, *, harvest_year: int) -> date:
        """Return the day a stage from 1 on begins in the season of a harvest year."""
        from datetime import date

        month, day = self.dates[stage - 1]
        return date(harvest_year - (month >= self.first_month > 1), month, day)


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaFacts:
    """What an area release says about itself in ``model.toml``."""

    name: str
    crop: str
    code_version: str
    """Version of agrocredit that trained it."""
    trained_to: int
    """Last harvest year that it learnt from: figures of that year and earlier are no test."""
    regions: tuple[str, ...]
    """Regions with a response of their own."""
    network: AreaNetworkConfig
    stages: SeasonStages
    level: LevelConfig
    features: tuple[FeatureConfig, ...]

    def __post_init__(self) -> None:
        named = self.name and "/" not in self.name and self.crop
        fits = self.network.features == len(feature_names(self.features)) and self.network.regions == len(self.regions)
        if not (named and fits):
            raise InputUnusableError("model_invalid", f"release {self.name!r} of {self.crop!r}: facts do not fit")


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaRelease:
    """A loaded release: everything that turns an area's season into an estimate."""

    facts: AreaFacts
    network: AreaNetwork
    normals: Normals
    calibration: AreaCalibration
    history: AreaHistory
    sha256: str
    """Of ``model.toml``, and through it of every file."""


def load_area_release(folder: Path) -> AreaRelease:
    """Return a release of the area kind, after checking every byte of it.

    Parameters
    ----------
    folder : Path
        ``models/NAME``.

    Raises
    ------
    InputUnusableError
        As `agrocredit.yields.load_release`.
    """
    checked = checked_folder(folder, FORM)
    facts = checked.parsed(MANIFEST, _facts)
    history = checked.parsed(PLACES, _history)
    units = tuple(sorted(set(history.units.tolist())))
    network, normals = _learnt(checked, facts, units)
    return AreaRelease(
        facts=facts,
        network=network,
        normals=normals,
        calibration=checked.parsed("calibration.json", lambda stated: _calibration(stated, facts)),
        history=history,
        sha256=checked.sha256,
    )


def _facts(document: Mapping[str, Any]) -> AreaFacts:
    return AreaFacts(
        name=str(document["name"]),
        crop=str(document["crop"]),
        code_version=str(document["code_version"]),
        trained_to=int(document["trained_to"]),
        regions=tuple(str(region) for region in document["regions"]),
        network=AreaNetworkConfig(**document["network"]),
        stages=SeasonStages(
            first_month=document["stages"]["first_month"],
            dates=tuple((int(month), int(day)) for month, day in document["stages"]["dates"]),
        ),
        level=LevelConfig(**document["level"]),
        features=tuple(feature_from(one) for one in document["features"]),
    )


def _history(places: Mapping[str, Any]) -> AreaHistory:
    rows = [
        (unit, place["region"], int(year), float(brought))
        for unit, place in places.items()
        for year, brought in zip(place["years"], place["yields_t_ha"], strict=True)
    ]
    units, regions, years, yields = (list(column) for column in zip(*rows, strict=True))
    return AreaHistory(
        units=np.array(units, dtype=object),
        regions=np.array(regions, dtype=object),
        harvest_years=np.array(years, dtype=np.int64),
        yields_t_ha=np.array(yields, dtype=np.float64),
    )


def _learnt(checked: CheckedFolder, facts: AreaFacts, units: tuple[str, ...]) -> tuple[AreaNetwork, Normals]:
    network = AreaNetwork(facts.network).eval()
    k = facts.network.features
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    beside = {"normals.mean": (len(units), k), "normals.scale": (k,)}
    tensors = checked.tensors({**expected, **beside})
    normals = Normals(units=units, mean=tensors.pop("normals.mean").numpy(), scale=tensors.pop("normals.scale").numpy())
    network.load_state_dict(tensors)
    return network, normals


def _calibration(stated: Mapping[str, Any], facts: AreaFacts) -> AreaCalibration:
    calibration = AreaCalibration(
        trust=tuple(float(one) for one in stated["trust"]),
        shifts=tuple(tuple(float(one) for one in row) for row in stated["shifts"]),
        widths={str(region): tuple(float(one) for one in row) for region, row in stated["widths"].items()},
        strangeness_max=tuple(float(one) for one in stated["strangeness_max"]),
        climate_distance_max=float(stated["climate_distance_max"]),
        years=tuple(int(year) for year in stated["years"]),
    )
    if len(calibration.trust) != len(facts.stages):
        raise ValueError(f"{len(calibration.trust)} stages, the manifest has {len(facts.stages)}")
    return calibration


def weights_of(network: AreaNetwork, normals: Normals) -> dict[str, torch.Tensor]:
    """Return the tensors of ``weights.safetensors``: the network's and the normals.

    Parameters
    ----------
    network : AreaNetwork
    normals : Normals
    """
    learnt = {name: tensor.detach().contiguous() for name, tensor in sorted(network.state_dict().items())}
    return {
        **learnt,
        "normals.mean": torch.from_numpy(np.ascontiguousarray(normals.mean)),
        "normals.scale": torch.from_numpy(np.ascontiguousarray(normals.scale)),
    }
