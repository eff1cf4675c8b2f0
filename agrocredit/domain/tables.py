"""The tables that rooms exchange, declared once: columns, types, units. ``docs/reference/tables.md`` describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.estimate import QUANTILE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

VALID_FRACTION_MIN = 0.05
"""Below this share of a plot seen clear, an index is null."""

INSTANT = pa.timestamp("us", tz="UTC")

OBSERVATION_KEYS = pa.schema(
    [
        pa.field("plot_id", pa.string(), nullable=False),
        pa.field("scene_id", pa.string(), nullable=False),
        pa.field("acquired_at", INSTANT, nullable=False),
        pa.field("valid_fraction", pa.float64(), nullable=False),
        pa.field("pixel_count", pa.float64(), nullable=False),
    ]
)

ESTIMATES = pa.schema(
    [
        pa.field("plot_id", pa.string(), nullable=False),
        pa.field("crop", pa.string(), nullable=False),
        pa.field("season", pa.string(), nullable=False),
        pa.field("harvest_year", pa.int32(), nullable=False),
        pa.field("as_of", pa.date32(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        *(pa.field(column, pa.float64()) for column in QUANTILE_COLUMNS),
        pa.field("clear_observations", pa.int32(), nullable=False),
        pa.field("release", pa.string(), nullable=False),
        pa.field("evidence_sha256", pa.string(), nullable=False),
    ]
)

DECISIONS = pa.schema(
    [
        pa.field("farmer_id", pa.string(), nullable=False),
        pa.field("season", pa.string(), nullable=False),
        pa.field("as_of", pa.date32(), nullable=False),
        pa.field("outcome", pa.string(), nullable=False),
        pa.field("limit_minor", pa.int64(), nullable=False),
        pa.field("currency", pa.string(), nullable=False),
        pa.field("binding_cap", pa.string()),
        pa.field("caps", pa.string(), nullable=False),
        pa.field("reasons", pa.list_(pa.string()), nullable=False),
        pa.field("due_on", pa.date32()),
        pa.field("policy", pa.string(), nullable=False),
        pa.field("policy_version", pa.string(), nullable=False),
        pa.field("decision_sha256", pa.string(), nullable=False),
        pa.field("limit_since", pa.date32()),
        pa.field("limit_change", pa.string()),
        pa.field("cut_pending_looks", pa.int32()),
    ]
)

HISTORY = pa.schema(
    [
        pa.field("region", pa.string()),
        pa.field("crop", pa.string(), nullable=False),
        pa.field("harvest_year", pa.int32(), nullable=False),
        pa.field("yield_t_ha", pa.float64(), nullable=False),
    ]
)

WEATHER = pa.schema(
    [
        pa.field("date", pa.date32(), nullable=False),
        pa.field("tmin_c", pa.float64()),
        pa.field("tmax_c", pa.float64()),
        pa.field("tmean_c", pa.float64(), nullable=False),
        pa.field("prec_mm", pa.float64()),
        pa.field("radiation_mj_m2", pa.float64()),
    ]
)

HOLDINGS = pa.schema(
    [
        pa.field("farmer_id", pa.string(), nullable=False),
        pa.field("plot_id", pa.string(), nullable=False),
        pa.field("tenure_share", pa.float64()),
        pa.field("grade", pa.string()),
        pa.field("documented_area_m2", pa.float64()),
    ]
)

FINANCES = pa.schema(
    [
        pa.field("farmer_id", pa.string(), nullable=False),
        pa.field("currency", pa.string(), nullable=False),
        pa.field("off_farm_income_minor", pa.int64()),
        pa.field("existing_debt_service_minor", pa.int64()),
        pa.field("outstanding_minor", pa.int64()),
    ]
)


def observations(indices: Iterable[str]) -> pa.Schema:
    """Return the schema of an observations table with these index columns, in this order.

    Parameters
    ----------
    indices : iterable of str
        Index names, in any case; columns are lower case.
    """
    schema = OBSERVATION_KEYS
    for name in indices:
        schema = schema.append(pa.field(name.lower(), pa.float64()))
    return schema


def scene_row(indices: Iterable[str]) -> np.dtype[np.void]:
    """Return the record type of what one scene says of one plot, before the scenes of a season are put together.

    Parameters
    ----------
    indices : iterable of str
        As in `observations`; NaN stands for null.

    >>> scene_row(["NDVI"]).names
    ('plot', 'valid_fraction', 'pixel_count', 'ndvi')
    """
    floats = ("valid_fraction", "pixel_count", *(name.lower() for name in indices))
    return np.dtype([("plot", "<i8"), *((name, "<f8") for name in floats)])


def index_columns(columns: Sequence[str]) -> list[str]:
    """Return the index columns among the columns of an observations table, in their order."""
    return [column for column in columns if column not in OBSERVATION_KEYS.names]


def conform(table: pa.Table, schema: pa.Schema, *, name: str) -> pa.Table:
    """Return the table with exactly the schema's columns, cast safely; optional columns that are absent become null.

    Raises
    ------
    InputUnusableError
        ``column_missing``, ``column_type_invalid`` or ``value_missing``, naming `name` and the column.
    """
    missing = [field.name for field in schema if not field.nullable and field.name not in table.column_names]
    if missing:
        raise InputUnusableError(
            "column_missing", f"{name}: no column {', '.join(missing)}; found {', '.join(table.column_names)}"
        )
    columns = [_conform_column(table, field, name) for field in schema]
    return pa.table(columns, schema=schema)


def _conform_column(table: pa.Table, field: pa.Field, name: str) -> pa.ChunkedArray | pa.Array:
    if field.name not in table.column_names:
        return pa.nulls(table.num_rows, field.type)
    column = table[field.name]
    if column.null_count and not field.nullable:
        raise InputUnusableError("value_missing", f"{name}: {column.null_count} rows without {field.name}")
    try:
        return column.cast(field.type)
    except pa.ArrowInvalid as error:
        raise InputUnusableError(
            "column_type_invalid", f"{name}: column {field.name} is {column.type}, expected {field.type} ({error})"
        ) from error
    except pa.ArrowNotImplementedError as error:
        raise InputUnusableError(
            "column_type_invalid", f"{name}: column {field.name} is {column.type}, expected {field.type}"
        ) from error
