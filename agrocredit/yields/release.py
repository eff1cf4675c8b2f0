"""Released models: folders that are written, reviewed, checked and loaded as one.

``models/NAME/`` holds ``model.toml`` (what it is, how it was made, sha256 of every other file),
``weights.safetensors``, ``calibration.json``, ``scores.json`` and ``card.md``. Loading trusts nothing: file formats
first (a pickle is never opened), then checksums, then shapes and finite weights. The safetensors format holds a JSON
header and plain numbers, so reading it runs no code (https://github.com/huggingface/safetensors, section "Format").
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from agrocredit.domain.errors import InputUnusableError
from agrocredit.yields.abstention import AbstentionConfig
from agrocredit.yields.calibration import Calibration
from agrocredit.yields.credibility import CredibilityConfig
from agrocredit.yields.descriptors import TrainingRange
from agrocredit.yields.inputs import INPUTS_VERSION
from agrocredit.yields.network import NetworkConfig, YieldNetwork
from agrocredit.yields.release_folder import (
    MANIFEST,
    PLOTS,
    CheckedFolder,
    ReleaseForm,
    checked_folder,
    parse,
    read_file,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

FORM: Final = ReleaseForm(kind=PLOTS, versions={"inputs_version": INPUTS_VERSION})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """What a release says about itself in ``model.toml``."""

    name: str
    crop: str
    code_version: str
    """Version of agrocredit that trained it."""
    reference_t_ha: float
    """Mean yield of the training seasons; the level where none is known."""
    base_temperature_c: float
    """Thermal time of the season's axis counts degrees above this."""
    thermal_total_c_day: float
    """Degree days that the steps of a thermal axis share out."""
    indices: tuple[str, ...]
    """Indices whose curves it reads, named as columns of the observations table: lower case."""
    network: NetworkConfig
    abstention: AbstentionConfig
    credibility: CredibilityConfig

    def __post_init__(self) -> None:
        named = self.name and "/" not in self.name and self.crop
        if not (named and 0 < self.reference_t_ha < 100 and self.thermal_total_c_day > 0):
            raise InputUnusableError("model_invalid", f"release {self.name!r} of {self.crop!r} with facts out of range")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A loaded release: everything that turns a season into an estimate."""

    facts: ReleaseFacts
    network: YieldNetwork
    calibration: Calibration
    known: TrainingRange
    sha256: str
    """Of ``model.toml``, and through it of every file."""


def load_release(folder: Path) -> Release:
    """Return a release, after checking every byte of it.

    Parameters
    ----------
    folder : Path
        ``models/NAME``.

    Raises
    ------
    InputUnusableError
        ``release_missing`` if there is no such folder or file; ``model_format`` for a pickle, an archive or any other
        format; ``model_untrusted`` if a file is not the one the manifest names; ``model_invalid`` for wrong shapes,
        weights that are not numbers, or settings of another version.
    """
    checked = checked_folder(folder, FORM)
    facts = checked.parsed(MANIFEST, _facts)
    return Release(
        facts=facts,
        network=_network(checked, facts.network),
        calibration=checked.parsed("calibration.json", lambda stated: _calibration(stated["calibration"])),
        known=checked.parsed("calibration.json", lambda stated: _range(stated["training_range"])),
        sha256=checked.sha256,
    )


def release_in_force(models: Path, crop: str, *, as_of: date) -> str | None:
    """Return the name of the release that answers for a crop on a date of knowledge, or None.

    Parameters
    ----------
    models : Path
        Folder with ``in_force.toml``.
    crop : str
    as_of : date
        The latest entry that starts on or before this date answers.

    Raises
    ------
    InputUnusableError
        ``release_missing`` without the table, ``model_invalid`` if it cannot be read.
    """
    stated = read_file(models, "in_force.toml")
    document = parse(models, "in_force.toml", lambda: tomllib.loads(stated.decode()))
    entries = parse(
        models,
        "in_force.toml",
        lambda: sorted((e["from_on"], str(e["name"])) for e in document["release"] if e["crop"] == crop),
    )
    answering = [name for from_on, name in entries if from_on <= as_of]
    return answering[-1] if answering else None


def _network(checked: CheckedFolder, config: NetworkConfig) -> YieldNetwork:
    network = YieldNetwork(config).eval()
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    network.load_state_dict(checked.tensors(expected))
    return network


def _facts(document: Mapping[str, Any]) -> ReleaseFacts:
    return ReleaseFacts(
        name=str(document["name"]),
        crop=str(document["crop"]),
        code_version=str(document["code_version"]),
        reference_t_ha=float(document["reference_t_ha"]),
        base_temperature_c=float(document["base_temperature_c"]),
        thermal_total_c_day=float(document["thermal_total_c_day"]),
        indices=tuple(str(name) for name in document["indices"]),
        network=NetworkConfig(**document["network"]),
        abstention=AbstentionConfig(**document["abstention"]),
        credibility=CredibilityConfig(**document["credibility"]),
    )


def _calibration(stated: Mapping[str, Any]) -> Calibration:
    return Calibration(
        shifts={str(group): tuple(float(v) for v in shifts) for group, shifts in stated["shifts"].items()},
        rows={str(group): int(n) for group, n in stated["rows"].items()},
        years=tuple(int(year) for year in stated["years"]),
    )


def _range(stated: Mapping[str, Any]) -> TrainingRange:
    return TrainingRange(
        mean=tuple(float(v) for v in stated["mean"]),
        covariance=tuple(tuple(float(v) for v in row) for row in stated["covariance"]),
        tail=float(stated["tail"]),
    )
