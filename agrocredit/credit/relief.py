"""Disaster relief: what restructuring a crop loss allows, as a proposal that a person confirms and nothing acts on.

The loss is read off decimals as they are written, never off binary fractions, since a farmer at the edge of a band must
not fall beneath it by rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from agrocredit.credit.pack import PackText, read_dates, read_parameter
from agrocredit.credit.policy_schema import SCHEMA_VERSION
from agrocredit.credit.quantities import QuantityError, read_quantity
from agrocredit.credit.terms import term
from agrocredit.domain.errors import InputUnusableError, RefusedError

if TYPE_CHECKING:
    from datetime import date

PACKS = Path(__file__).parent / "relief_packs"
_HEAD = {"schema_version", "name", "description", "versions", "relief"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliefTerms:
    """The relief rule on one day."""

    name: str
    version: str
    loss_from: float = field(metadata=term("loss_from", "share"))
    severe_from: float = field(metadata=term("severe_from", "share"))
    reschedule_years: int = field(metadata=term("reschedule_years", "years"))
    severe_reschedule_years: int = field(metadata=term("severe_reschedule_years", "years"))
    moratorium_years: int = field(metadata=term("moratorium_years", "years"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliefProposal:
    """What may be offered; it needs an official notification and a person's yes."""

    loss_share: Decimal
    reschedule_years_max: int
    """0 where nothing is proposed."""
    moratorium_years: int
    """Within the years above."""
    fresh_crop_loan: bool
    policy: str
    policy_version: str
    needs_confirmation: bool = True
    """Always: the system never acts on a proposal."""


RELIEF = pa.schema(
    [
        pa.field("plot_id", pa.string(), nullable=False),
        pa.field("crop", pa.string(), nullable=False),
        pa.field("season", pa.string(), nullable=False),
        pa.field("yield_t_ha", pa.float64(), nullable=False),
        pa.field("normal_t_ha", pa.float64(), nullable=False),
        pa.field("loss_share", pa.float64(), nullable=False),
        pa.field("reschedule_years_max", pa.int32(), nullable=False),
        pa.field("moratorium_years", pa.int32(), nullable=False),
        pa.field("fresh_crop_loan", pa.bool_(), nullable=False),
        pa.field("policy", pa.string(), nullable=False),
        pa.field("policy_version", pa.string(), nullable=False),
        pa.field("needs_confirmation", pa.bool_(), nullable=False),
    ]
)
"""One row a plot: its loss against the normal yield, and what may be offered for it."""


def load_relief(name_or_path: str | Path, *, on: date) -> ReliefTerms:
    """Return the terms of a relief pack in force on a day.

    Raises
    ------
    InputUnusableError
        ``policy_missing``, or ``policy_invalid`` with file and line.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = PACKS / f"{name_or_path}.toml"
    if not path.is_file():
        known = ", ".join(sorted(pack.stem for pack in PACKS.glob("*.toml")))
        raise InputUnusableError("policy_missing", f"no relief pack {str(name_or_path)!r}, expected one of {known}")
    pack = PackText(path.name, path.read_text(encoding="utf-8"))
    document = pack.parse()
    for key in sorted(document.keys() ^ _HEAD):
        pack.refuse(key, "unknown or missing key")
    for key in ("versions", "relief"):
        if not isinstance(document[key], dict):
            pack.refuse(key, f"{document[key]!r}, expected a table")
    if document["schema_version"] != SCHEMA_VERSION:
        pack.refuse("schema_version", f"{document['schema_version']!r}, expected {SCHEMA_VERSION}")
    versions = [version for since, version in read_dates(pack, "versions", document["versions"]) if since <= on]
    if not versions:
        pack.refuse("versions", f"no version in force on {on}")
    terms = ReliefTerms(name=document["name"], version=str(versions[-1]), **_values(pack, document["relief"], on))
    if not 0 < terms.loss_from <= terms.severe_from:
        pack.refuse("relief.loss_from", f"{terms.loss_from}, expected above 0 and not above relief.severe_from")
    if terms.moratorium_years > min(terms.reschedule_years, terms.severe_reschedule_years):
        pack.refuse("relief.moratorium_years", "expected within the years of each band")
    return terms


def _values(pack: PackText, table: dict[str, Any], on: date) -> dict[str, Any]:
    wanted = {t.metadata["key"]: t for t in fields(ReliefTerms) if t.metadata}
    for key in sorted(table.keys() ^ wanted.keys()):
        pack.refuse(f"relief.{key}", "unknown or missing parameter")
    values = {}
    for key, found in wanted.items():
        path = f"relief.{key}"
        parameter = read_parameter(pack, path, table[key])
        value = parameter.on(on)
        if value is None:
            pack.refuse(path, f"no value in force on {on}")
        try:
            values[found.name] = read_quantity(found.metadata["kind"], value, parameter.unit, currency="")
        except QuantityError as error:
            pack.refuse(path, str(error))
    return values


def propose_relief(yield_t_ha: Decimal, *, normal_t_ha: Decimal, terms: ReliefTerms) -> ReliefProposal:
    """Return what may be offered for a loss of ``1 - yield / normal``.

    Parameters
    ----------
    yield_t_ha, normal_t_ha : Decimal
        This season's yield and the normal one; 0 or more, and above 0.
    terms : ReliefTerms
        From `load_relief`.

    Raises
    ------
    RefusedError
        ``yield_invalid``.
    """
    if not (yield_t_ha.is_finite() and normal_t_ha.is_finite()) or yield_t_ha < 0 or normal_t_ha <= 0:
        raise RefusedError("yield_invalid", f"{yield_t_ha} of {normal_t_ha} t/ha, expected 0 or more of above 0")
    lost = normal_t_ha - yield_t_ha
    years = 0
    if lost >= Decimal(str(terms.severe_from)) * normal_t_ha:
        years = terms.severe_reschedule_years
    elif lost >= Decimal(str(terms.loss_from)) * normal_t_ha:
        years = terms.reschedule_years
    return ReliefProposal(
        loss_share=max(lost / normal_t_ha, Decimal(0)),
        reschedule_years_max=years,
        moratorium_years=terms.moratorium_years if years else 0,
        fresh_crop_loan=years > 0,
        policy=terms.name,
        policy_version=terms.version,
    )
