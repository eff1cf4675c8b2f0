from __future__ import annotations

import os
from datetime import UTC, date, datetime

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.tables import HISTORY, HOLDINGS
from agrocredit.store.tables import read_parquet_table, write_parquet

TABLE = pa.table(
    {
        "text": pa.array(["a", None, "ä"]),
        "number": pa.array([1.5, None, float("nan")]),
        "instant": pa.array([datetime(2022, 5, 1, tzinfo=UTC)] * 3, pa.timestamp("us", tz="UTC")),
        "day": pa.array([date(2022, 5, 1)] * 3),
        "list": pa.array([["x"], [], None], pa.list_(pa.string())),
    }
)


def test_a_table_reads_back_with_its_types(tmp_path):
    write_parquet(TABLE, tmp_path / "a.parquet")
    found = read_parquet_table(tmp_path / "a.parquet", None, "a")
    assert found.schema.types[:4] == TABLE.schema.types[:4]
    assert str(found.to_pydict()) == str(TABLE.to_pydict())


def test_how_the_rows_were_collected_does_not_show_in_the_bytes(tmp_path):
    write_parquet(TABLE, tmp_path / "whole")
    write_parquet(pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1)]), tmp_path / "pieces")
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "pieces").read_bytes()


def test_a_table_that_went_through_pandas_has_the_same_bytes(tmp_path):
    plain = pa.table({"a": [1, 2]})
    write_parquet(plain, tmp_path / "plain")
    write_parquet(pa.Table.from_pandas(pd.DataFrame({"a": [1, 2]}), preserve_index=False), tmp_path / "pandas")
    assert (tmp_path / "plain").read_bytes() == (tmp_path / "pandas").read_bytes()


def test_other_metadata_is_kept(tmp_path):
    write_parquet(TABLE.replace_schema_metadata({"geo": "{}"}), tmp_path / "a")
    assert pq.read_schema(tmp_path / "a").metadata == {b"geo": b"{}"}


def test_an_empty_table_reads_back(tmp_path):
    write_parquet(HOLDINGS.empty_table(), tmp_path / "a")
    assert read_parquet_table(tmp_path / "a", HOLDINGS, "holdings").num_rows == 0


def test_a_column_that_is_missing_is_named(tmp_path):
    write_parquet(pa.table({"farmer_id": ["f"]}), tmp_path / "a")
    with pytest.raises(InputUnusableError, match="holdings: no column plot_id") as caught:
        read_parquet_table(tmp_path / "a", HOLDINGS, "holdings")
    assert caught.value.code == "column_missing"


def test_a_column_of_another_type_is_named(tmp_path):
    write_parquet(pa.table({"crop": ["maize"], "harvest_year": ["soon"], "yield_t_ha": [1.0]}), tmp_path / "a")
    with pytest.raises(InputUnusableError, match="harvest_year") as caught:
        read_parquet_table(tmp_path / "a", HISTORY, "history")
    assert caught.value.code == "column_type_invalid"


def test_a_file_or_folder_that_is_no_table_is_an_error_with_its_name(tmp_path):
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(InputUnusableError, match="estimates: no file") as caught:
            read_parquet_table(path, None, "estimates")
        assert caught.value.code == "file_missing"


@pytest.mark.parametrize("content", [b"", b"PAR1", b"<html>", b"PAR1" + bytes(100) + b"PAR1"])
def test_content_that_is_not_parquet_is_refused(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(InputUnusableError) as caught:
        read_parquet_table(tmp_path / "a", None, "a")
    assert caught.value.code == "parquet_invalid"


def test_a_truncated_file_is_refused(tmp_path):
    write_parquet(TABLE, tmp_path / "a")
    os.truncate(tmp_path / "a", (tmp_path / "a").stat().st_size - 10)
    with pytest.raises(InputUnusableError, match="parquet_invalid"):
        read_parquet_table(tmp_path / "a", None, "a")


def test_each_flipped_bit_in_the_values_is_noticed(tmp_path):
    path = tmp_path / "a"
    write_parquet(pa.table({"a": list(range(500)), "b": [str(n) for n in range(500)]}), path)
    content = path.read_bytes()
    for index in range(2):
        chunk = pq.ParquetFile(path).metadata.row_group(0).column(index)
        end = (chunk.dictionary_page_offset or chunk.data_page_offset) + chunk.total_compressed_size
        for at in range(end - 20, end):
            for bit in range(8):
                path.write_bytes(content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :])
                with pytest.raises(InputUnusableError, match="parquet_invalid"):
                    read_parquet_table(path, None, "a")
        path.write_bytes(content)
