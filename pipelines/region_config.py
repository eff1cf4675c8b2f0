"""What a region is made of: a TOML file, read strictly. Relative paths count from the file's own folder."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from agrocredit.domain.crop import HARVEST_YEARS
from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA_VERSION = 1

Section = TypeVar("Section")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotsSection:
    """The lender's files."""

    file: Path
    id_field: str | None = None
    holdings: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenesSection:
    """Where the pictures are, and which."""

    source: str
    start: date
    end: date
    collection: str | None = None
    indices: tuple[str, ...] | None = None
    index_file: Path | None = None
    allow_roots: tuple[str, ...] = ()
    """As ``--allow-root`` of ``observe``: folders, hosts and buckets the catalogue may lead to besides its own."""
    cache: Path | None = None
    """Folder for copies of remote assets and for coverage weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateSection:
    """What grows there, and what is known of earlier years."""

    crop: str
    harvest_year: int
    as_of: date | None = None
    weather: Path | None = None
    history: Path | None = None
    region: str | None = None
    release: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessSection:
    """By which rules, on which day, and what is known of the farmers beside their fields."""

    policy: str
    as_of: date
    finances: Path | None = None
    """What farmers earn besides and owe."""
    previous: Path | None = None
    """Decisions of an earlier day: the limits in force."""
    seen: Path | None = None
    """What was seen on the fields, for the parts of a limit that wait for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionConfig:
    """One region's run."""

    name: str
    title: str
    simulated: bool
    """Whether the pictures are simulated; the report says so on top."""
    out: Path
    plots: PlotsSection
    scenes: ScenesSection
    estimate: EstimateSection
    assess: AssessSection


def load_region(path: Path) -> RegionConfig:
    """Return a region's configuration.

    Raises
    ------
    InputUnusableError
        ``region_missing`` without a file; ``region_invalid`` for anything else that is wrong, naming the key.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputUnusableError("region_missing", f"{path}: no such file, expected a region's TOML") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputUnusableError("region_invalid", f"{path}: not TOML ({error})") from error
    version = content.pop("schema_version", None)
    if version != SCHEMA_VERSION:
        raise InputUnusableError("region_invalid", f"{path}: schema_version {version}, expected {SCHEMA_VERSION}")
    sections = {
        "plots": PlotsSection,
        "scenes": ScenesSection,
        "estimate": EstimateSection,
        "assess": AssessSection,
    }
    for name, kind in sections.items():
        content[name] = _section(kind, content.get(name), where=f"{path}: [{name}]", folder=path.parent)
    content.setdefault("simulated", False)
    content.setdefault("out", "run")
    config = _section(RegionConfig, content, where=str(path), folder=path.parent)
    _check_time(config, path)
    return replace(
        config,
        scenes=replace(
            config.scenes,
            source=_place_from_folder(config.scenes.source, path.parent),
            allow_roots=tuple(_place_from_folder(root, path.parent) for root in config.scenes.allow_roots),
        ),
        assess=replace(config.assess, policy=_policy_from_folder(config.assess.policy, path.parent)),
    )


def _check_time(config: RegionConfig, path: Path) -> None:
    """Raise for dates that no step could work with, before the first step begins."""
    start, end, year = config.scenes.start, config.scenes.end, config.estimate.harvest_year
    if start >= end:
        raise InputUnusableError("region_invalid", f"{path}: [scenes] start {start}, expected before the end {end}")
    if year not in HARVEST_YEARS:
        expected = f"{HARVEST_YEARS[0]} to {HARVEST_YEARS[-1]}"
        raise InputUnusableError("region_invalid", f"{path}: [estimate] harvest_year {year}, expected {expected}")


def _place_from_folder(place: str, folder: Path) -> str:
    return place if "://" in place else str(folder / place)


def _policy_from_folder(policy: str, folder: Path) -> str:
    return str(folder / policy) if policy.endswith(".toml") else policy


def _section(kind: type[Section], content: Any, *, where: str, folder: Path) -> Section:  # noqa: ANN401 - straight from TOML
    if not isinstance(content, dict):
        raise InputUnusableError("region_invalid", f"{where} is missing")
    known = {field.name: str(field.type) for field in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(content) - set(known))
    if unknown:
        raise InputUnusableError(
            "region_invalid", f"{where}: unknown key {', '.join(unknown)}; expected {', '.join(known)}"
        )
    values = {key: _value(value, known[key], where=f"{where} {key}", folder=folder) for key, value in content.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise InputUnusableError("region_invalid", f"{where}: {error}") from error


def _value(value: Any, kind: str, *, where: str, folder: Path) -> Any:  # noqa: ANN401 - straight from TOML
    """Return a TOML value as its field wants it: paths from the file's folder, lists as tuples, types checked."""
    wanted = kind.partition(" | ")[0]
    if wanted == "Path" and isinstance(value, str):
        return folder / value
    if wanted == "tuple[str, ...]" and isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return tuple(value)
    plain = {"str": str, "int": int, "bool": bool, "date": date}.get(wanted)
    if wanted in {"Path", "tuple[str, ...]"} or (plain is not None and type(value) is not plain):
        raise InputUnusableError("region_invalid", f"{where} is {value!r}, expected {wanted}")
    return value
