"""Crops as facts: read from a TOML file in which every number has its source."""

from __future__ import annotations

import tomllib
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from agrocredit.domain.crop import Calendar, Crop
from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA_VERSION = 1
CODE = "crop_facts_invalid"
_NUMBERS = ("moisture_basis_percent", "base_temperature_c", "yield_max_t_ha")
_CROP_KEYS = {"label", "aliases", "calendars", *_NUMBERS}
_CALENDAR_KEYS = {"latitude_deg", "start", "harvest_from", "end", "source"}
_HEADER_KEYS = {"schema_version", "dataset_version"}


def load_crops(path: Path) -> dict[str, Crop]:
    """Return every crop of a TOML file of facts by its name.

    Raises
    ------
    InputUnusableError
        ``crop_facts_invalid``, naming the file, the crop and the key: unknown or missing keys, a number without a
        source, calendars that overlap, an alias that two crops claim.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputUnusableError(CODE, f"{path.name}: {error}") from error
    if document.get("schema_version") != SCHEMA_VERSION:
        raise InputUnusableError(
            CODE, f"{path.name}: schema_version is {document.get('schema_version')!r}, expected {SCHEMA_VERSION}"
        )
    tables = {name: table for name, table in document.items() if name not in _HEADER_KEYS}
    crops = {name: _crop(f"{path.name}: {name}", name, table) for name, table in tables.items()}
    _check_names(crops, file=path.name)
    return crops


def resolve_crop(name: str, crops: Mapping[str, Crop]) -> Crop | None:
    """Return the crop that a name or alias means, in any case and with spaces or underscores; None if unknown.

    Parameters
    ----------
    name : str
        As it stands in a plot file: ``Winter wheat``, ``maize``, ``corn``.
    crops : mapping of str to Crop
        As `load_crops` returns them.
    """
    wanted = _plain(name)
    for crop in crops.values():
        if wanted in _names(crop):
            return crop
    return None


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").lower().split())


def _names(crop: Crop) -> set[str]:
    return {_plain(crop.name), *map(_plain, crop.aliases)}


def _check_names(crops: Mapping[str, Crop], *, file: str) -> None:
    owner: dict[str, str] = {}
    for crop in crops.values():
        for name in sorted(_names(crop)):
            if owner.setdefault(name, crop.name) != crop.name:
                raise InputUnusableError(CODE, f"{file}: {name!r} means both {owner[name]} and {crop.name}")


def _crop(where: str, name: str, table: Mapping[str, Any]) -> Crop:
    _check_keys(where, table, _CROP_KEYS)
    calendars = tuple(_calendar(where, row) for row in table["calendars"])
    _check_bands(where, calendars)
    return Crop(
        name=name,
        label=str(table["label"]),
        aliases=tuple(map(str, table["aliases"])),
        calendars=calendars,
        **{key: _number(f"{where}.{key}", table[key]) for key in _NUMBERS},
    )


def _check_keys(where: str, table: object, expected: set[str]) -> None:
    found = set(table) if isinstance(table, dict) else set()
    if found != expected:
        unknown, missing = sorted(found - expected), sorted(expected - found)
        raise InputUnusableError(CODE, f"{where}: unknown keys {unknown}, missing keys {missing}")


def _number(where: str, row: Mapping[str, Any]) -> float:
    _check_keys(where, row, {"value", "source"})
    if isinstance(row["value"], bool) or not isinstance(row["value"], int | float) or not row["source"]:
        raise InputUnusableError(CODE, f"{where}: value {row['value']!r} with source {row['source']!r}")
    return float(row["value"])


def _calendar(where: str, row: Mapping[str, Any]) -> Calendar:
    _check_keys(f"{where}.calendars", row, _CALENDAR_KEYS)
    try:
        low, high = map(float, row["latitude_deg"])
        calendar = Calendar(
            latitude_min_deg=low,
            latitude_max_deg=high,
            start=_month_day(row["start"]),
            harvest_from=_month_day(row["harvest_from"]),
            end=_month_day(row["end"]),
            source=str(row["source"]),
        )
        calendar.season(2023)  # 2023 is no leap year: a 29 February would fail here and not in some later season
    except (TypeError, ValueError, InputUnusableError) as error:
        raise InputUnusableError(CODE, f"{where}.calendars: {error}") from error
    return calendar


def _month_day(value: list[int]) -> tuple[int, int]:
    month, day = value
    return int(month), int(day)


def _check_bands(where: str, calendars: tuple[Calendar, ...]) -> None:
    ordered = sorted(calendars, key=lambda calendar: calendar.latitude_min_deg)
    for calendar in ordered:
        if not -90 <= calendar.latitude_min_deg < calendar.latitude_max_deg <= 90:
            raise InputUnusableError(
                CODE, f"{where}: latitudes {calendar.latitude_min_deg} to {calendar.latitude_max_deg} are not in order"
            )
    for south, north in pairwise(ordered):
        if south.latitude_max_deg > north.latitude_min_deg:
            raise InputUnusableError(
                CODE,
                f"{where}: calendars overlap between {north.latitude_min_deg} and {south.latitude_max_deg} degrees",
            )
