from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.domain.errors import InputUnusableError
from agrocredit.report.display import area, counted, day, day_range, money, percent, printable, tonnes


@given(st.text(st.characters()))
def test_printable_text_can_be_written_as_utf8_and_holds_no_control_character(text):
    shown = printable(text)
    shown.encode("utf-8")
    assert len(shown) == len(text)
    assert not any(ord(character) < 32 or character in "\u202e\u2066" for character in shown)


def test_a_direction_override_cannot_turn_an_id_around():
    assert printable("plot\u202e1000") == "plot\ufffd1000"


@given(st.integers(0, 2**63 - 1), st.sampled_from(["CNY", "UGX", "BHD"]))
def test_money_shows_every_minor_unit(amount_minor, currency):
    code, number = money(amount_minor, currency).split(" ")
    digits = {"CNY": 2, "UGX": 0, "BHD": 3}[currency]
    whole, _, rest = number.replace(",", "").partition(".")
    assert code == currency
    assert int(whole) * 10**digits + int(rest or 0) == amount_minor


def test_money_of_an_unknown_currency_is_an_error():
    with pytest.raises(InputUnusableError, match="currency_unknown"):
        money(1, "XXX")


def test_areas_keep_about_three_digits_in_every_unit():
    assert area(10_000, "mu") == "15.0 mu"
    assert area(123.4, "m2") == "123 m²"
    assert area(4046.8564224, "acre") == "1.00 acre"
    assert area(5e6, "ha") == "500 ha"


def test_numbers_of_one_and_of_none_read_right():
    assert counted(1, "farmer") == "1 farmer"
    assert counted(0, "farmer") == "0 farmers"
    assert percent(0, 0) == "\u2013"
    assert percent(1, 1000) == "0.1 %"
    assert percent(999, 1000) == "100 %"


def test_yields_keep_the_digits_that_matter():
    assert [tonnes(value) for value in (0.0, 0.456, 5.25, 31.7)] == ["0.00", "0.46", "5.2", "32"]


def test_dates_name_their_month():
    assert day(date(2026, 1, 31)) == "31 Jan 2026"
    assert day_range(date(2026, 1, 31), date(2026, 1, 31)) == "31 Jan 2026"
    assert day_range(date(2025, 12, 1), date(2026, 1, 31)) == "1 Dec 2025 to 31 Jan 2026"
