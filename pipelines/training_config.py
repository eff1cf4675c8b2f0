"""A training file: everything a release is made from, checked before anything is computed."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

from agrocredit.domain.errors import InputUnusableError
from agrocredit.yields import AbstentionConfig, CredibilityConfig, NetworkConfig, TrainingConfig
from pipelines.region_weather import WeatherSource, WindowConfig
from pipelines.simulated_looks import LooksConfig
from pipelines.simulated_seasons import SimulationConfig

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

SCHEMA_VERSION = 1

Section = TypeVar("Section")


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitConfig:
    """Which harvest years serve what, first and last; whole years, never rows at random."""

    train: tuple[int, int]
    calibrate: tuple[int, int]
    test: tuple[int, int]

    def __post_init__(self) -> None:
        ranges = (self.train, self.calibrate, self.test)
        if not all(first <= last for first, last in ranges) or not self.train[1] < self.calibrate[0]:
            raise InputUnusableError("config_invalid", f"years of the split out of order: {self}")
        if not self.calibrate[1] < self.test[0]:
            raise InputUnusableError("config_invalid", f"test years {self.test} must come after all others: {self}")

    def years(self, part: tuple[int, int]) -> range:
        """Return the years of a part of the split."""
        return range(part[0], part[1] + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CropConfig:
    """The crop and its axis."""

    crop: str
    indices: tuple[str, ...]
    base_temperature_c: float
    """Base of the thermal axis; that of the crop's facts."""
    thermal_total_c_day: float
    """Degree days that the steps of the thermal axis share out."""
    disclosure: str
    """Which real data was looked at while the settings of this file were chosen; stands in the card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingFile:
    """One training file, section by section."""

    text: str
    """The file as it stands, kept in the release."""
    season: CropConfig
    split: SplitConfig
    weather: WeatherSource
    windows: tuple[WindowConfig, ...]
    simulation: SimulationConfig
    looks: LooksConfig
    network: NetworkConfig
    training: TrainingConfig
    abstention: AbstentionConfig
    credibility: CredibilityConfig


def read_training_file(path: Path) -> TrainingFile:
    """Return a training file.

    Parameters
    ----------
    path : Path
        TOML with the sections of `TrainingFile`; ``windows`` is a list of tables. Unknown keys are refused.

    Raises
    ------
    InputUnusableError
        ``config_invalid``, naming the file, the section and what is wrong.
    """
    text, document = training_document(path, sections={field.name for field in fields(TrainingFile)} - {"text"})
    return TrainingFile(
        text=text,
        season=_section(path, document, "season", CropConfig),
        split=_section(path, document, "split", SplitConfig),
        weather=_section(path, document, "weather", WeatherSource),
        windows=tuple(section_record(path, "windows", table, WindowConfig) for table in document["windows"]),
        simulation=_section(path, document, "simulation", SimulationConfig),
        looks=_section(path, document, "looks", LooksConfig),
        network=_section(path, document, "network", NetworkConfig),
        training=_section(path, document, "training", TrainingConfig),
        abstention=_section(path, document, "abstention", AbstentionConfig),
        credibility=_section(path, document, "credibility", CredibilityConfig),
    )


def training_document(path: Path, *, sections: Collection[str], kind: str | None = None) -> tuple[str, dict[str, Any]]:
    """Return the text of a training file and its sections by name: all of them and no other.

    Parameters
    ----------
    path : Path
    sections : collection of str
    kind : str or None
        What the file states as its ``kind``; None where it states none.

    Raises
    ------
    InputUnusableError
        ``config_invalid``.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise InputUnusableError("config_invalid", f"{path.name}: {error}") from error
    found = (document.pop("schema_version", None), document.pop("kind", None))
    if found != (SCHEMA_VERSION, kind):
        expected = (SCHEMA_VERSION, kind)
        raise InputUnusableError("config_invalid", f"{path.name}: schema_version and kind {found}, expected {expected}")
    if set(document) != set(sections):
        wrong = sorted(set(document) ^ set(sections))
        raise InputUnusableError("config_invalid", f"{path.name}: sections unknown or missing: {', '.join(wrong)}")
    return text, document


def _section(path: Path, document: Mapping[str, Any], name: str, record: type[Section]) -> Section:
    return section_record(path, name, document[name], record)


def section_record(path: Path, name: str, table: Any, record: type[Section]) -> Section:  # noqa: ANN401 - any TOML value
    """Return a record from a TOML table; anything unknown, missing or out of range is a ``config_invalid``."""
    try:
        return record(**{key: tuple(value) if isinstance(value, list) else value for key, value in table.items()})
    except (TypeError, ValueError, AttributeError) as error:
        raise InputUnusableError("config_invalid", f"{path.name}: [{name}]: {error}") from error
