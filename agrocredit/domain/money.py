"""Money in integer minor units of an ISO 4217 currency. No float ever enters; rounding is a named function."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from agrocredit.domain.errors import InputUnusableError

MINOR_DIGITS: dict[str, int] = {
    "BHD": 3,
    "CHF": 2,
    "CNY": 2,
    "EUR": 2,
    "INR": 2,
    "JPY": 0,
    "KES": 2,
    "UGX": 0,
    "USD": 2,
    "XOF": 0,
}
"""Decimals of the minor unit (ISO 4217, list one); a currency that is not here is refused."""


def minor_per_major(currency: str) -> int:
    """Return how many minor units make one unit of `currency`.

    >>> minor_per_major("CNY")
    100
    """
    try:
        return int(10 ** MINOR_DIGITS[currency])
    except KeyError:
        raise InputUnusableError(
            "currency_unknown", f"{currency!r}, expected one of {', '.join(MINOR_DIGITS)}"
        ) from None


def floor_to_step(amount_minor: Decimal | int, step_minor: int) -> int:
    """Return the largest multiple of `step_minor` that is not above the amount: in the lender's favour.

    >>> floor_to_step(Decimal("755303.9"), 10_000)
    750000
    """
    if step_minor <= 0:
        raise InputUnusableError("step_invalid", f"rounding step of {step_minor} minor units, expected 1 or more")
    if isinstance(amount_minor, int):
        return amount_minor // step_minor * step_minor
    return int((Decimal(amount_minor) / step_minor).to_integral_value(rounding=ROUND_FLOOR)) * step_minor


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount of one currency, in its integer minor unit."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int:
            raise InputUnusableError(
                "amount_invalid", f"{self.amount_minor!r} is no integer number of minor units of {self.currency}"
            )
        minor_per_major(self.currency)

    def __str__(self) -> str:
        digits = MINOR_DIGITS[self.currency]
        return f"{self.currency} {Decimal(self.amount_minor).scaleb(-digits):,.{digits}f}"

    def __add__(self, other: Money) -> Money:
        if self.currency != other.currency:
            raise InputUnusableError("currency_mismatch", f"{self.currency} and {other.currency} cannot be added")
        return Money(self.amount_minor + other.amount_minor, self.currency)
