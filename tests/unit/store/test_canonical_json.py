from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.store.canonical_json import json_bytes, json_text, write_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_what_is_written_reads_back(value):
    assert json.loads(json_text(value)) == value
    assert json.loads(json_bytes(value)) == value


@given(st.dictionaries(st.text(), st.integers(), min_size=2))
def test_the_order_of_keys_does_not_show(record):
    turned = dict(reversed(record.items()))
    assert json_text(record) == json_text(turned)
    assert json_bytes(record) == json_bytes(turned)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("-inf")]}])
def test_numbers_that_json_does_not_have_are_refused(value):
    with pytest.raises(ValueError, match="JSON compliant"):
        json_text(value)


def test_a_record_is_written_as_utf8_with_one_line_end(tmp_path):
    write_json({"name": "Zürich"}, tmp_path / "a.json")
    assert (tmp_path / "a.json").read_bytes() == '{\n  "name": "Zürich"\n}\n'.encode()
