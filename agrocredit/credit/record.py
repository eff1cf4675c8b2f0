"""The record of a decision: everything it rests on and what came out, as canonical JSON whose hash names the decision.

No instant stands in it and no machine, so the same inputs under the same terms give the same bytes on any day.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from agrocredit.credit.case import Case, Finances, Stake
from agrocredit.credit.in_force import InForce
from agrocredit.domain.errors import RefusedError
from agrocredit.domain.estimate import AbstainReason, EstimateStatus, YieldEstimate
from agrocredit.domain.plot import Holding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agrocredit.credit.terms import PolicyInForce

Read = TypeVar("Read", Case, Stake, Finances, InForce)
SCHEMA_VERSION = 2
"""2: the limit in force stands in the record."""
_STAKE_FIELDS = tuple(field.name for field in fields(Stake))
_IN_FORCE_FIELDS = tuple(field.name for field in fields(InForce))
_KINDS: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (float, int), "tuple": (tuple,)}
_DATES = ("estimate_as_of", "harvest_from_on", "harvest_end_on")


def canonical_json(record: Mapping[str, Any]) -> bytes:
    """Return a record as UTF-8 JSON with sorted keys and no spaces; floats are written so that they read back equal.

    A record never holds NaN, which JSON cannot say: it would be written as null.
    """
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


def record_sha256(record: Mapping[str, Any]) -> str:
    """Return the hash that names a decision."""
    return hashlib.sha256(canonical_json(record)).hexdigest()


def record_bytes(case: Case, *, terms: PolicyInForce, result: Mapping[str, Any]) -> bytes:
    """Return the canonical JSON of the record of a case decided under terms."""
    record = {
        "schema_version": SCHEMA_VERSION,
        "farmer_id": case.farmer_id,
        "season": case.season,
        "as_of": case.as_of,
        "policy": {"name": terms.name, "version": terms.version, "sha256": terms.sha256},
        "stakes": case.stakes,
        "finances": None if case.finances is None else _finances_to_json(case.finances),
        "in_force": None if case.in_force is None else _in_force_to_json(case.in_force),
        "result": result,
    }
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)  # writes records in the order of their fields


def build_record(case: Case, *, terms: PolicyInForce, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of a case decided under terms, as it reads back from its canonical JSON."""
    record: dict[str, Any] = orjson.loads(record_bytes(case, terms=terms, result=result))
    return record


def case_of(record: Mapping[str, Any]) -> Case:
    """Return the case that a record was made from.

    Raises
    ------
    RefusedError
        ``record_incomplete``, naming the input that is missing or unreadable.
    """
    if record.get("schema_version") != SCHEMA_VERSION:
        found = record.get("schema_version")
        raise RefusedError("record_incomplete", f"a record of schema_version {found}, expected {SCHEMA_VERSION}")
    try:
        finances, in_force = record["finances"], record["in_force"]
        return _typed(
            Case(
                farmer_id=record["farmer_id"],
                season=record["season"],
                as_of=date.fromisoformat(record["as_of"]),
                stakes=tuple(_stake_from_json(stake) for stake in record["stakes"]),
                finances=None if finances is None else _typed(Finances(**finances)),
                in_force=None if in_force is None else _in_force_from_json(in_force),
            )
        )
    except KeyError as error:
        raise RefusedError("record_incomplete", f"the record has no {error.args[0]}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise RefusedError("record_incomplete", f"the record cannot be read: {error}") from error


def _typed(read: Read) -> Read:
    """Return a record read from JSON, which knows no types of ours, or raise for the first field of another type."""
    for field in fields(read):
        wanted, _, optional = str(field.type).partition(" | ")
        value, kinds = getattr(read, field.name), _KINDS.get(wanted.partition("[")[0])
        if kinds is None or (optional and value is None):
            continue
        if not isinstance(value, kinds) or isinstance(value, bool):
            msg = f"{field.name} is {value!r}, expected {field.type}"
            raise TypeError(msg)
    return read


def _finances_to_json(finances: Finances) -> dict[str, int]:
    """Return finances as plain values: a region's farmers have mostly zeros, which orjson reads faster from a dict."""
    return {
        "existing_debt_service_minor": finances.existing_debt_service_minor,
        "off_farm_income_minor": finances.off_farm_income_minor,
        "outstanding_minor": finances.outstanding_minor,
    }


def _in_force_to_json(in_force: InForce) -> dict[str, Any]:
    values = {name: getattr(in_force, name) for name in _IN_FORCE_FIELDS}
    dates = {"due_on": in_force.due_on.isoformat(), "since": in_force.since.isoformat()}
    return {**values, **dates, "caps": dict(in_force.caps)}


def _in_force_from_json(values: Mapping[str, Any]) -> InForce:
    read = {name: values[name] for name in _IN_FORCE_FIELDS}
    read |= {
        "caps": tuple(sorted(read["caps"].items())),
        "reasons": tuple(read["reasons"]),
        "due_on": date.fromisoformat(read["due_on"]),
        "since": date.fromisoformat(read["since"]),
    }
    return _typed(InForce(**read))


def _stake_from_json(values: Mapping[str, Any]) -> Stake:
    fields_read = {name: values[name] for name in _STAKE_FIELDS}
    for name in _DATES:
        fields_read[name] = fields_read[name] and date.fromisoformat(fields_read[name])
    quantiles = fields_read["quantiles_t_ha"]
    fields_read["quantiles_t_ha"] = None if quantiles is None else tuple(quantiles)
    stake = _typed(Stake(**fields_read))
    _check(stake)
    return stake


def _check(stake: Stake) -> None:
    """Refuse what could never have been decided on; tables are checked on their way in, a record only here."""
    YieldEstimate(
        plot_id=stake.plot_id,
        crop=stake.crop,
        season=str(stake.harvest_year),
        harvest_year=stake.harvest_year,
        as_of=stake.estimate_as_of,
        status=EstimateStatus(stake.status),
        reason=None if stake.reason is None else AbstainReason(stake.reason),
        quantiles_t_ha=stake.quantiles_t_ha,
        clear_observations=stake.clear_observations,
        release=stake.release,
        evidence_sha256=stake.evidence_sha256,
    )
    Holding(
        farmer_id="",
        plot_id=stake.plot_id,
        tenure_share=stake.tenure_share,
        grade=stake.grade,
        documented_area_m2=stake.documented_area_m2,
    )
