"""What an error says is one short printable line, whatever was found."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.domain.errors import DETAIL_LENGTH_MAX, InputUnusableError, Refusal, one_line


@given(st.text(max_size=3_000))
def test_a_detail_is_one_printable_line_of_bounded_length(text):
    line = one_line(text)
    assert line.isprintable()
    assert len(line) <= DETAIL_LENGTH_MAX
    assert one_line(line) == line


def test_marks_that_move_a_terminal_or_turn_its_reading_order_are_spelled_out():
    assert one_line("found \x1b[2J\u202e\ud800\x00") == "found \\x1b[2J\\u202e\\ud800\\x00"


def test_words_of_other_languages_stay():
    assert one_line("Parzelle  Tänikon\n麦田") == "Parzelle Tänikon 麦田"


def test_a_long_detail_keeps_what_was_named_and_what_was_expected():
    line = one_line(f"weather.csv: found {'x' * 5_000}, expected a date")
    assert line.startswith("weather.csv: found x")
    assert line.endswith("x, expected a date")
    assert len(line) == DETAIL_LENGTH_MAX


@pytest.mark.parametrize("make", [InputUnusableError, lambda code, detail: Refusal(code=code, detail=detail)])
def test_errors_and_refusals_are_born_with_such_a_line(make):
    born = make("csv_invalid", "a\n\x07" + "b" * 5_000)
    assert born.detail == one_line("a\n\x07" + "b" * 5_000)
    assert pickle.loads(pickle.dumps(born)).detail == born.detail  # noqa: S301 - our own bytes
