"""Credit policy as dated data: a pack is read and checked whole, then asked for the terms of one day.

Every number a credit officer could argue about stands in a pack under ``policies/``, none in this room's code. The
version is dated too: a pack that learns a new value gains a new version from that day, and the terms of earlier days,
their version and their hash stay what they were. So a past decision replays under the pack of today.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agrocredit.credit.pack import PackText, Parameter, read_dates
from agrocredit.credit.policy_checks import check_every_day
from agrocredit.credit.policy_schema import DECIDE_NOTHING, GROUPS, check_head, expected_parameters, walk_parameters
from agrocredit.credit.quantities import Kind, read_quantity
from agrocredit.credit.terms import CashCost, CropTerms, PolicyInForce
from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from agrocredit.domain.decision import CapName

PACKS = Path(__file__).parent / "policies"


@dataclass(frozen=True, kw_only=True)
class CreditPolicy:
    """A pack of dated parameters, checked; `on` gives the terms of a day."""

    name: str
    description: str
    currency: str
    area_unit: str
    caps: tuple[CapName, ...]
    versions: tuple[tuple[date, str], ...]
    parameters: Mapping[str, Parameter]
    """By dotted path, in the order of the paths."""
    crops: tuple[str, ...]
    pack: PackText

    @property
    def version(self) -> str:
        """The newest version the pack holds."""
        return self.versions[-1][1]

    @cached_property
    def sha256(self) -> str:
        """Hash of the whole pack's content, blind to comments and layout."""
        content = {
            path: [p.unit, p.reference, p.illustrative, [[str(since), str(value)] for since, value in p.values]]
            for path, p in self.parameters.items()
        }
        head = [self.name, self.currency, self.area_unit, self.caps, [[str(d), v] for d, v in self.versions]]
        return _sha256([head, content])

    @property
    def illustrative_paths(self) -> tuple[str, ...]:
        """Parameters without a source behind them, to be replaced before any money moves."""
        return tuple(path for path, parameter in self.parameters.items() if parameter.illustrative)

    def on(self, day: date) -> PolicyInForce:
        """Return the terms in force on a day.

        Raises
        ------
        InputUnusableError
            ``policy_invalid`` with file and line, if a value or the version starts later.
        """
        if day not in self._known_terms:
            self._known_terms[day] = self._terms(day)
        return self._known_terms[day]

    @cached_property
    def _known_terms(self) -> dict[date, PolicyInForce]:
        """Terms by day: to read a hundred numbers takes longer than to decide on one farmer."""
        return {}

    def _terms(self, day: date) -> PolicyInForce:
        started = [version for since, version in self.versions if since <= day]
        if not started:
            self.pack.refuse("versions", f"first version from {self.versions[0][0]}, asked for {day}")
        for path, parameter in self.parameters.items():
            if parameter.on(day) is None:
                self.pack.refuse(f"{path}.values", f"first value from {parameter.values[0][0]}, asked for {day}")
        raw = {path: [p.unit, str(p.on(day))] for path, p in self.parameters.items()}
        beside = {path: value for path, value in raw.items() if path.partition(".")[0] in DECIDE_NOTHING}
        deciding = {path: value for path, value in raw.items() if path not in beside}
        head = [self.name, started[-1], self.currency, self.area_unit, self.caps]
        return PolicyInForce(
            name=self.name,
            version=started[-1],
            sha256=_sha256([head, deciding]),
            beside_sha256=_sha256([head, beside]),
            currency=self.currency,
            area_unit=self.area_unit,
            on=day,
            caps=self.caps,
            **{group: self._group(group, kind, day) for group, kind in GROUPS.items()},
            crops={crop: self._crop(crop, day) for crop in self.crops},
        )

    def _group(self, prefix: str, record: type, day: date) -> Any:  # noqa: ANN401 - the record named by the caller
        """Return one record of terms, each field read from its parameter; None for a group left out."""
        if prefix in DECIDE_NOTHING and not any(path.startswith(f"{prefix}.") for path in self.parameters):
            return None
        values = {
            term.name: self._value(f"{prefix}.{term.metadata['key']}", term.metadata["kind"], day)
            for term in fields(record)
            if term.metadata
        }
        return record(**values)

    def _crop(self, crop: str, day: date) -> CropTerms:
        prefix = f"crop.{crop}.costs."
        names = {path.removeprefix(prefix).partition(".")[0] for path in self.parameters if path.startswith(prefix)}
        costs = tuple((name, self._group(f"{prefix}{name}", CashCost, day)) for name in sorted(names))
        plain = {
            term.name: self._value(f"crop.{crop}.{term.metadata['key']}", term.metadata["kind"], day)
            for term in fields(CropTerms)
            if term.metadata
        }
        return CropTerms(**plain, costs=costs)

    def _value(self, path: str, kind: Kind, day: date) -> Any:  # noqa: ANN401 - by kind, see `read_quantity`
        if path not in self.parameters:
            return None
        parameter = self.parameters[path]
        return read_quantity(kind, parameter.on(day), parameter.unit, currency=self.currency)


def load_policy(name_or_path: str | Path) -> CreditPolicy:
    """Return a policy pack by its name under ``policies/`` or from a file, checked whole.

    Raises
    ------
    InputUnusableError
        ``policy_missing`` if there is neither such a pack nor such a file; ``policy_invalid``, with file and line.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml" and len(path.parts) == 1:
        path = PACKS / f"{name_or_path}.toml"
    if not path.is_file():
        known = ", ".join(sorted(pack.stem for pack in PACKS.glob("*.toml")))
        raise InputUnusableError(
            "policy_missing", f"no policy {str(name_or_path)!r}, expected a TOML file or one of {known}"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputUnusableError("policy_invalid", f"{path.name}:1: not UTF-8: {error}") from error
    return parse_policy(text, source=path.name)


def parse_policy(text: str, *, source: str) -> CreditPolicy:
    """Return a policy from the text of a pack, checked whole.

    Parameters
    ----------
    text : str
        TOML, see ``docs/method/credit.md``.
    source : str
        What to call the pack in errors.

    Raises
    ------
    InputUnusableError
        ``policy_invalid``, with file and line.
    """
    pack = PackText(source, text)
    document = pack.parse()
    caps = check_head(pack, document)
    found = dict(sorted(walk_parameters(pack, document)))
    expected = dict(expected_parameters(document, caps))
    for path, required in expected.items():
        if required and path not in found:
            pack.refuse(path, "missing")
    for path in found.keys() - expected.keys():
        pack.refuse(path, "unknown parameter")
    policy = CreditPolicy(
        name=document["name"],
        description=document["description"],
        currency=document["currency"],
        area_unit=document["area_unit"],
        caps=caps,
        versions=_versions(pack, document["versions"]),
        parameters=found,
        crops=tuple(sorted(document["crop"])),
        pack=pack,
    )
    check_every_day(policy)
    return policy


def _versions(pack: PackText, table: Mapping[str, object]) -> tuple[tuple[date, str], ...]:
    versions = []
    for since, version in read_dates(pack, "versions", table):
        if not isinstance(version, str) or not version:
            pack.refuse(f"versions.{since}", f"{version!r}, expected a text")
        versions.append((since, version))
    return tuple(versions)


def _sha256(content: object) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
