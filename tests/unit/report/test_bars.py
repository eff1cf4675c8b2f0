from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from agrocredit.report.bars import bars, binned, draw_histogram

amounts = st.lists(st.integers(1, 2**62), min_size=1, max_size=80)


def test_bars_are_as_long_as_their_share_of_the_longest():
    found = bars([("a", 5, "", "x"), ("b", 20, "", "y"), ("c", 5, "", "w")])
    assert [(bar.label, bar.percent) for bar in found] == [("b", 100.0), ("c", 25.0), ("a", 25.0)]
    assert bars([]) == ()


@given(amounts, st.sampled_from(["CNY", "UGX", "BHD"]))
def test_every_amount_is_in_exactly_one_bin_however_huge(values, currency):
    found = binned(values, currency=currency)
    assert sum(found.counts) == len(values)
    assert len(found.counts) == len(found.edges_minor) - (0 if found.beyond else 1)
    assert len(found.counts) <= 50
    assert all(low < high for low, high in pairwise(found.edges_minor))


def test_a_huge_outlier_gets_an_open_bin_and_flattens_nobody():
    values = [100_000 + 1_000 * number for number in range(100)] + [10**15]
    found = binned(values, currency="CNY")
    assert found.beyond
    assert found.counts[-1] == 1
    assert sum(count > 0 for count in found.counts[:-1]) >= 5


def test_bins_have_round_edges_in_major_units():
    found = binned([120_000, 250_000, 590_000], currency="CNY")
    assert {high - low for low, high in pairwise(found.edges_minor)} == {50_000}


def test_the_drawing_has_a_column_a_bin_with_its_range_as_title():
    values = [120_000, 250_000, 260_000]
    drawing = ET.fromstring(draw_histogram(values, currency="CNY"))  # noqa: S314 - our own output
    titles = [rect[0].text for rect in drawing.iter("rect")]
    assert len(titles) == len(binned(values, currency="CNY").counts)
    assert any(title.startswith(("CNY 2,4", "CNY 2,5")) for title in titles)
    assert draw_histogram([], currency="CNY") == ""
