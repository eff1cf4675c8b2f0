"""A spectral index as a record: what an analyst writes down, checked at birth."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agrocredit.domain.tables import OBSERVATION_KEYS
from agrocredit.indices.formula import FUNCTIONS, invalid, names_in, parse_formula

if TYPE_CHECKING:
    import ast

BANDS: tuple[str, ...] = (
    "blue",
    "green",
    "red",
    "rededge1",
    "rededge2",
    "rededge3",
    "nir",
    "nir08",
    "swir16",
    "swir22",
)
"""Bands a formula may name, by wavelength: STAC common names, the three red edges numbered."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexDefinition:
    """One index: a formula over reflectance (0 to 1, unclipped), with its constants and its source.

    Raises
    ------
    InputUnusableError
        ``index_invalid``, naming the index, what is wrong, and the column in the formula where there is one.
    """

    short_name: str
    """Name in commands and, in lower case, the column of the observations table."""
    long_name: str
    formula: str
    """Arithmetic over band names, the names of `constants` and numbers; functions ``abs max min sqrt``."""
    reference: str
    """DOI or address of the publication that defines the index."""
    bands: tuple[str, ...] = ()
    """Common names of the bands in the formula; taken from it where not given."""
    constants: tuple[tuple[str, float], ...] = ()
    """Names and values of the constants in the formula."""
    range: tuple[float, float] | None = None
    """Values to expect over land, for people and plots; nothing is clipped to it."""

    def __post_init__(self) -> None:
        self._check_texts()
        self._check_numbers()
        self._check_formula()

    @property
    def tree(self) -> ast.expr:
        """The formula's syntax tree; nothing but allowed arithmetic is in it."""
        return parse_formula(self.formula, index=self.short_name)

    @property
    def column(self) -> str:
        """Name of the index's column in the observations table."""
        return self.short_name.lower()

    def _check_texts(self) -> None:
        if not _NAME.fullmatch(self.short_name):
            raise invalid(self.short_name, "short_name must be a letter, then up to 39 letters, digits or _")
        if self.column in OBSERVATION_KEYS.names:
            raise invalid(self.short_name, "the name belongs to another column of the observations table")
        for name in ("long_name", "reference"):
            if not getattr(self, name).strip():
                raise invalid(self.short_name, f"{name} is empty")

    def _check_numbers(self) -> None:
        names = [name for name, _ in self.constants]
        for name, value in self.constants:
            if not _NAME.fullmatch(name) or name in BANDS or name in FUNCTIONS or names.count(name) > 1:
                raise invalid(self.short_name, f"constant {name!r} has no name of its own")
            if not math.isfinite(value):
                raise invalid(self.short_name, f"constant {name} is {value}, expected a finite number")
        if self.range is not None and not self.range[0] < self.range[1]:
            raise invalid(self.short_name, f"range {list(self.range)}, expected [low, high]")

    def _check_formula(self) -> None:
        constants = [name for name, _ in self.constants]
        nodes = names_in(self.tree)
        for node in nodes:
            if node.id not in BANDS and node.id not in constants:
                detail = f"{node.id!r} is neither a constant of the index nor one of the bands {', '.join(BANDS)}"
                raise invalid(self.short_name, f"formula {self.formula!r}, column {node.col_offset + 1}: {detail}")
        used = {node.id for node in nodes}
        unused = [name for name in constants if name not in used]
        if unused:
            raise invalid(self.short_name, f"constant {', '.join(unused)} is not in the formula {self.formula!r}")
        self._check_bands(tuple(band for band in BANDS if band in used))

    def _check_bands(self, used: tuple[str, ...]) -> None:
        if not used:
            raise invalid(self.short_name, f"formula {self.formula!r} names no band")
        if self.bands and sorted(self.bands) != sorted(used):
            raise invalid(self.short_name, f"bands {list(self.bands)}, but the formula uses {list(used)}")
        object.__setattr__(self, "bands", used)
