"""An event as it stands in the log: the record that readers get is the very bytes that the tree hashes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from agrocredit.store.canonical_json import json_bytes

if TYPE_CHECKING:
    from sqlalchemy import RowMapping


def entry_record(row: RowMapping, *, position: int) -> dict[str, object]:
    """Return an event's record: what was done to what, by whom and when, and its place in the log, from 1."""
    return {
        "position": position,
        "tenant_id": row["tenant_id"],
        "kind": row["kind"],
        "subject_id": row["subject_id"],
        "actor": row["actor"],
        "recorded_at": row["recorded_at"].isoformat(timespec="microseconds"),
        "payload": json.loads(row["payload"]),
    }


def entry_bytes(row: RowMapping, *, position: int) -> bytes:
    """Return the record as the canonical JSON that `leaf_hash` takes; readers of the log get the same text."""
    return json_bytes(entry_record(row, position=position))
