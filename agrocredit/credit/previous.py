"""Which limits are in force: read from the decisions of an earlier day."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from agrocredit.credit.in_force import InForce
from agrocredit.domain.decision import Outcome
from agrocredit.domain.errors import InputUnusableError, Refusal, RefusedError
from agrocredit.domain.tables import DECISIONS, conform

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import pyarrow as pa


def limits_in_force(
    previous: pa.Table, *, currency: str, as_of: date, refused: list[Refusal]
) -> Mapping[tuple[str, str], InForce]:
    """Return the limits in force by farmer and season.

    Parameters
    ----------
    previous : pyarrow.Table
        `agrocredit.domain.tables.DECISIONS`; what was not approved leaves no limit.
    currency : str
        Of the policy that decides now.
    as_of : date
        Day of the decision.
    refused : list of Refusal
        Rows that no decision can have written are added here; their farmers are decided as new.

    Raises
    ------
    InputUnusableError
        ``currency_mismatch``, ``date_out_of_range`` for a decision of a later day, ``id_duplicated``, or what
        `agrocredit.domain.tables.conform` raises.
    """
    found: dict[tuple[str, str], InForce] = {}
    for row, values in enumerate(conform(previous, DECISIONS, name="previous decisions").to_pylist()):
        if values["currency"] != currency:
            detail = f"previous decisions: row {row} is in {values['currency']}, the policy in {currency}"
            raise InputUnusableError("currency_mismatch", detail)
        if values["as_of"] > as_of:
            detail = f"previous decisions: row {row} is of {values['as_of']}, later than the decision of {as_of}"
            raise InputUnusableError("date_out_of_range", detail)
        if values["outcome"] != Outcome.APPROVED:
            continue
        key = values["farmer_id"], values["season"]
        if key in found:
            raise InputUnusableError("id_duplicated", f"previous decisions: row {row}: a second limit of one season")
        try:
            found[key] = InForce(
                limit_minor=values["limit_minor"],
                binding_cap=values["binding_cap"],
                caps=tuple(sorted(json.loads(values["caps"]).items())),
                reasons=tuple(values["reasons"]),
                due_on=values["due_on"],
                since=values["limit_since"] or values["as_of"],
                cut_pending_looks=values["cut_pending_looks"],
                decision_sha256=values["decision_sha256"],
            )
        except (RefusedError, ValueError, TypeError, AttributeError) as error:
            refused.append(Refusal(code="in_force_invalid", detail=f"previous decisions: {error}", row=row))
    return found
