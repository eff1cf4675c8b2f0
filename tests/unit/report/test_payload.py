from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.report import payload as module
from agrocredit.report.atlas import draw_atlas
from agrocredit.report.curve_cards import shared_frame
from agrocredit.report.joined import join_run
from agrocredit.report.payload import notes, payload, safe_json

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_embedded_json_reads_back_and_cannot_leave_its_script_element(value):
    text = safe_json(value)
    assert json.loads(text) == value
    assert not set(text) & set("<>&")
    assert text.isascii()


def test_a_number_that_json_cannot_say_is_our_mistake():
    with pytest.raises(ValueError, match="not JSON compliant"):
        safe_json([float("nan")])


def packed(inputs):
    run = join_run(inputs)
    return run, payload(inputs, run, atlas=draw_atlas(run), frame=shared_frame(inputs, run))


def test_columns_of_plots_and_of_farmers_are_equally_long_and_refer_to_each_other(run_of_sixty):
    run, data = packed(run_of_sixty)
    assert {len(column) for column in data["plots"].values()} == {len(run.plots)}
    assert {len(column) for column in data["farmers"].values()} == {len(run.farmers)}
    for farmer_id, plots in zip(data["farmers"]["id"], data["farmers"]["plots"], strict=True):
        for plot in plots:
            assert farmer_id in run.plots[plot].farmer_ids
    assert sorted(data["painted"]) == list(range(len(run.plots)))
    assert len(data["looks"]["packed"]) == len(run.plots)


def test_numbers_of_texts_say_what_the_tables_say(run_of_sixty):
    _, data = packed(run_of_sixty)
    decisions = run_of_sixty.decisions.set_index("farmer_id")
    for farmer_id, limit, reasons in zip(
        data["farmers"]["id"], data["farmers"]["minor"], data["farmers"]["reasons"], strict=True
    ):
        assert limit == decisions.loc[farmer_id, "limit_minor"]
        expected = [run_of_sixty.sentence(code) for code in decisions.loc[farmer_id, "reasons"]]
        assert [data["texts"][number] for number in reasons] == expected


def test_beyond_the_caps_curves_and_farmers_are_thinned_and_hashes_cut_and_the_page_says_so(run_of_sixty, monkeypatch):
    monkeypatch.setattr(module, "CURVES_MAX", 25)
    monkeypatch.setattr(module, "FULL_HASHES_MAX", 10)
    monkeypatch.setattr("agrocredit.report.limits.FARMERS_LISTED_MAX", 15)
    run, data = packed(run_of_sixty)
    assert data["looks"]["every"] == 3
    assert len(data["looks"]["packed"]) == 20
    assert len(data["farmers"]["id"]) == 15
    assert {len(digest) for digest in data["farmers"]["hash"]} == {12}
    assert {len(digest) for digest in data["plots"]["evidence"]} == {12}
    said = list(notes(run, draw_atlas(run)))
    assert "20 of 60 plots" in said[0]
    assert "15 largest limits" in said[1]


def test_a_page_that_leaves_nothing_out_says_nothing(run_of_sixty):
    run = join_run(run_of_sixty)
    assert list(notes(run, draw_atlas(run))) == []
