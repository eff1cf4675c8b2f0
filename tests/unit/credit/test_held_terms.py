"""A pack held still speaks on every day with the values of its newest."""

from datetime import date
from decimal import Decimal

import pytest

from agrocredit.credit import load_policy
from agrocredit.credit.held_terms import held_terms
from agrocredit.domain.errors import InputUnusableError


def test_the_newest_values_hold_on_every_day():
    policy = load_policy("winter-wheat-ch")
    newest = policy.on(date(2030, 1, 1))
    for day in (date(1961, 3, 1), date(2022, 1, 1), date(2030, 1, 1)):
        terms = held_terms(policy).on(day)
        assert terms.version == newest.version
        assert terms.crops == newest.crops
        assert terms.sha256 == newest.sha256
    assert policy.on(date(2021, 8, 1)).crops["winter_wheat"].price == 500.0  # the pack itself is as it was


def test_a_volatility_known_on_the_day_replaces_the_packs():
    policy = held_terms(load_policy("maize-ke"), price_volatility={"maize": 0.31})
    terms = policy.on(date(2001, 1, 1))
    assert terms.crops["maize"].price_volatility == 0.31
    assert terms.product.rate == Decimal("0.16")
    assert terms.crops["maize"].price == 30_500.0


@pytest.mark.parametrize("given", [{"rye": 0.1}, {"maize": -0.1}, {"maize": float("nan")}, {"maize": float("inf")}])
def test_what_is_no_volatility_is_refused(given):
    with pytest.raises(InputUnusableError) as caught:
        held_terms(load_policy("maize-ke"), price_volatility=given)
    assert caught.value.code == "price_invalid"
