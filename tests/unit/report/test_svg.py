from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from agrocredit.report.display import printable
from agrocredit.report.svg import element, number

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\t\x85\u2028"))


@given(texts, texts)
def test_any_text_comes_back_from_the_parsed_element_as_it_was(text, title):
    parsed = ET.fromstring(element("text", text, aria_label=title))  # noqa: S314 - our own output
    assert (parsed.text or "") == printable(text)
    assert parsed.attrib == {"aria-label": printable(title)}


def test_markup_is_kept_and_absent_attributes_are_left_out():
    assert element("g", element("a"), Markup("<b></b>"), class_=None, id="x") == '<g id="x"><a></a><b></b></g>'


@given(st.floats(-1e6, 1e6))
def test_numbers_keep_two_decimals(value):
    assert abs(float(number(value)) - value) <= 0.00501
    assert number(value) != "-0"
