"""A user's own tables, CSV or Parquet: who farms which plot, what is owed, what a region brought in earlier years."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv as pa_csv

from agrocredit.domain.errors import InputUnusableError, Refusal, RefusedError
from agrocredit.domain.plot import Holding
from agrocredit.domain.tables import FINANCES, HISTORY, HOLDINGS, conform
from agrocredit.store.tables import read_parquet_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PARQUET_MAGIC = b"PAR1"
_EMPTY_WORDS = ["", "NA", "N/A", "null", "NULL", "NaN", "nan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedTable:
    """The usable rows of a user's table, and the others with the reason."""

    table: pa.Table
    """Rows in the file's order, with the declared columns."""
    refused: tuple[Refusal, ...]
    """One record a refused row; `row` counts from 1 and does not count the header."""


def read_holdings(path: Path) -> CheckedTable:
    """Return who farms which plot with what share.

    Parameters
    ----------
    path : Path
        CSV (UTF-8, comma or semicolon) or Parquet with ``farmer_id``, ``plot_id`` and, where known, ``tenure_share``
        (above 0 to 1) and ``grade`` (A, B or C).

    Returns
    -------
    CheckedTable
        Columns of `agrocredit.domain.tables.HOLDINGS`; a share or grade that was not given is null.

    Raises
    ------
    InputUnusableError
        ``file_missing``, ``parquet_invalid``, ``csv_invalid``, what `agrocredit.domain.tables.conform` raises, or
        ``no_usable_rows``.
    """
    table = _read(path, HOLDINGS, name="holdings", aliases={})
    seen: set[tuple[str, str]] = set()

    def check(row: dict[str, object]) -> None:
        given = {key: value for key, value in row.items() if value is not None}
        holding = Holding(**given)  # type: ignore[arg-type]  # conform() settled the types
        if (holding.farmer_id, holding.plot_id) in seen:
            raise RefusedError("holding_duplicate", f"farmer {holding.farmer_id} holds {holding.plot_id} twice")
        seen.add((holding.farmer_id, holding.plot_id))

    return _checked(table, check, schema=HOLDINGS, name="holdings")


def read_finances(path: Path) -> CheckedTable:
    """Return what a lender knows of farmers' money, amounts in minor units.

    Parameters
    ----------
    path : Path
        CSV (UTF-8, comma or semicolon) or Parquet with ``farmer_id``, ``currency`` and, where known,
        ``off_farm_income_minor``, ``existing_debt_service_minor`` and ``outstanding_minor``.

    Returns
    -------
    CheckedTable
        Columns of `agrocredit.domain.tables.FINANCES`; an amount that was not given is null.

    Raises
    ------
    InputUnusableError
        As in `read_holdings`.
    """
    table = _read(path, FINANCES, name="finances", aliases={})
    return _checked(table, _check_amounts, schema=FINANCES, name="finances")


def _check_amounts(row: dict[str, object]) -> None:
    for name, value in row.items():
        if isinstance(value, int) and value < 0:
            raise RefusedError("amount_invalid", f"{name} is {value}, expected 0 or more")


def read_history(path: Path) -> CheckedTable:
    """Return what a region brought in earlier years.

    Parameters
    ----------
    path : Path
        CSV (UTF-8, comma or semicolon) or Parquet with ``crop``, ``harvest_year``, ``yield_t_ha`` and, where there are
        several, ``region``. Where ``region`` is absent ``unit`` is taken for it, as in canonical labelled data.

    Returns
    -------
    CheckedTable
        Columns of `agrocredit.domain.tables.HISTORY`.

    Raises
    ------
    InputUnusableError
        As in `read_holdings`.
    """
    table = _read(path, HISTORY, name="history", aliases={"unit": "region"})
    return _checked(table, _check_history, schema=HISTORY, name="history")


def read_rows(path: Path, schema: pa.Schema, *, name: str) -> pa.Table:
    """Return a user's table with the columns of a schema, all or nothing: a row that cannot be read ends it.

    Parameters
    ----------
    path : Path
        CSV (UTF-8, comma or semicolon) or Parquet.
    schema : pyarrow.Schema
        Columns wanted; those that may be null may be absent.
    name : str
        What to call the table in errors.

    Raises
    ------
    InputUnusableError
        ``file_missing``, ``parquet_invalid``, ``csv_invalid``, or what `agrocredit.domain.tables.conform` raises.
    """
    return conform(_read(path, schema, name=name, aliases={}), schema, name=name)


def _check_history(row: dict[str, object]) -> None:
    yield_t_ha, year = row["yield_t_ha"], row["harvest_year"]
    if not isinstance(yield_t_ha, float) or not math.isfinite(yield_t_ha) or yield_t_ha < 0:
        raise RefusedError("yield_invalid", f"yield_t_ha is {yield_t_ha}, expected a number from 0")
    if not isinstance(year, int) or not 1000 <= year <= 9999:
        raise RefusedError("year_invalid", f"harvest_year is {year}, expected four digits")


def _read(path: Path, schema: pa.Schema, *, name: str, aliases: dict[str, str]) -> pa.Table:
    if not path.is_file():
        raise InputUnusableError("file_missing", f"{name}: no file {path}")
    with path.open("rb") as file:
        is_parquet = file.read(len(_PARQUET_MAGIC)) == _PARQUET_MAGIC
    table = read_parquet_table(path, None, name) if is_parquet else _read_csv(path, schema, name=name)
    names = table.column_names
    renamed = [aliases[column] if aliases.get(column, column) not in names else column for column in names]
    table = table.rename_columns(renamed)
    conform(table.slice(0, 0), schema, name=name)  # a missing column ends it; a missing value is one row's affair
    return conform(table, pa.schema([field.with_nullable(nullable=True) for field in schema]), name=name)


def _read_csv(path: Path, schema: pa.Schema, *, name: str) -> pa.Table:
    """Return the CSV's rows; declared text stays text, so that an id 007 keeps its zeros."""
    with path.open("rb") as file:
        header = file.readline()
    delimiter = ";" if header.count(b";") > header.count(b",") else ","
    try:
        return pa_csv.read_csv(
            path,
            parse_options=pa_csv.ParseOptions(delimiter=delimiter),
            convert_options=pa_csv.ConvertOptions(
                column_types={field.name: field.type for field in schema} | {"unit": pa.string()},
                null_values=_EMPTY_WORDS,
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InputUnusableError("csv_invalid", f"{name}: {path}: {error}") from error


def _checked(
    table: pa.Table, check: Callable[[dict[str, object]], None], *, schema: pa.Schema, name: str
) -> CheckedTable:
    kept: list[int] = []
    refused: list[Refusal] = []
    for index, row in enumerate(table.to_pylist()):
        try:
            _check_present(row, schema)
            check(row)
        except RefusedError as error:
            refused.append(error.refusal(row=index + 1))
        else:
            kept.append(index)
    if not kept:
        why = f"; the first: {refused[0].detail}" if refused else ""
        raise InputUnusableError("no_usable_rows", f"{name}: none of {table.num_rows} rows can be used{why}")
    return CheckedTable(table=table.take(kept).cast(schema), refused=tuple(refused))


def _check_present(row: dict[str, object], schema: pa.Schema) -> None:
    for field in schema:
        value = row[field.name]
        if not field.nullable and (value is None or (isinstance(value, str) and not value.strip())):
            raise RefusedError("value_missing", f"no {field.name}")
