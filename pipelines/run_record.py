"""``run.json``: what each step of a run did, and a key of everything it rests on.

Written whole after every step, so that a run that was stopped can go on: a step whose key and output still stand need
not be done again. It names inputs by content, never by place or time, so equal inputs give equal bytes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from agrocredit import __version__
from agrocredit.domain.errors import InputUnusableError, Refusal
from agrocredit.domain.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "run.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One finished step."""

    key: str
    """Hash of settings and inputs."""
    summary: Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """All finished steps of a run, in their order, and what the run is called."""

    title: str
    simulated: bool
    steps: Mapping[str, Step] = field(default_factory=dict)
    outcome: Mapping[str, Any] = field(default_factory=dict)
    """Closing figures, once all steps are done."""

    def with_step(self, name: str, step: Step) -> RunRecord:
        """Return the record with one more step."""
        return replace(self, steps=MappingProxyType({**self.steps, name: step}))

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """What all steps refused, in their order."""
        return tuple(refusal for step in self.steps.values() for refusal in step.summary.refused)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "schema_version": SCHEMA_VERSION,
            "code_version": __version__,
            "title": self.title,
            "simulated": self.simulated,
            "steps": {name: {"key": step.key, **step.summary.as_dict()} for name, step in self.steps.items()},
            "outcome": dict(self.outcome),
        }


def read_run_record(folder: Path) -> RunRecord | None:
    """Return the record of a run folder, or None where there is none.

    Raises
    ------
    InputUnusableError
        ``run_invalid`` for a file that is not such a record.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_bytes())
        steps = {name: _step(fields) for name, fields in content["steps"].items()}
        return RunRecord(
            title=content["title"],
            simulated=content["simulated"],
            steps=MappingProxyType(steps),
            outcome=content["outcome"],
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputUnusableError("run_invalid", f"{path} is not the record of a run ({error})") from error


def _step(fields: dict[str, Any]) -> Step:
    rest = {key: value for key, value in fields.items() if key not in {"key", "counts", "refused", "failed_checks"}}
    summary = Summary(
        counts=fields["counts"],
        refused=tuple(Refusal(**refusal) for refusal in fields["refused"]),
        facts=rest,
        failed_checks=tuple(fields.get("failed_checks", ())),
    )
    return Step(key=fields["key"], summary=summary)


def step_key(*parts: object) -> str:
    """Return a hash of settings and inputs: paths count by the bytes they hold, everything else by its text.

    Parameters
    ----------
    *parts : object
        Paths of files (read), or values with a stable ``str``.
    """
    digest = hashlib.sha256(__version__.encode())
    for part in parts:
        digest.update(b"\x1f")
        if isinstance(part, Path) and part.is_file():
            digest.update(hashlib.sha256(part.read_bytes()).digest())
        elif not isinstance(part, Path):
            digest.update(str(part).encode())
    return digest.hexdigest()
