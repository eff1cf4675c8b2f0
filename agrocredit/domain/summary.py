"""What a run did: counts, refusals and a few facts. Every command prints one, and derives its exit code from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from agrocredit.domain.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agrocredit.domain.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The outcome of one run, free of clock times, so that the same inputs print the same bytes."""

    counts: Mapping[str, int]
    """What was counted, by snake_case name."""
    refused: tuple[Refusal, ...] = ()
    """Inputs that were refused, in a stable order."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """Anything else worth printing: paths as the user gave them, releases, totals. JSON-ready."""
    failed_checks: tuple[str, ...] = ()
    """Checks that did not hold, one line each."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", MappingProxyType(dict(self.counts)))
        object.__setattr__(self, "facts", MappingProxyType(dict(self.facts)))

    @property
    def exit_code(self) -> ExitCode:
        """0, or 1 where an input was refused or a check failed."""
        return ExitCode.SOME_REFUSED if self.refused or self.failed_checks else ExitCode.DONE

    def as_dict(self) -> dict[str, object]:
        """Return the JSON form: ``counts``, ``refused`` and the facts beside them."""
        answer: dict[str, object] = {
            "counts": dict(self.counts),
            "refused": [refusal.as_dict() for refusal in self.refused],
        }
        if self.failed_checks:
            answer["failed_checks"] = list(self.failed_checks)
        return {**self.facts, **answer}
