"""Released models: folders that are written, reviewed, checked and loaded as one.

``models/NAME/`` holds ``model.toml`` (what it is, how it was made, sha256 of every other file),
``weights.safetensors``, ``calibration.json``, ``scores.json`` and ``card.md``. Loading trusts nothing: file formats
first (a pickle is never opened), then checksums, then shapes and finite weights. The safetensors format holds a JSON
header and plain numbers, so reading it runs no code (https://github.com/huggingface/safetensors, section "Format").
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors

from agrocredit.domain.errors import InputUnusableError
from agrocredit.yields.abstention import AbstentionConfig
from agrocredit.yields.calibration import Calibration
from agrocredit.yields.credibility import CredibilityConfig
from agrocredit.yields.descriptors import TrainingRange
from agrocredit.yields.inputs import INPUTS_VERSION
from agrocredit.yields.network import NetworkConfig, YieldNetwork

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date
    from pathlib import Path

T = TypeVar("T")

SCHEMA_VERSION: Final = 1
MANIFEST: Final = "model.toml"
WEIGHTS: Final = "weights.safetensors"
FILES: Final = ("calibration.json", "card.md", "scores.json", WEIGHTS)
"""Every file a release holds beside its manifest."""

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
HEADER_BYTES_MAX: Final = 64 * 1024
"""A dozen small tensors need under 2 kB of header."""

_CODE_FORMATS = (b"\x80", b"PK\x03\x04", b"\x1f\x8b", b"(", b"c__")
"""First bytes of pickles (protocols 2 to 5, then 0) and of the archives that torch and joblib put them in."""


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
    stated = _read(folder, MANIFEST)
    files = {name: _read(folder, name) for name in FILES}
    _refuse_code(folder, files[WEIGHTS])
    document = _parse(folder, MANIFEST, lambda: tomllib.loads(stated.decode()))
    _check_sums(folder, document, files)
    _check_versions(folder, document)
    corrections = _parse(folder, "calibration.json", lambda: json.loads(files["calibration.json"]))
    facts = _parse(folder, MANIFEST, lambda: _facts(document))
    return Release(
        facts=facts,
        network=_network(folder, facts.network, files[WEIGHTS]),
        calibration=_parse(folder, "calibration.json", lambda: _calibration(corrections["calibration"])),
        known=_parse(folder, "calibration.json", lambda: _range(corrections["training_range"])),
        sha256=hashlib.sha256(stated).hexdigest(),
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
    stated = _read(models, "in_force.toml")
    document = _parse(models, "in_force.toml", lambda: tomllib.loads(stated.decode()))
    entries = _parse(
        models,
        "in_force.toml",
        lambda: sorted((e["from_on"], str(e["name"])) for e in document["release"] if e["crop"] == crop),
    )
    answering = [name for from_on, name in entries if from_on <= as_of]
    return answering[-1] if answering else None


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    try:
        size = path.stat().st_size
        if size > FILE_BYTES_MAX:
            raise InputUnusableError(
                "model_invalid", f"{folder.name}/{name} has {size} bytes, most is {FILE_BYTES_MAX}"
            )
        return path.read_bytes()
    except OSError as error:
        others = sorted(p.name for p in folder.glob("*") if p.suffix in {".pkl", ".pickle", ".pt", ".pth", ".joblib"})
        if others:
            raise InputUnusableError(
                "model_format", f"release {folder.name} holds {others[0]}; only {WEIGHTS} is ever opened"
            ) from error
        raise InputUnusableError("release_missing", f"release {folder.name} has no {name}") from error


def _refuse_code(folder: Path, weights: bytes) -> None:
    """Refuse what is not the safetensors format, before anything parses it."""
    header = int.from_bytes(weights[:8], "little") if len(weights) >= 8 else -1
    if not weights[8:].startswith(b"{"):
        found = "a pickle or an archive of one" if weights.startswith(_CODE_FORMATS) else "another format"
        raise InputUnusableError(
            "model_format", f"{folder.name}/{WEIGHTS} is {found} ({weights[:4].hex() or 'empty'}), expected safetensors"
        )
    if not 0 < header <= min(HEADER_BYTES_MAX, len(weights) - 8):
        raise InputUnusableError(
            "model_invalid", f"{folder.name}/{WEIGHTS} claims a header of {header} bytes, most is {HEADER_BYTES_MAX}"
        )


def _check_sums(folder: Path, document: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    stated = document.get("files")
    for name in FILES:
        found = hashlib.sha256(files[name]).hexdigest()
        expected = stated.get(name) if isinstance(stated, dict) else None
        if found != expected:
            raise InputUnusableError(
                "model_untrusted",
                f"{folder.name}/{name} has sha256 {found[:12]}.., {MANIFEST} expects {expected!s:.12}..",
            )


def _check_versions(folder: Path, document: Mapping[str, Any]) -> None:
    found = (document.get("schema_version"), document.get("inputs_version"))
    if found != (SCHEMA_VERSION, INPUTS_VERSION):
        raise InputUnusableError(
            "model_invalid", f"{folder.name}: schema and inputs {found}, expected {(SCHEMA_VERSION, INPUTS_VERSION)}"
        )


def _network(folder: Path, config: NetworkConfig, weights: bytes) -> YieldNetwork:
    try:
        tensors = load_tensors(weights)
    except (SafetensorError, ValueError, KeyError) as error:
        raise InputUnusableError("model_invalid", f"{folder.name}/{WEIGHTS}: {error}") from error
    network = YieldNetwork(config).eval()
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if found != expected:
        wrong = sorted(set(found.items()) ^ set(expected.items()))
        raise InputUnusableError("model_invalid", f"{folder.name}/{WEIGHTS}: shapes differ at {wrong[:2]}")
    for name, tensor in sorted(tensors.items()):
        if tensor.dtype != torch.float32 or not bool(torch.isfinite(tensor).all()):
            raise InputUnusableError(
                "model_invalid", f"{folder.name}/{WEIGHTS}: {name} is {tensor.dtype} or not finite, expected float32"
            )
    network.load_state_dict(tensors)
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


def _parse(folder: Path, name: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except InputUnusableError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputUnusableError("model_invalid", f"{folder.name}/{name}: {type(error).__name__} {error}") from error
