"""Units of policy numbers: reads a value with its unit into the one form the room computes in, or says what is wrong.

Amounts an area become major units a square metre, amounts a weight become major units a tonne; money becomes integer
minor units. So a policy may speak of mu or hectares, of jin or tonnes, and no formula below knows.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.money import minor_per_major
from agrocredit.domain.units import area_to_m2, weight_to_kg

Kind = Literal[
    "money",
    "money_per_area",
    "money_per_weight",
    "money_per_month",
    "rate",
    "share",
    "ratio",
    "correlation",
    "level",
    "days",
    "months",
    "count",
    "years",
    "choice",
]

_PLAIN_UNITS: dict[str, str] = {
    "rate": "1/year",
    "share": "share",
    "ratio": "ratio",
    "correlation": "correlation",
    "level": "probability",
    "days": "day",
    "months": "month",
    "count": "count",
    "years": "year",
    "choice": "choice",
}
_SHAPES: dict[str, str] = {
    "money": "{currency}",
    "money_per_area": "{currency}/AREA, as {currency}/ha",
    "money_per_weight": "{currency}/WEIGHT, as {currency}/t",
    "money_per_month": "{currency}/month",
}
_WHOLE = {"days", "months", "count", "years"}
_KG_PER_T = 1_000


class QuantityError(ValueError):
    """A policy value that cannot be read; the loader adds file and line."""


def read_quantity(kind: Kind, value: object, unit: str, *, currency: str) -> int | float | Decimal | str:
    """Return a policy value in the form the room computes in.

    Parameters
    ----------
    kind : str
        What the parameter is.
    value : object
        As TOML gave it: int, Decimal, or str for a choice.
    unit : str
        As the pack states it.
    currency : str
        ISO 4217 code of the pack.

    Returns
    -------
    int, float, Decimal or str
        ``money``: minor units. ``money_per_area``: major units a m2. ``money_per_weight``: major units a tonne.
        ``money_per_month``: major units. ``rate``: Decimal share a year. ``days``, ``months``, ``count``, ``years``:
        int. ``choice``: str. Else float.

    Raises
    ------
    QuantityError
        If the unit is not one of the kind, or the value no number inside the kind's range.
    """
    if kind == "choice":
        if unit != "choice" or not isinstance(value, str):
            raise QuantityError(f"{value!r} in {unit!r}, expected a word in unit 'choice'")
        return value
    factor_unit = _check_unit(kind, unit, currency)
    number = _number(value)
    _check_range(kind, number)
    if kind == "money":
        return _whole(number * minor_per_major(currency), f"{value} {currency} in minor units")
    if kind == "money_per_area":
        return float(number) / _known(area_to_m2, factor_unit)
    if kind == "money_per_weight":
        return float(number) * _KG_PER_T / _known(weight_to_kg, factor_unit)
    if kind in _WHOLE:
        return _whole(number, f"{value} {unit}")
    return number if kind == "rate" else float(number)


def _check_unit(kind: Kind, unit: str, currency: str) -> str:
    """Return the unit after the slash, or an empty text, once the unit is known to be of this kind."""
    if kind in _PLAIN_UNITS:
        if unit != _PLAIN_UNITS[kind]:
            raise QuantityError(f"unit {unit!r}, expected {_PLAIN_UNITS[kind]!r}")
        return ""
    before, _, after = unit.partition("/")
    after_fits = {"money": after == "", "money_per_month": after == "month"}.get(kind, after != "")
    if before != currency or not after_fits:
        raise QuantityError(f"unit {unit!r}, expected {_SHAPES[kind].format(currency=currency)}")
    return after


def _known(convert: object, unit: str) -> float:
    try:
        return convert(1, unit)  # type: ignore[operator,no-any-return]
    except InputUnusableError as error:
        raise QuantityError(error.detail) from error


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise QuantityError(f"value {value!r}, expected a number")
    number = Decimal(value)
    if not number.is_finite():
        raise QuantityError(f"value {value}, expected a finite number")
    return number


def _check_range(kind: Kind, number: Decimal) -> None:
    low, high = Decimal(-1 if kind == "correlation" else 0), Decimal(1)
    if number < low:
        raise QuantityError(f"value {number}, expected {low} or more")
    if kind in {"share", "correlation", "level"} and number > high:
        raise QuantityError(f"value {number}, expected {high} or less")
    if kind == "level" and number in {low, high}:
        raise QuantityError(f"value {number}, expected between 0 and 1")


def _whole(number: Decimal, name: str) -> int:
    if number != number.to_integral_value():
        raise QuantityError(f"{name} is {number}, expected a whole number")
    return int(number)
