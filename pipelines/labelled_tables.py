"""Reads the tables of a folder in the canonical labelled form, as `agrocredit data adapt` writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from agrocredit.domain.errors import InputUnusableError
from pipelines.adapters.adapted import LABEL_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_NUMBERS = ("yield_t_ha", "longitude", "latitude")


def labelled_table(path: Path, columns: Sequence[str]) -> pa.Table:
    """Return a table of a labelled folder, after looking for the columns it must have.

    Parameters
    ----------
    path : Path
        ``FOLDER/labels.parquet`` and the like.
    columns : sequence of str
        Others may stand beside them.

    Raises
    ------
    InputUnusableError
        ``file_missing``, ``labels_unreadable`` or ``column_missing``, naming folder and file.
    """
    name = f"{path.parent.name}/{path.name}"
    if not path.is_file():
        raise InputUnusableError("file_missing", f"no file {name}, expected a folder that `data adapt` wrote")
    try:
        table = pq.read_table(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InputUnusableError("labels_unreadable", f"{name}: {error}") from error
    missing = [column for column in columns if column not in table.column_names]
    if missing:
        raise InputUnusableError("column_missing", f"{name}: no column {', '.join(missing)}")
    return table


def labels_of(folder: Path, *, named: Sequence[str] = ("unit", "crop")) -> pd.DataFrame:
    """Return the labels of a folder as they stand, but numbers as numbers and harvest years whole.

    Parameters
    ----------
    folder : Path
    named : sequence of str
        Columns that no row leaves empty.

    Raises
    ------
    InputUnusableError
        As `labelled_table`; ``labels_unreadable`` for a row without a whole year or one of its names, or with a text
        where a number belongs.
    """
    path = folder / "labels.parquet"
    labels: pd.DataFrame = labelled_table(path, LABEL_COLUMNS).to_pandas()
    years = pd.to_numeric(labels["harvest_year"], errors="coerce")
    wrong = (years % 1 != 0) | labels[list(named)].isna().any(axis=1)
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        found = ", ".join(f"{name} {labels[name].iloc[row]}" for name in ("harvest_year", *named))
        detail = f"row {row + 1} has {found}, expected a whole year and names"
        raise InputUnusableError("labels_unreadable", f"{folder.name}/labels.parquet: {detail}")
    numbers = {column: _numbers(labels[column], folder) for column in _NUMBERS}
    return labels.assign(harvest_year=years.astype("int64"), **numbers)


def _numbers(column: pd.Series, folder: Path) -> pd.Series:
    """Return a column as floats; what is empty stays so."""
    found = pd.to_numeric(column, errors="coerce").astype("float64")
    wrong = found.isna() & column.notna()
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        detail = f"row {row + 1} has {column.name} {column.iloc[row]}, expected a number"
        raise InputUnusableError("labels_unreadable", f"{folder.name}/labels.parquet: {detail}")
    return found
