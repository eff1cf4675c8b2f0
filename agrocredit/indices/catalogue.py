"""Where index definitions come from: the built-in catalogue and a user's own file, both TOML."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agrocredit.domain.errors import InputUnusableError, WrongUsageError
from agrocredit.indices.definition import IndexDefinition
from agrocredit.indices.formula import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEFAULT_INDICES: tuple[str, ...] = ("NDVI", "EVI", "GNDVI", "SAVI", "NDMI", "NDREI")
"""What is observed when the user asks for nothing else."""

SCHEMA_VERSION = 1
_BUILT_IN = Path(__file__).parent / "catalogue.toml"
_REQUIRED = ("short_name", "long_name", "formula", "reference")
_OPTIONAL = ("bands", "constants", "range")
_TOP = ("schema_version", "dataset_version", "index")


def load_indices(names: Sequence[str] = DEFAULT_INDICES, *, extra: Path | None = None) -> tuple[IndexDefinition, ...]:
    """Return the definitions of the named indices, in the order asked for.

    Parameters
    ----------
    names : sequence of str
        Short names, in any case.
    extra : Path, optional
        A user's TOML file with further ``[[index]]`` tables; format in ``docs/method/indices.md``.

    Raises
    ------
    WrongUsageError
        ``index_unknown`` for a name that neither the catalogue nor `extra` has.
    InputUnusableError
        ``index_invalid`` if `extra` cannot be used, with the index and the position.
    """
    known = {definition.column: definition for definition in built_in_indices()}
    for definition in read_indices(extra) if extra is not None else ():
        if definition.column in known:
            raise invalid(definition.short_name, f"{extra} defines a name that is taken (case does not count)")
        known[definition.column] = definition
    unknown = [name for name in names if name.lower() not in known]
    if unknown:
        have = ", ".join(definition.short_name for definition in known.values())
        raise WrongUsageError("index_unknown", f"no index {', '.join(map(repr, unknown))}; known: {have}")
    return tuple(known[name.lower()] for name in names)


@cache
def built_in_indices() -> tuple[IndexDefinition, ...]:
    """Return the built-in catalogue, in the order of its file."""
    return read_indices(_BUILT_IN)


def read_indices(path: Path) -> tuple[IndexDefinition, ...]:
    """Return every definition of a TOML file.

    Raises
    ------
    InputUnusableError
        ``index_invalid``: the file cannot be read (with the line, where TOML says so), has an unknown key, or one of
        its indices is wrong or repeated.
    """
    try:
        content = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise InputUnusableError("index_invalid", f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputUnusableError("index_invalid", f"{path} is not TOML: {error}") from error
    entries = _entries(content, path)
    found: dict[str, IndexDefinition] = {}
    for position, entry in enumerate(entries, start=1):
        definition = _definition(entry, where=f"{path}, index {position}")
        if definition.column in found:
            raise invalid(definition.short_name, f"{path}, index {position}: defined twice (case does not count)")
        found[definition.column] = definition
    return tuple(found.values())


def _entries(content: Mapping[str, Any], path: Path) -> list[Any]:
    unknown = [key for key in content if key not in _TOP]
    if unknown:
        raise InputUnusableError("index_invalid", f"{path}: unknown key {', '.join(unknown)}; known: {', '.join(_TOP)}")
    if content.get("schema_version", SCHEMA_VERSION) != SCHEMA_VERSION:
        found = content["schema_version"]
        raise InputUnusableError("index_invalid", f"{path}: schema_version {found!r}, expected {SCHEMA_VERSION}")
    entries = content.get("index")
    if not isinstance(entries, list) or not entries:
        raise InputUnusableError("index_invalid", f"{path}: no [[index]] table, expected one or more")
    return entries


def _definition(entry: object, *, where: str) -> IndexDefinition:
    if not isinstance(entry, dict):
        raise InputUnusableError("index_invalid", f"{where}: {entry!r} is no table")
    name = entry.get("short_name", "?")
    unknown = [key for key in entry if key not in (*_REQUIRED, *_OPTIONAL)]
    if unknown:
        known = ", ".join((*_REQUIRED, *_OPTIONAL))
        raise invalid(name, f"{where}: unknown key {', '.join(unknown)}; known: {known}")
    for key in _REQUIRED:
        if not isinstance(entry.get(key), str):
            raise invalid(name, f"{where}: {key} is {entry.get(key)!r}, expected a text")
    try:
        return IndexDefinition(
            **{key: entry[key] for key in _REQUIRED},
            bands=_texts(entry.get("bands", []), name=name),
            constants=_constants(entry.get("constants", {}), name=name),
            range=_range(entry.get("range"), name=name),
        )
    except InputUnusableError as error:
        raise InputUnusableError(error.code, f"{where}: {error.detail}") from None


def _texts(value: object, *, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise invalid(name, f"bands is {value!r}, expected a list of band names")
    return tuple(value)


def _constants(value: object, *, name: str) -> tuple[tuple[str, float], ...]:
    if not isinstance(value, dict) or not all(_is_number(number) for number in value.values()):
        raise invalid(name, f"constants is {value!r}, expected names with numbers")
    return tuple((key, float(number)) for key, number in value.items())


def _range(value: object, *, name: str) -> tuple[float, float] | None:
    if value is None:
        return None
    match value:
        case [int(low) | float(low), int(high) | float(high)]:
            return float(low), float(high)
    raise invalid(name, f"range is {value!r}, expected [low, high]")


def _is_number(value: object) -> bool:
    return type(value) in {int, float}
