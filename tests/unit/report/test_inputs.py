from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pytest
import shapely

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.tables import DECISIONS, ESTIMATES, HOLDINGS
from agrocredit.report.inputs import ReportInputs, checked_frame


def make_plots(ids=("a", "b"), crs="EPSG:4326") -> gpd.GeoDataFrame:
    squares = [shapely.box(number, 0, number + 0.001, 0.001) for number in range(len(ids))]
    return gpd.GeoDataFrame({"id": list(ids), "area_m2": 1e4}, geometry=squares, crs=crs)


def make_inputs(**changes) -> ReportInputs:
    return ReportInputs(**{"title": "t", "simulated": False, "plots": make_plots(), **changes})


def test_a_crs_that_only_swaps_the_axes_order_is_the_same():
    assert make_inputs(plots=make_plots(crs="OGC:CRS84")).title == "t"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"plots": make_plots(crs="EPSG:32649")}, "crs_unsupported"),
        ({"plots": make_plots(crs=None)}, "crs_unsupported"),
        ({"plots": make_plots(ids=("a", "a"))}, "id_duplicate"),
        ({"plots": make_plots().drop(columns="area_m2")}, "column_missing"),
        ({"area_unit": "bigha"}, "unit_unknown"),
        ({"clear_fraction_min": 0.0}, "valid_fraction_invalid"),
        ({"gap_days_min": 0}, "gap_days_invalid"),
    ],
)
def test_inputs_that_cannot_be_drawn_are_refused_with_a_code(changes, code):
    with pytest.raises(InputUnusableError) as caught:
        make_inputs(**changes)
    assert caught.value.code == code


def test_a_reason_without_a_sentence_is_shown_as_its_words():
    inputs = make_inputs(sentences={"yield_low": "Too weak."})
    assert inputs.sentence("yield_low") == "Too weak."
    assert inputs.sentence("no_price_known") == "No price known."
    assert make_inputs(sentences=str.upper).sentence("yield_low") == "YIELD_LOW"


@pytest.mark.parametrize("table", [None, pd.DataFrame(), ESTIMATES.empty_table(), ESTIMATES.empty_table().to_pandas()])
def test_a_table_without_rows_is_no_table(table):
    assert checked_frame(table, ESTIMATES, name="estimates") is None


def test_pandas_and_arrow_tables_give_the_same_rows():
    frame = pd.DataFrame({"farmer_id": ["f"], "plot_id": ["p"], "tenure_share": [None], "grade": ["A"], "more": [1]})
    from_pandas = checked_frame(frame, HOLDINGS, name="holdings")
    from_arrow = checked_frame(pa.Table.from_pandas(frame), HOLDINGS, name="holdings")
    pd.testing.assert_frame_equal(from_pandas, from_arrow)
    assert list(from_pandas.columns) == HOLDINGS.names


def test_a_missing_column_is_named_with_its_table():
    with pytest.raises(InputUnusableError, match="column_missing: decisions: no column season"):
        checked_frame(pd.DataFrame({"farmer_id": ["f"]}), DECISIONS, name="decisions")


def test_mixed_types_in_a_column_are_one_clear_error():
    with pytest.raises(InputUnusableError, match="column_type_invalid: holdings"):
        checked_frame(pd.DataFrame({"farmer_id": ["f", 1], "plot_id": ["a", "b"]}), HOLDINGS, name="holdings")
