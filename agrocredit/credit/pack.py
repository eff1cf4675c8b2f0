"""Policy packs as text: TOML in, dated parameters out, every fault with its file and line.

A parameter is a table with ``unit``, ``reference``, ``illustrative`` and ``values`` by from-date; ``description`` is
optional. A value holds from its date until the next one, so values can neither overlap nor leave a hole after the
first.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NoReturn

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PARAMETER_KEYS = {"unit", "reference", "illustrative", "values"}
_OPTIONAL_KEYS = {"description"}
_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+|\"[^\"]*\")\s*=")
_AT_LINE = re.compile(r"\(at line (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One dated number of a pack, with where it comes from."""

    path: str
    """Dotted name: ``product.rate``."""
    unit: str
    reference: str
    """Where the number can be read, or who set it."""
    illustrative: bool
    """True where no source stands behind the number."""
    values: tuple[tuple[date, object], ...]
    """Value by the day it comes into force, rising."""

    def on(self, day: date) -> object | None:
        """Return the value in force on a day, None before the first."""
        held = [value for since, value in self.values if since <= day]
        return held[-1] if held else None


@dataclass(frozen=True, slots=True)
class PackText:
    """A pack's text and its name, to say where a fault stands."""

    source: str
    """File name as the user gave it."""
    text: str

    def parse(self) -> dict[str, Any]:
        """Return the TOML document; decimals stay exact.

        Raises
        ------
        InputUnusableError
            ``policy_invalid`` with file and line.
        """
        try:
            return tomllib.loads(self.text, parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            found = _AT_LINE.search(str(error))
            line = int(found[1]) if found else self.text.count("\n") + 1
            raise InputUnusableError("policy_invalid", f"{self.source}:{line}: not TOML: {error}") from error

    def refuse(self, path: str, detail: str) -> NoReturn:
        """Raise ``policy_invalid`` about a dotted path, at its line."""
        raise InputUnusableError("policy_invalid", f"{self.source}:{self.line_of(path)}: {path}: {detail}")

    def line_of(self, path: str) -> int:
        """Return the line where a path stands, or that of its nearest enclosing table; 1 for the pack itself."""
        lines = self._lines()
        while path and path not in lines:
            path = path.rpartition(".")[0]
        return lines.get(path, 1)

    def _lines(self) -> dict[str, int]:
        lines: dict[str, int] = {}
        table = ""
        for number, line in enumerate(self.text.splitlines(), start=1):
            if header := _HEADER.match(line):
                table = header[1].replace('"', "").replace(" ", "")
                lines.setdefault(table, number)
            elif key := _KEY.match(line):
                name = key[1].strip('"')
                lines.setdefault(f"{table}.{name}" if table else name, number)
        return lines


def read_parameter(pack: PackText, path: str, table: object) -> Parameter:
    """Return one parameter of a pack, checked but for its unit.

    Raises
    ------
    InputUnusableError
        ``policy_invalid`` with file and line: a key missing or unknown, or dates that are no dates or do not rise.
    """
    if not isinstance(table, dict):
        pack.refuse(path, f"{table!r}, expected a table with {', '.join(sorted(_PARAMETER_KEYS))}")
    for key in sorted(_PARAMETER_KEYS - table.keys()):
        pack.refuse(path, f"no {key}")
    for key in table.keys() - _PARAMETER_KEYS - _OPTIONAL_KEYS:
        pack.refuse(f"{path}.{key}", "unknown key")
    for key, kind in (("unit", str), ("reference", str), ("illustrative", bool), ("values", dict)):
        if not isinstance(table[key], kind) or table[key] in ("", {}):
            pack.refuse(f"{path}.{key}", f"{table[key]!r}, expected a non-empty {kind.__name__}")
    return Parameter(
        path=path,
        unit=table["unit"],
        reference=table["reference"],
        illustrative=table["illustrative"],
        values=read_dates(pack, f"{path}.values", table["values"]),
    )


def read_dates(pack: PackText, path: str, values: Mapping[str, object]) -> tuple[tuple[date, object], ...]:
    """Return values by their from-dates, which must be written in rising order.

    Raises
    ------
    InputUnusableError
        ``policy_invalid`` with file and line.
    """
    dated = []
    for text, value in values.items():
        try:
            dated.append((date.fromisoformat(text), value))
        except ValueError:
            pack.refuse(path, f"{text!r} is no date, expected YYYY-MM-DD")
    for (earlier, _), (later, _) in pairwise(dated):
        if later <= earlier:
            pack.refuse(path, f"{later} stands after {earlier}, expected rising dates")
    return tuple(dated)
