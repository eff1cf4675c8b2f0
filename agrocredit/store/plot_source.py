"""What the readers of plot files hand over: shapes and the few columns of the contract, checked by nobody yet.

Shapes come piece by piece, so that a million of them need not be in memory together. Those of one ring, nearly all, are
plain arrays; the others are shapely's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from agrocredit.domain.errors import RefusedError
    from agrocredit.store.plot_rings import Rings

ID_COLUMNS = ("id", "plot_id")
"""Columns that name a plot, in order of preference."""
OPTIONAL_COLUMNS = ("crop", "farmer_id", "declared_area_m2", "region")
SHOWN_CHARACTERS_MAX = 80


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlotPiece:
    """The shapes of some features: each is among the rings, among the others, or a fault."""

    rings: Sequence[Rings]
    """Features of one ring, longitude and latitude in degrees (EPSG:4326)."""
    others: NDArray[np.object_]
    """(others,) shapely geometries, or None where a feature has none, EPSG:4326."""
    rows: NDArray[np.int64]
    """(others,) position of each in the file, from 0."""
    faults: Mapping[int, RefusedError]
    """What was wrong already while reading, by position in the file."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlotSource:
    """The features of one file, in the file's order."""

    ids: pa.ChunkedArray | Sequence[object]
    """(n,) identifiers as the file has them; None where a feature has none."""
    columns: Mapping[str, pa.ChunkedArray | Sequence[object]]
    """The optional columns that the file has, each (n,)."""
    pieces: Iterable[PlotPiece]
    """The shapes of all features; can be gone through once."""


def id_column(found: Sequence[str], *, id_field: str | None, path: object, key_column: str | None = None) -> str:
    """Return the column that names the plots; `key_column` is the layer's own key, for the hint only.

    Raises
    ------
    InputUnusableError
        ``column_missing`` with the columns that were found.
    """
    for name in ID_COLUMNS if id_field is None else (id_field,):
        if name in found:
            return name
    raise missing_id_column([*found, *filter(None, [key_column])], id_field=id_field, path=path)


def missing_id_column(found: Sequence[str], *, id_field: str | None, path: object) -> InputUnusableError:
    """Return the error for a file without the column that names its plots."""
    listed = shown(", ".join(found)) if found else "no columns"
    wanted = "id (name the plots' column with --id-field)" if id_field is None else shown(id_field)
    return InputUnusableError("column_missing", f"{path}: no column {wanted}; found {listed}")


def shown(value: Any) -> str:  # noqa: ANN401 - whatever stood in the file
    r"""Return a value from a file as it may stand in a message: short, printable, without line ends.

    >>> shown("a\nb")
    "'a\\nb'"
    """
    text = ascii(value) if not isinstance(value, str) or not value.isprintable() else repr(value)
    return text if len(text) <= SHOWN_CHARACTERS_MAX else text[: SHOWN_CHARACTERS_MAX - 3] + "..."
