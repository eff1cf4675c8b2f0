"""Daily weather of US counties, millions of rows: one state at a time is in memory, sorted, each day once.

Winter wheat is sown the autumn before. A day counts to the harvest year it can still matter for: from 1 September on to
the next one (usual planting begins in September: USDA, Agricultural Handbook 628).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from agrocredit.domain.errors import InputUnusableError, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

DAILY_COLUMNS = ("county_fips", "date", "t2m_c", "tmax_c", "tmin_c", "prec_mm")
DAYS_FROM_SOWING_TO_NEW_YEAR = 122
"""1 September to 31 December, in every year."""
_NAMES = {"t2m_c": "t_mean_c", "tmax_c": "t_max_c", "tmin_c": "t_min_c", "prec_mm": "rain_sum_mm"}
_MISSING_BELOW = -90.0
"""NASA POWER writes -999 where it knows nothing; no county has been as cold as -90 degrees C."""
_DAYS_A_COUNTY = 1_000_000
_SCHEMA = pa.schema(
    [("unit", pa.string()), ("year", pa.int32()), ("date", pa.date32())]
    + [pa.field(name, pa.float32(), metadata={"units": name.rsplit("_", 1)[1]}) for name in _NAMES.values()]
)


def daily_parts(paths: Sequence[Path], refused: list[Refusal]) -> Iterator[pa.Table]:
    """Yield the weather of one state after the other, sorted by county and date.

    Parameters
    ----------
    paths : sequence of Path
        Parquet or CSV, split in any way by state, county or year.
    refused : list of Refusal
        Gains a ``series_contradiction`` for every row whose day another row of the county describes otherwise, and a
        ``value_missing`` for every row without a county or a date.

    Raises
    ------
    InputUnusableError
        ``file_invalid`` with the cause; ``column_type_invalid`` for a county that is no number or a date that is none.
    """
    states = {path: _states(path, refused) for path in paths}
    every = sorted(set().union(*states.values()))
    if not every:
        yield _SCHEMA.empty_table()
    for state in every:
        parts = [_rows_of(path, state) for path in paths if state in states[path]]
        yield _one_state(pa.concat_tables(parts), refused)


def _states(path: Path, refused: list[Refusal]) -> set[int]:
    keys = _columns(path, ["county_fips", "date"])
    nameless = pc.invert(_named(keys))
    refused.extend(
        Refusal(code="value_missing", detail=f"{path.name}: no county or no date", row=at + 1)
        for at in pc.indices_nonzero(nameless).to_pylist()
    )
    counties = pc.unique(keys["county_fips"].drop_null())
    return {int(county) // 1000 for county in counties.to_pylist()}


def _named(table: pa.Table) -> pa.ChunkedArray:
    return pc.and_(pc.is_valid(table["county_fips"]), pc.is_valid(table["date"]))


def _rows_of(path: Path, state: int) -> pa.Table:
    table = _columns(path, list(DAILY_COLUMNS))
    inside = pc.and_(_named(table), pc.equal(pc.divide(table["county_fips"], 1000), state))
    rows = pc.add(pc.indices_nonzero(inside), 1)
    kept = table.filter(inside).append_column("row", rows.cast(pa.int64()))
    return kept.append_column("file", pa.array([path.name] * len(rows)).dictionary_encode())


def _columns(path: Path, names: list[str]) -> pa.Table:
    """Return columns with county numbers, whole days and single precision, half the size of the file's own types."""
    try:
        if path.suffix == ".parquet":
            table = pq.read_table(path, columns=names)
        else:
            table = pa.Table.from_pandas(pd.read_csv(path, usecols=names), preserve_index=False)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InputUnusableError("file_invalid", f"{path.name}: {error}") from error
    kinds = {"county_fips": pa.int32(), "date": pa.date32()}
    try:
        columns = {name: _as(table[name], kinds.get(name, pa.float32())) for name in names}
    except pa.ArrowException as error:
        raise InputUnusableError("column_type_invalid", f"{path.name}: {error}") from error
    return pa.table(columns)


def _as(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_date(kind) and not pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("us"))
    return column.cast(kind, safe=False)


def _one_state(table: pa.Table, refused: list[Refusal]) -> pa.Table:
    county = table["county_fips"].to_numpy().astype(np.int64)
    key = county * _DAYS_A_COUNTY + table["date"].cast(pa.int32()).to_numpy()
    values = np.column_stack([table[name].to_numpy() for name in _NAMES])
    values[(values[:, :3] < _MISSING_BELOW).any(axis=1), :3] = np.nan
    values[values[:, 3] < 0, 3] = np.nan
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    group = np.cumsum(np.diff(key[order], prepend=-1) != 0) - 1
    same = np.all(_equal(values[order], values[order][first][group]), axis=1)
    contradicted = np.zeros(len(first), dtype=bool)
    contradicted[group[~same]] = True
    refused.extend(_contradiction(table, int(at)) for at in order[contradicted[group]])
    kept = order[first][~contradicted]
    day = table["date"].to_numpy()[kept].astype("datetime64[D]")
    year = (day + DAYS_FROM_SOWING_TO_NEW_YEAR).astype("datetime64[Y]").astype(np.int32) + 1970
    unit = pc.utf8_lpad(pa.array(county[kept]).cast(pa.string()), 5, padding="0")
    measured = [pa.array(values[kept, column], from_pandas=True) for column in range(len(_NAMES))]
    return pa.Table.from_arrays([unit, pa.array(year), pa.array(day), *measured], schema=_SCHEMA)


def _equal(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.asarray((left == right) | (np.isnan(left) & np.isnan(right)))


def _contradiction(table: pa.Table, at: int) -> Refusal:
    row = table.slice(at, 1).to_pylist()[0]
    detail = f"{row['file']}: county {row['county_fips']:05d} on {row['date']}, another row says otherwise"
    return Refusal(code="series_contradiction", detail=detail, row=row["row"])
