"""The outbox: what happened, written in the transaction in which it happened, so that neither exists without the other.

Events get their place in the log after they are committed, see `agrocredit.store.sql.sealing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agrocredit.store.canonical_json import json_bytes
from agrocredit.store.sql.tables import events

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from agrocredit.store.sql.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, without personal data."""

    kind: str
    """``noun.verb`` in the past: ``loan.drawn``."""
    subject_id: str
    """Id of what it happened to."""
    payload: Mapping[str, Any]
    """Plain JSON values; amounts in minor units."""


def record(session: Session, happened: Sequence[Event], *, actor: str, at: datetime) -> None:
    """Write events in the session's transaction."""
    session.add_all(
        events,
        [
            {
                "kind": event.kind,
                "subject_id": event.subject_id,
                "actor": actor,
                "payload": json_bytes(event.payload),
                "recorded_at": at,
            }
            for event in happened
        ],
    )
