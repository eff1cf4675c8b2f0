"""Writes the canonical folder: Parquet with a unit on every column, and long series part by part.

Unlike the tables of a run these files keep Arrow's schema, because it is what carries a column's unit and its notes.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from agrocredit.store.tables import COMPRESSION, COMPRESSION_LEVEL, ROW_GROUP_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pandas as pd

LABEL_SCHEMA = pa.schema(
    [
        ("unit", pa.string()),
        ("region", pa.string()),
        ("crop", pa.string()),
        ("harvest_year", pa.int32()),
        pa.field("yield_t_ha", pa.float64(), metadata={"units": "t ha-1"}),
        pa.field("longitude", pa.float64(), metadata={"units": "degrees_east"}),
        pa.field("latitude", pa.float64(), metadata={"units": "degrees_north"}),
    ]
)


def write_labels(labels: pd.DataFrame, path: Path, *, notes: Mapping[str, str]) -> None:
    """Write labels; `notes` stand beside the unit in the metadata of the yield."""
    position = LABEL_SCHEMA.get_field_index("yield_t_ha")
    noted = LABEL_SCHEMA.field(position).with_metadata({"units": "t ha-1", **dict(sorted(notes.items()))})
    schema = LABEL_SCHEMA.set(position, noted)
    write_parts([pa.Table.from_pandas(labels, schema=schema, preserve_index=False)], path)


def write_frame(frame: pd.DataFrame, path: Path, *, units: Mapping[str, str]) -> None:
    """Write a table whose text is text, whose years are int32 and whose dates have no time of day."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    fields = [_field(field, units) for field in table.schema]
    write_parts([table.cast(pa.schema(fields))], path)


def write_parts(parts: Iterable[pa.Table], path: Path) -> int:
    """Write tables of one schema one after the other, holding one at a time; return the number of rows.

    Equal parts give equal bytes. At least one part is needed; it may be empty.
    """
    rest = iter(parts)
    first = next(rest)
    rows = 0
    with pq.ParquetWriter(
        path,
        first.schema.remove_metadata(),
        compression=COMPRESSION,
        compression_level=COMPRESSION_LEVEL,
        write_page_checksum=True,
    ) as writer:
        for part in chain([first], rest):
            plain = part.replace_schema_metadata(None).combine_chunks()
            writer.write_table(plain, row_group_size=ROW_GROUP_ROWS)
            rows += part.num_rows
    return rows


def _field(field: pa.Field, units: Mapping[str, str]) -> pa.Field:
    kind = field.type
    if field.name == "year":
        kind = pa.int32()
    elif field.name.endswith("date"):
        kind = pa.date32()
    elif pa.types.is_large_string(kind) or pa.types.is_null(kind):
        kind = pa.string()
    unit = units.get(field.name)
    return pa.field(field.name, kind, metadata={"units": unit} if unit else None)
