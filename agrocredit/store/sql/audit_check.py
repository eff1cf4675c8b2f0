"""Reads the whole log again and says where it is not what was sealed, or not what a head held elsewhere stands for.

Hashes that lie beside what they protect show an edited row, not a forger who computes them anew: against that stands
only a head that somebody else keeps. Both are checked here in one pass over the rows, in the memory of a few hashes.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, select

from agrocredit.store.audit import append, leaf_hash, root
from agrocredit.store.canonical_json import json_bytes
from agrocredit.store.sql.audit_entry import entry_record
from agrocredit.store.sql.tables import events, tree_nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, RowMapping

    from agrocredit.store.audit import Node, SignedHead

_ROWS_AT_ONCE = 5_000


def audit_faults(connection: Connection, *, against: SignedHead | None = None) -> Iterator[str]:
    """Yield a sentence a fault of the sealed log, naming the entry; none if it is whole.

    Parameters
    ----------
    connection : Connection
        Over all tenants.
    against : SignedHead, optional
        A head that was kept outside; the log must begin with what it stands for.
    """
    walk = _Walk()
    try:
        for row in _sealed_rows(connection):
            yield from _row_faults(row, walk)
            if against is not None and walk.size == against.size and walk.root().hex() != against.root:
                yield f"the first {against.size} entries do not have the root of the head signed at {against.signed_at}"
    except (ValueError, TypeError):  # SQLite keeps instants as text, and a hand can write any text
        yield f"an entry of the log after {walk.size} cannot be read"
    if against is not None and walk.size < against.size:
        yield f"the log ends at entry {walk.size}, the head signed at {against.signed_at} stands for {against.size}"
    yield from _node_faults(connection, walk)


@dataclass(slots=True)
class _Walk:
    """The tree as it grows along the rows: its open subtrees, and a hash over all nodes of each level."""

    size: int = 0
    open: dict[tuple[int, int], bytes] = field(default_factory=dict)
    nodes: defaultdict[int, Any] = field(default_factory=lambda: defaultdict(sha256))

    def grow(self, leaf: bytes) -> None:
        for node in append(leaf, size=self.size, node=lambda level, number: self.open[level, number]):
            self.nodes[node.level].update(_node_bytes(node.number, node.value))
            self._keep(node)
        self.size += 1

    def root(self) -> bytes:
        return root(self.size, node=lambda level, number: self.open[level, number])

    def _keep(self, node: Node) -> None:
        """Keep a subtree, and drop the two it consists of: no later entry asks for them."""
        if node.level:
            for half in (2 * node.number, 2 * node.number + 1):
                self.open.pop((node.level - 1, half), None)
        self.open[node.level, node.number] = node.value


def _sealed_rows(connection: Connection) -> Iterator[RowMapping]:
    """Yield sealed events by position, each with the leaf that was kept of it."""
    kept = and_(tree_nodes.c.level == 0, tree_nodes.c.number == events.c.position - 1)
    query = (
        select(events, tree_nodes.c.value.label("leaf"))
        .select_from(events.outerjoin(tree_nodes, kept))
        .where(events.c.position.is_not(None))
        .order_by(events.c.position)
    )
    yield from connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query).mappings()


def _row_faults(row: RowMapping, walk: _Walk) -> Iterator[str]:
    place = walk.size + 1
    if row["position"] != place:
        yield f"entry {place} of the log is missing; event {row['sequence']} has place {row['position']}"
    try:
        record = entry_record(row, position=row["position"])
        leaf = leaf_hash(json_bytes(record))
        spelt_alike = bytes(row["payload"]) == json_bytes(record["payload"])
    except (ValueError, AttributeError):
        yield f"entry {row['position']} of the log (event {row['sequence']}) cannot be read"
        leaf, spelt_alike = leaf_hash(b""), True
    if not spelt_alike or row["leaf"] is None or bytes(row["leaf"]) != leaf:
        yield f"entry {row['position']} of the log (event {row['sequence']}) is not what was sealed"
    walk.grow(leaf)


def _node_faults(connection: Connection, walk: _Walk) -> Iterator[str]:
    """Compare the kept nodes with those the rows give, a level at a time."""
    kept: defaultdict[int, Any] = defaultdict(sha256)
    query = select(tree_nodes).order_by(tree_nodes.c.level, tree_nodes.c.number)
    for row in connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query):
        kept[row.level].update(_node_bytes(row.number, bytes(row.value)))
    for level in sorted(kept.keys() | walk.nodes.keys()):
        if kept[level].digest() != walk.nodes[level].digest():
            count = connection.execute(
                select(func.count()).select_from(tree_nodes).where(tree_nodes.c.level == level)
            ).scalar_one()
            yield f"level {level} of the tree, {count} hashes, does not follow from the {walk.size} entries"


def _node_bytes(number: int, value: bytes) -> bytes:
    return number.to_bytes(8, "big") + value
