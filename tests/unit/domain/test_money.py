"""Money is integer minor units; rounding is named and goes one way."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.money import Money, floor_to_step, minor_per_major


@pytest.mark.parametrize(("currency", "expected"), [("JPY", 1), ("CNY", 100), ("BHD", 1000)])
def test_currencies_have_zero_two_or_three_decimals(currency, expected):
    assert minor_per_major(currency) == expected


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(755_303, "CNY"), "CNY 7,553.03"),
        (Money(7, "JPY"), "JPY 7"),
        (Money(-1, "BHD"), "BHD -0.001"),
    ],
)
def test_money_prints_with_its_own_decimals(money, text):
    assert str(money) == text


@pytest.mark.parametrize("amount", [1.0, "100", True, None])
def test_only_an_integer_is_an_amount(amount):
    with pytest.raises(InputUnusableError, match="amount_invalid"):
        Money(amount, "CNY")


def test_two_currencies_do_not_add():
    with pytest.raises(InputUnusableError, match="currency_mismatch"):
        Money(1, "CNY") + Money(1, "CHF")


def test_an_unknown_currency_is_refused():
    with pytest.raises(InputUnusableError, match="currency_unknown: 'XXX'"):
        Money(1, "XXX")


@given(st.decimals(-(10**12), 10**12, places=4), st.integers(1, 10**7))
def test_flooring_never_rounds_up_and_loses_less_than_a_step(amount, step):
    floored = floor_to_step(amount, step)
    assert floored % step == 0
    assert 0 <= Decimal(amount) - floored < step


def test_a_step_of_zero_is_refused():
    with pytest.raises(InputUnusableError, match="step_invalid"):
        floor_to_step(1, 0)
