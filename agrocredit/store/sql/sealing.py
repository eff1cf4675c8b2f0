"""Gives committed events their place in the log: a number without a gap, and a leaf of the Merkle tree.

An event is written in the transaction of what it tells of, where a common counter would make every request wait for
every other. So it gets its place afterwards, by one sealer at a time, in the order in which commits became visible.
What is committed and not yet sealed is seen by the next sealer; nothing is ever skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, insert, select, text, update

from agrocredit.store.audit import append, leaf_hash, root
from agrocredit.store.sql.audit_entry import entry_bytes
from agrocredit.store.sql.tables import events, tree_nodes

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from agrocredit.store.audit import HeadKey, SignedHead
    from agrocredit.store.sql.database import Database

LOG_NAME = "agrocredit"
BATCH_EVENTS = 2_000
_SEAL_LOCK = 7_216_042
"""Any number that nothing else in the database locks."""


def seal(database: Database, *, batch_events: int = BATCH_EVENTS) -> int:
    """Seal what is committed and not yet sealed; return how many events that were.

    Parameters
    ----------
    database : Database
    batch_events : int
        Sealed in one transaction at most; a killed sealer loses no more than one.

    Raises
    ------
    StorageError
        ``storage_unavailable``, ``storage_busy``: nothing of the batch is sealed.
    """
    sealed = 0
    while True:
        with database.oversee() as connection:
            if database.is_postgresql:
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _SEAL_LOCK})
            done = _seal_batch(connection, batch_events)
        sealed += done
        if done < batch_events:
            return sealed


def signed_head(database: Database, *, key: HeadKey, at: datetime) -> SignedHead:
    """Return the sealed log's size and root at an instant, signed."""
    with database.oversee(read_only=True) as connection:
        size = log_size(connection)
        value = root(size, node=node_lookup(connection))
    return key.sign(log=LOG_NAME, size=size, root=value, at=at)


def log_size(connection: Connection) -> int:
    """Return how many events are sealed."""
    return int(connection.execute(select(func.coalesce(func.max(events.c.position), 0))).scalar_one())


def node_lookup(connection: Connection) -> Callable[[int, int], bytes]:
    """Return a function that looks up nodes of the tree by level and number, each once."""
    known: dict[tuple[int, int], bytes] = {}

    def look_up(level: int, number: int) -> bytes:
        if (level, number) not in known:
            query = select(tree_nodes.c.value).where(tree_nodes.c.level == level, tree_nodes.c.number == number)
            known[level, number] = bytes(connection.execute(query).scalar_one())
        return known[level, number]

    return look_up


def _seal_batch(connection: Connection, batch_events: int) -> int:
    waiting = select(events).where(events.c.position.is_(None)).order_by(events.c.sequence).limit(batch_events)
    rows = list(connection.execute(waiting).mappings())
    if not rows:
        return 0
    size = log_size(connection)
    kept = node_lookup(connection)
    fresh: dict[tuple[int, int], bytes] = {}

    def look_up(level: int, number: int) -> bytes:
        value = fresh.get((level, number))
        return kept(level, number) if value is None else value

    for count, row in enumerate(rows):
        leaf = leaf_hash(entry_bytes(row, position=size + count + 1))
        fresh |= {(node.level, node.number): node.value for node in append(leaf, size=size + count, node=look_up)}
    connection.execute(
        update(events).where(events.c.sequence == bindparam("which")).values(position=bindparam("place")),
        [{"which": row["sequence"], "place": size + place} for place, row in enumerate(rows, start=1)],
    )
    nodes = [{"level": level, "number": number, "value": value} for (level, number), value in fresh.items()]
    connection.execute(insert(tree_nodes), nodes)
    return len(rows)
