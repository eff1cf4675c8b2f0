"""The shape of a policy pack: its head, its groups, and the parameters that each group may and must hold."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from agrocredit.credit.pack import PackText, Parameter, read_parameter
from agrocredit.credit.terms import (
    Area,
    CashCost,
    CropTerms,
    Evidence,
    Need,
    Product,
    Repaying,
    Repayment,
    Risk,
    ScaleOfFinance,
    Scorecard,
    Simulation,
    Stress,
    Tranches,
)
from agrocredit.domain.decision import CapName
from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.money import minor_per_major
from agrocredit.domain.units import area_to_m2

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agrocredit.credit.quantities import Kind

SCHEMA_VERSION = 1
GROUPS: dict[str, type] = {
    "product": Product,
    "repayment": Repayment,
    "simulation": Simulation,
    "area": Area,
    "evidence": Evidence,
    "need": Need,
    "schedule": Repaying,
    "scale_of_finance": ScaleOfFinance,
    "risk": Risk,
    "stress": Stress,
    "scorecard": Scorecard,
    "tranches": Tranches,
}
DECIDE_NOTHING = frozenset({"risk", "stress", "scorecard", "tranches"})
"""Groups that a pack may leave out whole. No decision rests on them, so they stay out of the hash of its terms."""
_WORDS = ("name", "description", "currency", "area_unit")
_HEAD = ("schema_version", *_WORDS, "caps", "versions")


def check_head(pack: PackText, document: Mapping[str, Any]) -> tuple[CapName, ...]:
    """Return the caps switched on, once the head of the pack is sound."""
    for key in _HEAD:
        if key not in document:
            pack.refuse(key, "missing")
    for key in _WORDS:
        if not isinstance(document[key], str) or not document[key]:
            pack.refuse(key, f"{document[key]!r}, expected a text")
    for key in document.keys() - {*_HEAD, *GROUPS, "crop"}:
        pack.refuse(key, "unknown key")
    if document["schema_version"] != SCHEMA_VERSION:
        pack.refuse("schema_version", f"{document['schema_version']!r}, expected {SCHEMA_VERSION}")
    try:
        minor_per_major(document["currency"])
        area_to_m2(1, document["area_unit"])
    except InputUnusableError as error:
        pack.refuse("currency" if error.code == "currency_unknown" else "area_unit", error.detail)
    for key in ("versions", "crop"):
        if not isinstance(document.get(key), dict) or not document[key]:
            pack.refuse(key, "missing or empty, expected a table")
    return _caps(pack, document["caps"])


def _caps(pack: PackText, named: object) -> tuple[CapName, ...]:
    """Return the caps switched on, in the order that decides ties; repayment capacity is always one of them."""
    words = named if isinstance(named, list) and all(isinstance(name, str) for name in named) else []
    if not words or set(words) - set(CapName) or len(words) != len(set(words)):
        pack.refuse("caps", f"{named!r}, expected distinct caps among {', '.join(CapName)}")
    if CapName.REPAYMENT_CAPACITY not in words:
        pack.refuse("caps", f"{named!r}, expected {CapName.REPAYMENT_CAPACITY} among them")
    return tuple(cap for cap in CapName if cap in words)


def walk_parameters(pack: PackText, document: Mapping[str, Any]) -> Iterator[tuple[str, Parameter]]:
    """Walk the groups and crops of a pack to its parameters."""
    for group in GROUPS.keys() & document.keys():
        for key, table in _table(pack, group, document[group]).items():
            path = f"{group}.{key}"
            yield path, read_parameter(pack, path, table)
    for crop, terms in document["crop"].items():
        for key, table in _table(pack, f"crop.{crop}", terms).items():
            if key != "costs":
                yield f"crop.{crop}.{key}", read_parameter(pack, f"crop.{crop}.{key}", table)
                continue
            for cost, parts in _table(pack, f"crop.{crop}.costs", table).items():
                for part, leaf in _table(pack, f"crop.{crop}.costs.{cost}", parts).items():
                    path = f"crop.{crop}.costs.{cost}.{part}"
                    yield path, read_parameter(pack, path, leaf)


def _table(pack: PackText, path: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        pack.refuse(path, f"{value!r}, expected a table")
    return value


def expected_parameters(document: Mapping[str, Any], caps: tuple[CapName, ...]) -> Iterator[tuple[str, bool]]:
    """Give every parameter that a pack may hold, and whether it must."""
    prefixes: list[tuple[str, type]] = [
        (group, record) for group, record in GROUPS.items() if group in document or group not in DECIDE_NOTHING
    ]
    for crop, terms in document["crop"].items():
        prefixes.append((f"crop.{crop}", CropTerms))
        costs = terms.get("costs", {}) if isinstance(terms, dict) else {}
        prefixes.extend((f"crop.{crop}.costs.{cost}", CashCost) for cost in costs)
    for prefix, record in prefixes:
        for term in fields(record):
            if term.metadata:
                cap = term.metadata["cap"]
                yield f"{prefix}.{term.metadata['key']}", cap is None or cap in caps


def kind_of(path: str) -> Kind:
    """Return the kind of a parameter that is known to be expected."""
    *parents, key = path.split(".")
    record = GROUPS.get(parents[0]) or (CashCost if "costs" in parents else CropTerms)
    return next(t.metadata["kind"] for t in fields(record) if t.metadata and t.metadata["key"] == key)
