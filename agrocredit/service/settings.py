"""What an operator sets, from the environment: limits, times and where things lie. Secrets have a file of their own."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from agrocredit.domain.errors import WrongUsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX = "AGROCREDIT_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Limits of one server process. Each field is read from ``AGROCREDIT_`` and its name in capitals."""

    body_seconds_max: int = 10
    """A body must have arrived by then."""
    request_seconds_max: int = 20
    """An answer must have been found by then."""
    threads: int = 8
    """Threads that talk to the database."""
    waiting_max: int = 256
    """Requests that may wait for a thread; more are told to come again."""
    key_requests_per_s: int = 200
    """Sustained rate of one key or token."""
    key_requests_burst: int = 400
    """How many requests a key may have saved up."""
    tenant_requests_per_s: int = 1_000
    """Sustained rate of one tenant over all its keys."""
    tenant_requests_burst: int = 2_000
    """How many requests a tenant may have saved up."""
    guesses_per_minute: int = 60
    """Wrong credentials of one network address."""
    token_minutes: int = 15
    """Life of a farmer's token."""
    drain_seconds: int = 1
    """From readiness false to the last accepted connection."""
    stop_seconds_max: int = 8
    """Requests in flight may take so long when the server stops."""
    group_farmers_min: int = 10
    """Regional figures of fewer farmers are suppressed."""
    overlap_percent_max: int = 5
    """Share of a plot that may lie in pledged land."""
    pledge_days_after_due: int = 365
    """A pledge ends so long after the due date at the latest; before, when all loans of the farmer are closed."""
    metrics_token: str = ""
    """Bearer token of Prometheus; empty lets only this machine read the figures."""
    snapshots: Path = Path("build/snapshots")
    """Folder of the published look-ups."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int) and value < 1:
                raise WrongUsageError("setting_invalid", f"{_name(field.name)} is {value}, expected 1 or more")


def settings_of(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of an environment; what it does not name keeps its default.

    Raises
    ------
    WrongUsageError
        ``setting_invalid``.
    """
    found: dict[str, int | str | Path] = {}
    for field in fields(Settings):
        text = environment.get(_name(field.name))
        if text is None:
            continue
        default: int | str | Path = field.default  # type: ignore[assignment]  # every field has one
        try:
            found[field.name] = type(default)(text)
        except ValueError:
            raise WrongUsageError(
                "setting_invalid", f"{_name(field.name)} is {text!r}, expected a whole number"
            ) from None
    return Settings(**found)  # type: ignore[arg-type]  # each was made by the type of its default


def _name(field: str) -> str:
    return f"{_PREFIX}{field.upper()}"
