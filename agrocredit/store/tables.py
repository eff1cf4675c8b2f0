"""Parquet tables, written atomically with the same bytes for the same rows, and read back against a declared schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.tables import conform
from agrocredit.store.atomic import atomic_file

if TYPE_CHECKING:
    from pathlib import Path

COMPRESSION = "zstd"
COMPRESSION_LEVEL = 1
"""Higher ones cost twice the time for one per cent of the size: most of our bytes are measured numbers."""
ROW_GROUP_ROWS = 250_000
_SORTED = frozenset({"plot_id", "farmer_id"})
"""Rows are sorted by these: equal ones stand side by side, where zstd finds them sooner than a dictionary does."""
_PANDAS_KEY = b"pandas"


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a table atomically; equal rows, columns and metadata give equal bytes.

    Parameters
    ----------
    table : pyarrow.Table
        Rows in their final order. Metadata that pandas adds (it names library versions) is left out.
    path : Path
        Final file name.

    Raises
    ------
    InputUnusableError
        ``output_unwritable`` with the cause.
    """
    kept = {key: value for key, value in (table.schema.metadata or {}).items() if key != _PANDAS_KEY}
    # Pages follow the chunks in memory, so one chunk a column: how the rows were collected must not show.
    plain = table.replace_schema_metadata(None).combine_chunks()
    with atomic_file(path) as temporary, _writer(temporary, plain.schema) as writer:
        writer.add_key_value_metadata(kept)
        writer.write_table(plain, row_group_size=ROW_GROUP_ROWS)


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    # Arrow's own copy of the schema is left out: Parquet's types say all that our tables need.
    return pq.ParquetWriter(
        path,
        schema,
        compression=COMPRESSION,
        compression_level=COMPRESSION_LEVEL,
        # Measured numbers hardly repeat: a dictionary of them doubles the time and adds a sixth to the size.
        use_dictionary=[one.name for one in schema if not pa.types.is_floating(one.type) and one.name not in _SORTED],
        store_schema=False,
        write_page_checksum=True,
    )


def read_parquet_table(path: Path, schema: pa.Schema | None, name: str) -> pa.Table:
    """Return a Parquet file's rows, with exactly the schema's columns where a schema is given.

    Parameters
    ----------
    path : Path
        One Parquet file.
    schema : pyarrow.Schema or None
        Declared columns (``domain/tables.py``); None keeps the file's own.
    name : str
        What to call the table in errors: ``estimates``.

    Raises
    ------
    InputUnusableError
        ``file_missing``, ``parquet_invalid``, or what `agrocredit.domain.tables.conform` raises.
    """
    if not path.is_file():
        raise InputUnusableError("file_missing", f"{name}: no file {path}")
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise InputUnusableError(
            "parquet_invalid", f"{name}: {path} is not a readable Parquet file ({error})"
        ) from error
    return table if schema is None else conform(table, schema, name=name)
