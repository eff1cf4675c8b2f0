import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.service.problems import Problem
from agrocredit.service.strict_json import DEPTH_MAX, TEXT_CHARACTERS_MAX, check_text, parse


def refusal(data):
    with pytest.raises(Problem) as caught:
        parse(data)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        '{"a": Infinity}',
        '{"a": -Infinity}',
        '{"a": 1e999}',
        '{"a": 1, "a": 1}',
        '{"a": {"b": 1, "b": 2}}',
        "",
        "{",
        "[1,]",
        "01",
        "'a'",
        "[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1),
        "[" * 100_000,
        "9" * 5_000,
        "\ufeff{}",
    ],
)
def test_what_readers_take_in_different_ways_is_no_json(text):
    assert refusal(text.encode()).code == "json_invalid"


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (rb'{"a": ["x", "\ud800"]}', "/a/1"),
        (rb'{"a/b": "\u0000"}', "/a~1b"),
        ('{"name": "abc\u202edef"}'.encode(), "/name"),
        (b'{"a": "' + b"x" * (TEXT_CHARACTERS_MAX + 1) + b'"}', "/a"),
    ],
)
def test_text_made_to_be_misread_is_refused_where_it_stands(data, field):
    problem = refusal(data)
    assert (problem.code, problem.field) == ("text_invalid", field)


@pytest.mark.parametrize("data", [b'"\xc0\x80"', b'"\xff"', b'"\xed\xa0\x80"'])
def test_overlong_and_broken_utf8_is_refused(data):
    assert refusal(data).code == "text_invalid"


def test_a_key_with_half_a_pair_is_refused():
    assert refusal(rb'{"\udfff": 1}').code == "text_invalid"


plain_text = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=20)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | plain_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain_text, inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_plain_json_reads_as_the_standard_library_reads_it(value):
    data = json.dumps(value).encode()
    assert parse(data) == json.loads(data)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_problem(data):
    with contextlib.suppress(Problem):
        parse(data)


def test_letters_of_every_script_are_text():
    for name in ("Mwangi wa Kamau", "李小龙", "अमित", "Nguyễn Thị", "O\u2019Brien"):
        check_text(name, field="name")
