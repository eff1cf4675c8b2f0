"""Which limits are in force: read from the decisions of an earlier day, and kept as a table until a case asks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from agrocredit.credit.in_force import InForce
from agrocredit.credit.usable import codes, rows_of
from agrocredit.domain.decision import Outcome
from agrocredit.domain.errors import InputUnusableError, Refusal, RefusedError
from agrocredit.domain.tables import DECISIONS, conform

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

_ROWS_AT_ONCE = 4_096
_SEPARATOR = "\x1f"


def limits_in_force(previous: pa.Table, *, currency: str, as_of: date, refused: list[Refusal]) -> pa.Table:
    """Return the earlier decisions that left a limit, each of which `in_force_of` can read.

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
    table = conform(previous, DECISIONS, name="previous decisions")
    for row in _rows(pc.not_equal(table["currency"], currency)):
        found = table["currency"][row].as_py()
        raise InputUnusableError(
            "currency_mismatch", f"previous decisions: row {row + 1} is in {found}, the policy in {currency}"
        )
    for row in _rows(pc.greater(table["as_of"], pa.scalar(as_of))):
        found = table["as_of"][row].as_py()
        detail = f"previous decisions: row {row + 1} is of {found}, later than the decision of {as_of}"
        raise InputUnusableError("date_out_of_range", detail)
    approved = _rows(pc.equal(table["outcome"], str(Outcome.APPROVED)))
    number, _ = codes(_keys(table.take(pa.array(approved))))
    if len(np.unique(number)) < len(number):
        raise InputUnusableError("id_duplicated", "previous decisions: two limits of one farmer's season, expected one")
    return table.take(pa.array(approved[_readable(table, approved, refused)]))


def _rows(chosen: pa.ChunkedArray) -> NDArray[np.int64]:
    return np.flatnonzero(chosen.to_numpy()).astype(np.int64)


def _keys(table: pa.Table) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(table["farmer_id"], table["season"], _SEPARATOR)


def _readable(table: pa.Table, rows: NDArray[np.int64], refused: list[Refusal]) -> NDArray[np.bool_]:
    """Return True where a row is a limit that a decision can have given, (rows,)."""
    readable = np.ones(len(rows), dtype=bool)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[start : start + _ROWS_AT_ONCE]
        for i, values in enumerate(table.take(pa.array(some)).to_pylist()):
            try:
                in_force_of(values)
            except (RefusedError, ValueError, TypeError, AttributeError) as error:
                readable[start + i] = False
                detail = f"previous decisions: {error}"
                refused.append(Refusal(code="in_force_invalid", detail=detail, row=int(some[i]) + 1))
    return readable


def rows_in_force(limits: pa.Table, *, farmer: pa.Array, season: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return the row of each case's limit in force, `agrocredit.credit.usable.NO_ROW` without one, (cases,)."""
    wanted = pa.table({"farmer_id": farmer, "season": season})
    return rows_of(_keys(wanted), among=_keys(limits))


def in_force_of(row: Mapping[str, Any]) -> InForce:
    """Return the limit in force that a row of decisions gave.

    Raises
    ------
    RefusedError, ValueError, TypeError or AttributeError
        If no decision can have written the row.
    """
    if row["due_on"] is None:
        raise RefusedError("in_force_invalid", "an approved limit without a due date")
    return InForce(
        limit_minor=row["limit_minor"],
        binding_cap=row["binding_cap"],
        caps=tuple(sorted(json.loads(row["caps"]).items())),
        reasons=tuple(row["reasons"]),
        due_on=row["due_on"],
        since=row["limit_since"] or row["as_of"],
        cut_pending_looks=row["cut_pending_looks"],
        decision_sha256=row["decision_sha256"],
    )
