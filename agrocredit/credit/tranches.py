"""Tranches: part of a limit at once, the rest when the field shows what it is for, or when a time-out ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from agrocredit.credit.field_events import FieldEvent
from agrocredit.credit.rounding import split_by_largest_remainder
from agrocredit.domain.decision import Outcome
from agrocredit.domain.errors import InputUnusableError, Refusal
from agrocredit.domain.tables import DECISIONS, conform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agrocredit.credit.policy import CreditPolicy

SEEN = pa.schema(
    [
        pa.field("farmer_id", pa.string(), nullable=False),
        pa.field("season", pa.string(), nullable=False),
        pa.field("event", pa.string(), nullable=False),
        pa.field("seen_on", pa.date32(), nullable=False),
    ]
)
"""What was seen on a farmer's fields, and on which day; a row for each event of a `FieldEvent`."""
TRANCHES = pa.schema(
    [
        pa.field("farmer_id", pa.string(), nullable=False),
        pa.field("season", pa.string(), nullable=False),
        pa.field("tranche", pa.int32(), nullable=False),
        pa.field("amount_minor", pa.int64(), nullable=False),
        pa.field("currency", pa.string(), nullable=False),
        pa.field("released_on", pa.date32()),
        pa.field("because", pa.string(), nullable=False),
        pa.field("waits_until", pa.date32()),
        pa.field("decision_sha256", pa.string(), nullable=False),
    ]
)
"""One row a part of a limit; `waits_until` is the day on which time alone releases a part that waits."""


class Because(StrEnum):
    """Why a part of a limit is released, or is not."""

    AT_ONCE = "at_once"
    SEEN = "seen"
    """The event was seen."""
    TIME_OUT = "time_out"
    """Nothing was seen in time; cloud must not keep money from a farmer."""
    WAITING = "waiting"
    """Not yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidOut:
    """Parts of limits, and what could not be used."""

    tranches: pa.Table
    """`TRANCHES`, by farmer and season."""
    refused: tuple[Refusal, ...]


def tranches(decisions: pa.Table, *, seen: pa.Table | None, policy: CreditPolicy, as_of: date) -> PaidOut:
    """Return the parts of each approved limit and which of them are released by a day.

    Parameters
    ----------
    decisions : pyarrow.Table
        `agrocredit.domain.tables.DECISIONS` under the policy.
    seen : pyarrow.Table or None
        `SEEN`; None where nothing was seen.
    policy : CreditPolicy
        Its terms on the day of each decision say how a limit is parted; without a ``[tranches]`` section it is paid
        out at once.
    as_of : date
        What is seen later is refused, and what is released later waits.

    Raises
    ------
    InputUnusableError
        ``policy_differs`` for decisions of another policy, ``date_out_of_range`` for decisions of a later day, or what
        `agrocredit.domain.tables.conform` raises.
    """
    rows = conform(decisions, DECISIONS, name="decisions").to_pylist()
    refused: list[Refusal] = []
    first_seen = {} if seen is None else _first_seen(conform(seen, SEEN, name="seen"), rows, as_of, refused)
    parts: list[dict[str, Any]] = []
    for row in sorted(rows, key=lambda row: (row["farmer_id"], row["season"])):
        _check(row, policy, as_of)
        if row["outcome"] == Outcome.APPROVED:
            parts += _parts(row, first_seen, policy, as_of)
    return PaidOut(tranches=pa.Table.from_pylist(parts, schema=TRANCHES), refused=tuple(refused))


def _check(row: Mapping[str, Any], policy: CreditPolicy, as_of: date) -> None:
    if row["policy"] != policy.name:
        raise InputUnusableError("policy_differs", f"decided under {row['policy']}, asked to pay out by {policy.name}")
    if row["as_of"] > as_of:
        raise InputUnusableError("date_out_of_range", f"a decision of {row['as_of']}, later than {as_of}")


def _first_seen(
    seen: pa.Table, rows: list[dict[str, Any]], as_of: date, refused: list[Refusal]
) -> dict[tuple[str, str, str], date]:
    """Return the first day on which each event was seen on a farmer's fields of a season."""
    known = {(row["farmer_id"], row["season"]) for row in rows}
    found: dict[tuple[str, str, str], date] = {}
    for number, values in enumerate(seen.to_pylist(), start=1):
        key = values["farmer_id"], values["season"], values["event"]
        fault = None
        if key[:2] not in known:
            fault = ("decision_unknown", f"no decision on farmer {key[0]} in season {key[1]}")
        elif key[2] not in set(FieldEvent):
            fault = ("event_unknown", f"event {key[2]!r}, expected one of {', '.join(FieldEvent)}")
        elif values["seen_on"] > as_of:
            fault = ("date_out_of_range", f"seen on {values['seen_on']}, later than {as_of}")
        if fault:
            refused.append(Refusal(code=fault[0], detail=fault[1], row=number))
        else:
            found[key] = min(values["seen_on"], found.get(key, date.max))
    return found


def _parts(
    row: Mapping[str, Any], first_seen: Mapping[tuple[str, str, str], date], policy: CreditPolicy, as_of: date
) -> Iterator[dict[str, Any]]:
    """Give the parts of one limit, which sum to it exactly."""
    rule = policy.on(row["as_of"]).tranches
    share = Fraction(1) if rule is None else Fraction(str(rule.share_at_once))
    weights = (share.numerator, share.denominator - share.numerator)
    amounts = split_by_largest_remainder(row["limit_minor"], weights=weights)
    since = row["limit_since"] or row["as_of"]  # a limit that is looked at again each week must not wait anew
    same = {name: row[name] for name in ("farmer_id", "season", "currency", "decision_sha256")}
    if amounts[0]:
        yield {
            **same,
            "tranche": 1,
            "amount_minor": amounts[0],
            "released_on": since,
            "because": Because.AT_ONCE,
        }
    if rule is None or not amounts[1]:
        return
    latest = since + timedelta(days=rule.time_out_days)
    seen_on = first_seen.get((row["farmer_id"], row["season"], rule.event), date.max)
    day, because = max(min(seen_on, latest), since), Because.SEEN if seen_on <= latest else Because.TIME_OUT
    released = day <= as_of
    yield {
        **same,
        "tranche": 2,
        "amount_minor": amounts[1],
        "released_on": day if released else None,
        "because": because if released else Because.WAITING,
        "waits_until": None if released else latest,
    }
