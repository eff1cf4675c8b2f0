"""A pack held still: the terms of its newest day on every day, so that a past season is lent to by today's rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agrocredit.credit.policy import CreditPolicy


def held_terms(policy: CreditPolicy, *, price_volatility: Mapping[str, float] | None = None) -> CreditPolicy:
    """Return the policy with the values of its newest day in force on every day.

    Parameters
    ----------
    policy : CreditPolicy
    price_volatility : mapping of str to float, optional
        By crop, instead of the pack's own: what was known of prices on the day of the decision.

    Raises
    ------
    InputUnusableError
        ``price_invalid`` for a crop the pack does not know, or a volatility that is not a number from 0.
    """
    given = {f"crop.{crop}.price_volatility": value for crop, value in (price_volatility or {}).items()}
    for path, value in given.items():
        if path not in policy.parameters or not 0.0 <= value < float("inf"):
            raise InputUnusableError("price_invalid", f"{path} of {value}, expected a number from 0 of a known crop")
    newest = max(since for parameter in policy.parameters.values() for since, _ in parameter.values)
    newest = max(newest, policy.versions[-1][0])
    parameters = {
        path: replace(
            parameter,
            values=((date.min, Decimal(repr(given[path])) if path in given else parameter.on(newest)),),
        )
        for path, parameter in policy.parameters.items()
    }
    return replace(policy, versions=((date.min, policy.version),), parameters=parameters)
