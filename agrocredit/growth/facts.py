"""Growth parameters of the crops as facts: value, unit, range and source, read from TOML."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from agrocredit.domain.errors import InputUnusableError
from agrocredit.growth.parameters import GrowthParameters

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA_VERSION = 1
CODE = "growth_facts_invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterFact:
    """One parameter: its usual value and how far it varies between plots and years."""

    value: float
    unit: str
    low: float
    """Lowest value drawn for a plot."""
    high: float
    """Highest value drawn for a plot."""
    source: str
    """Where value and range come from; "assumption" where they are our own."""

    def __post_init__(self) -> None:
        if not self.low <= self.value <= self.high:
            msg = f"value {self.value} outside {self.low} to {self.high}"
            raise ValueError(msg)
        if not self.source:
            msg = "a parameter without a source"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class CropGrowth:
    """All growth parameters of one crop."""

    crop: str
    parameters: Mapping[str, ParameterFact]
    """By field name of `GrowthParameters`."""
    cycle: ParameterFact
    """Factor on all stages: early and late varieties."""

    def usual(self) -> GrowthParameters:
        """Return the parameters at their usual values."""
        return GrowthParameters(**{name: fact.value for name, fact in self.parameters.items()})


def load_growth(path: Path) -> dict[str, CropGrowth]:
    """Return the growth parameters of every crop in a TOML file of facts.

    Raises
    ------
    InputUnusableError
        ``growth_facts_invalid``, naming the file, the crop and the parameter.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputUnusableError(CODE, f"{path.name}: {error}") from error
    if document.get("schema_version") != SCHEMA_VERSION:
        raise InputUnusableError(
            CODE, f"{path.name}: schema_version is {document.get('schema_version')!r}, expected {SCHEMA_VERSION}"
        )
    tables = {name: table for name, table in document.items() if name not in {"schema_version", "dataset_version"}}
    shared = tables.pop("shared", {})
    return {crop: _crop(path.name, crop, {**shared, **table}) for crop, table in tables.items()}


def _crop(file: str, crop: str, table: Mapping[str, Any]) -> CropGrowth:
    names = {field.name for field in fields(GrowthParameters)}
    if set(table) != names | {"cycle"}:
        wrong = sorted(set(table) ^ (names | {"cycle"}))
        raise InputUnusableError(CODE, f"{file}: {crop} has unknown or missing parameters {', '.join(wrong)}")
    facts = {name: _fact(f"{file}: {crop}.{name}", table[name]) for name in sorted(table)}
    cycle = facts.pop("cycle")
    return CropGrowth(crop=crop, parameters=facts, cycle=cycle)


def _fact(where: str, row: Mapping[str, Any]) -> ParameterFact:
    try:
        return ParameterFact(**row)
    except (TypeError, ValueError) as error:
        raise InputUnusableError(CODE, f"{where}: {error}") from error
