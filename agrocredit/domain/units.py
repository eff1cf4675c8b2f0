"""Units of area, weight and yield. Every conversion of the program lives here, exact where it can be.

Sources: international acre 4,046.8564224 m2 and pound 0.45359237 kg (international yard and pound agreement, 1959);
mu 10,000/15 m2 and jin 0.5 kg (PRC State Council, legal units, 1984); rai 1,600 m2 (Thai Weights and Measures Act).
Units that differ by district (bigha, katha, feddan) are deliberately absent: an unknown unit is an error.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Literal, get_args

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Mapping

AreaUnit = Literal["m2", "ha", "mu", "acre", "rai"]
WeightUnit = Literal["kg", "t", "quintal", "jin", "pound"]

_M2_PER: dict[str, Fraction] = {
    "m2": Fraction(1),
    "ha": Fraction(10_000),
    "mu": Fraction(10_000, 15),
    "acre": Fraction("4046.8564224"),
    "rai": Fraction(1_600),
}
_KG_PER: dict[str, Fraction] = {
    "kg": Fraction(1),
    "t": Fraction(1_000),
    "quintal": Fraction(100),
    "jin": Fraction(1, 2),
    "pound": Fraction("0.45359237"),
}
_POUNDS_PER_BUSHEL = {"winter_wheat": 60, "soybean": 60, "maize": 56, "sorghum": 56}
assert set(_M2_PER) == set(get_args(AreaUnit))
assert set(_KG_PER) == set(get_args(WeightUnit))


def _factor(table: Mapping[str, Fraction], unit: str, kind: str) -> Fraction:
    try:
        return table[unit]
    except KeyError:
        raise InputUnusableError("unit_unknown", f"{kind} unit {unit!r}, expected one of {', '.join(table)}") from None


def area_to_m2(value: float, unit: str) -> float:
    """Return an area in m2.

    >>> round(area_to_m2(10, "mu"), 2)
    6666.67
    """
    return float(Fraction(value) * _factor(_M2_PER, unit, "area"))


def area_from_m2(area_m2: float, unit: str) -> float:
    """Return an area of `area_m2` in another unit.

    >>> round(area_from_m2(10_000, "mu"), 9)
    15.0
    """
    return float(Fraction(area_m2) / _factor(_M2_PER, unit, "area"))


def weight_to_kg(value: float, unit: str) -> float:
    """Return a weight in kg.

    >>> weight_to_kg(3, "quintal")
    300.0
    """
    return float(Fraction(value) * _factor(_KG_PER, unit, "weight"))


def yield_to_t_ha(value: float, *, weight_unit: str, area_unit: str) -> float:
    """Return a yield in t/ha from a weight an area.

    >>> round(yield_to_t_ha(1, weight_unit="quintal", area_unit="acre"), 6)
    0.247105
    """
    kg = Fraction(value) * _factor(_KG_PER, weight_unit, "weight")
    return float(kg / 1_000 / (_factor(_M2_PER, area_unit, "area") / 10_000))


def bushels_to_t_ha(value_bu_acre: float, *, crop: str) -> float:
    """Return a yield in t/ha from bushels an acre; a bushel weighs what its crop weighs.

    Source: USDA Agricultural Handbook 697 (1992), weights, measures and conversion factors.

    >>> round(bushels_to_t_ha(1, crop="winter_wheat"), 6)
    0.067251
    """
    if crop not in _POUNDS_PER_BUSHEL:
        raise InputUnusableError("unit_unknown", f"bushel of {crop!r}, expected one of {', '.join(_POUNDS_PER_BUSHEL)}")
    pounds = Fraction(value_bu_acre) * _POUNDS_PER_BUSHEL[crop]
    return float(pounds * _KG_PER["pound"] / 1_000 / (_M2_PER["acre"] / 10_000))


def at_moisture(weight: float, *, moisture_percent: float, basis_percent: float) -> float:
    """Return the weight that the same dry matter has at another moisture, in the unit of `weight`.

    >>> at_moisture(1000.0, moisture_percent=0.0, basis_percent=20.0)
    1250.0
    """
    for name, percent in (("moisture_percent", moisture_percent), ("basis_percent", basis_percent)):
        if not 0 <= percent < 100:
            raise InputUnusableError("moisture_invalid", f"{name} is {percent}, expected 0 to under 100")
    return weight * (100 - moisture_percent) / (100 - basis_percent)
