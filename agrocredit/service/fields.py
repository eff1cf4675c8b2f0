"""Fields of requests: what may stand in them, with a stable code for what may not."""

from __future__ import annotations

import sys
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from agrocredit.domain.entry import AMOUNT_MAX_MINOR
from agrocredit.domain.money import MINOR_DIGITS

_ID = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$"


class Body(BaseModel):
    """A request: nothing is converted, nothing extra is let through."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Answer(BaseModel):
    """An answer, as documented."""

    model_config = ConfigDict(frozen=True)


def _amount(value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - JSON
    currency = info.data.get("currency", "")  # not there where it was refused itself
    if type(value) is float and not value.is_integer() and MINOR_DIGITS.get(currency) == 0:
        raise PydanticCustomError(
            "currency_mismatch", "{currency} has no decimals, expected a whole number", {"currency": currency}
        )
    if type(value) is not int or not 1 <= value <= AMOUNT_MAX_MINOR:
        raise PydanticCustomError(
            "amount_invalid", "expected a whole number of minor units from 1 to {most}", {"most": AMOUNT_MAX_MINOR}
        )
    return value


def _currency(value: Any) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(value, str) or value not in MINOR_DIGITS:
        raise PydanticCustomError("currency_mismatch", "expected one of {known}", {"known": ", ".join(MINOR_DIGITS)})
    return value


def _share(value: Any) -> Any:  # noqa: ANN401 - JSON
    if type(value) not in (int, float) or not 0 < value <= 1:
        raise PydanticCustomError("tenure_share_invalid", "expected a number above 0 and up to 1")
    return float(value)


def _declared_area(value: Any) -> Any:  # noqa: ANN401 - JSON
    # A whole number of hundreds of digits is below infinity and still no double.
    if type(value) not in (int, float) or not 0 < value <= sys.float_info.max:
        raise PydanticCustomError("declared_area_invalid", "expected square metres above 0")
    return float(value)


AmountMinor = Annotated[
    int, BeforeValidator(_amount, json_schema_input_type=Annotated[int, Field(ge=1, le=AMOUNT_MAX_MINOR)])
]
"""Whole minor units; 1e2, "100" and true are not. Stands below its `currency`, which says whether it has decimals."""
Currency = Annotated[
    str, BeforeValidator(_currency), Field(description="ISO 4217", json_schema_extra={"enum": sorted(MINOR_DIGITS)})
]
Share = Annotated[float, BeforeValidator(_share), Field(json_schema_extra={"exclusiveMinimum": 0, "maximum": 1})]
DeclaredArea = Annotated[float, BeforeValidator(_declared_area), Field(json_schema_extra={"exclusiveMinimum": 0})]
Id = Annotated[str, Field(pattern=_ID, description="letters, digits, dot, underscore, colon, hyphen; up to 64")]
Season = Annotated[str, Field(pattern=r"^(19|20|21)[0-9]{2}$", description="the year of the harvest")]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
