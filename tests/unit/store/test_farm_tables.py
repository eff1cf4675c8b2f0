from __future__ import annotations

import pyarrow as pa
import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.tables import HISTORY, HOLDINGS
from agrocredit.store.farm_tables import read_finances, read_history, read_holdings, read_rows
from agrocredit.store.tables import write_parquet


@pytest.fixture
def csv(tmp_path):
    def write(*lines, encoding="utf-8"):
        path = tmp_path / "table.csv"
        path.write_bytes("\r\n".join(lines).encode(encoding))
        return path

    return write


def test_holdings_keep_leading_zeros_and_leave_unknowns_null(csv):
    found = read_holdings(csv("plot_id,farmer_id,phone", "007,0042,1", "08,0042,2"))
    assert found.refused == ()
    assert found.table.schema == HOLDINGS
    assert found.table.to_pylist() == [
        {"farmer_id": "0042", "plot_id": "007", "tenure_share": None, "grade": None, "documented_area_m2": None},
        {"farmer_id": "0042", "plot_id": "08", "tenure_share": None, "grade": None, "documented_area_m2": None},
    ]


def test_a_byte_order_mark_and_semicolons_are_understood(csv):
    found = read_holdings(csv("farmer_id;plot_id;tenure_share", "Müller;a;0.5", encoding="utf-8-sig"))
    assert found.table.to_pylist()[0] == {
        "farmer_id": "Müller",
        "plot_id": "a",
        "tenure_share": 0.5,
        "grade": None,
        "documented_area_m2": None,
    }


def test_each_bad_holding_is_refused_by_its_row(csv):
    path = csv(
        "farmer_id,plot_id,tenure_share,grade", "f,a,1,A", "f,a,,", "f,b,1.5,", "f,c,nan,", ",d,,", "f,e,1,D", "f,g,0,"
    )
    found = read_holdings(path)
    assert found.table["plot_id"].to_pylist() == ["a", "c"]
    assert [(refusal.row, refusal.code) for refusal in found.refused] == [
        (2, "holding_duplicate"),
        (3, "tenure_share_invalid"),
        (5, "value_missing"),
        (6, "grade_invalid"),
        (7, "tenure_share_invalid"),
    ]


def test_history_takes_the_unit_of_labelled_data_for_its_region(tmp_path):
    table = pa.table(
        {"unit": ["08001"], "crop": ["winter_wheat"], "harvest_year": [2019], "yield_t_ha": [2.5], "n": [1]}
    )
    write_parquet(table, tmp_path / "labels.parquet")
    found = read_history(tmp_path / "labels.parquet")
    assert found.table.schema == HISTORY
    assert found.table.to_pylist() == [
        {"region": "08001", "crop": "winter_wheat", "harvest_year": 2019, "yield_t_ha": 2.5}
    ]


def test_history_prefers_the_region_where_both_stand(csv):
    path = csv("unit,region,crop,harvest_year,yield_t_ha", "u,r,maize,2019,1")
    assert read_history(path).table["region"].to_pylist() == ["r"]


def test_each_bad_year_of_history_is_refused_by_its_row(csv):
    rows = ["maize,2019,1.5", "maize,2019,-1", "maize,2020,inf", "maize,19,1", ",2020,1", "maize,2020,", "maize,,1"]
    found = read_history(csv("crop,harvest_year,yield_t_ha", *rows))
    assert found.table.num_rows == 1
    assert [(refusal.row, refusal.code) for refusal in found.refused] == [
        (2, "yield_invalid"),
        (3, "yield_invalid"),
        (4, "year_invalid"),
        (5, "value_missing"),
        (6, "value_missing"),
        (7, "value_missing"),
    ]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["crop,harvest_year", "maize,2019"], "column_missing"),
        (["crop,harvest_year,yield_t_ha", "maize,soon,1"], "csv_invalid"),
        (["crop,harvest_year,yield_t_ha", 'maize,2019,"1,5"'], "csv_invalid"),
        (["crop,harvest_year,yield_t_ha", "maize,2019"], "csv_invalid"),
        (["crop,harvest_year,yield_t_ha", ""], "no_usable_rows"),
        (["crop,harvest_year,yield_t_ha", "maize,2019,-1"], "no_usable_rows"),
        ([""], "csv_invalid"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_error(csv, lines, code):
    with pytest.raises(InputUnusableError) as caught:
        read_history(csv(*lines))
    assert caught.value.code == code


def test_text_that_is_not_utf8_is_an_error(csv):
    with pytest.raises(InputUnusableError, match="csv_invalid"):
        read_holdings(csv("farmer_id,plot_id", "Müller,a", encoding="latin-1"))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputUnusableError, match=r"file_missing: holdings: .*absent\.csv"):
        read_holdings(tmp_path / "absent.csv")


def test_finances_are_read_and_a_negative_amount_is_refused_by_its_row(csv):
    found = read_finances(csv("farmer_id,currency,outstanding_minor", "007,CNY,1200", "a,CNY,-1", "b,CNY,", ",CNY,5"))
    assert [row["farmer_id"] for row in found.table.to_pylist()] == ["007", "b"]
    assert [(refusal.code, refusal.row) for refusal in found.refused] == [("amount_invalid", 2), ("value_missing", 4)]


def test_a_table_read_all_or_nothing_names_the_column_without_values(csv):
    schema = pa.schema([pa.field("farmer_id", pa.string(), nullable=False), pa.field("loans", pa.int64())])
    assert read_rows(csv("farmer_id,loans", "007,3"), schema, name="loans").to_pylist() == [
        {"farmer_id": "007", "loans": 3}
    ]
    with pytest.raises(InputUnusableError, match=r"value_missing: loans: 1 rows without farmer_id"):
        read_rows(csv("farmer_id,loans", "007,3", ",4"), schema, name="loans")
