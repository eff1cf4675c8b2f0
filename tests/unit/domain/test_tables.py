"""Tables conform to what is declared, or say which column does not."""

import pyarrow as pa
import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.tables import HISTORY, conform, index_columns, observations


def test_an_observations_table_has_its_keys_then_one_column_an_index():
    schema = observations(["NDVI", "EVI"])
    assert schema.names[-2:] == ["ndvi", "evi"]
    assert index_columns(schema.names) == ["ndvi", "evi"]


def test_an_optional_column_that_is_absent_becomes_null():
    table = pa.table({"crop": ["maize"], "harvest_year": [2020], "yield_t_ha": [3.0], "note": ["x"]})
    conformed = conform(table, HISTORY, name="history.csv")
    assert conformed.column_names == HISTORY.names
    assert conformed["region"].to_pylist() == [None]


def test_a_missing_column_is_named_with_what_was_found():
    with pytest.raises(InputUnusableError, match=r"column_missing: history\.csv: no column yield_t_ha; found crop"):
        conform(pa.table({"crop": ["maize"], "harvest_year": [2020]}), HISTORY, name="history.csv")


def test_a_column_of_another_type_is_refused():
    table = pa.table({"crop": ["maize"], "harvest_year": [2020], "yield_t_ha": ["three"]})
    with pytest.raises(InputUnusableError, match="column_type_invalid: h: column yield_t_ha is string"):
        conform(table, HISTORY, name="h")


def test_a_hole_in_a_required_column_is_refused():
    table = pa.table({"crop": ["maize", None], "harvest_year": [2020, 2021], "yield_t_ha": [1.0, 2.0]})
    with pytest.raises(InputUnusableError, match="value_missing: h: 1 rows without crop"):
        conform(table, HISTORY, name="h")
