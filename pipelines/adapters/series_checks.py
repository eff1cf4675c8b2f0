"""Checks short series: rows that stand twice count once, rows that contradict each other are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pipelines.adapters.adapted import ORIGIN_COLUMNS
from pipelines.adapters.files import refuse_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agrocredit.domain.errors import Refusal


def check_series(series: pd.DataFrame, *, key: Sequence[str]) -> tuple[pd.DataFrame, list[Refusal]]:
    """Return a series with one row a key, sorted by it, and a refusal for every row that another contradicts.

    Parameters
    ----------
    series : DataFrame
        As `Adapted.series`.
    key : sequence of str
        Columns that name a row: unit, year, date and, where there is one, the step.
    """
    key = list(key)
    values = [column for column in series.columns if column not in ORIGIN_COLUMNS]
    distinct = series.sort_values([*key, "file", "row"], ignore_index=True).drop_duplicates(values)
    contradicting = distinct.duplicated(key, keep=False)
    refused = [
        refuse_row("series_contradiction", row, f"{row.unit} in {row.year}, another row says otherwise")
        for row in distinct[contradicting].itertuples()
    ]
    return distinct.loc[~contradicting, values].reset_index(drop=True), refused


def one_row_a_unit(static: pd.DataFrame) -> pd.DataFrame:
    """Return what does not change with the season, one row a unit; of several the first in the order of the values."""
    if static.empty:
        return static
    columns = ["unit", *(column for column in static.columns if column != "unit")]
    return static[columns].sort_values(columns).drop_duplicates("unit").reset_index(drop=True)


def numbers(table: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    """Return columns under new names as floats; what is no number is missing.

    Parameters
    ----------
    table : DataFrame
    columns : dict
        New name by the name in the file.
    """
    return pd.DataFrame(
        {new: pd.to_numeric(table[old], errors="coerce").astype("float64") for old, new in columns.items()}
    )
