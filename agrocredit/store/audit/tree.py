"""A Merkle tree that only grows: the hash of every complete subtree is kept, so that nothing is ever hashed twice.

Leaves and inner nodes are hashed with different first bytes, so that no inner node can pass for an entry. A node is
named by its level (0 for leaves) and its number on that level; it stands for the ``2**level`` leaves from
``number * 2**level`` on. An entry adds one node and, on average, one more; a root reads as many nodes as the size has
binary ones.

Source: RFC 9162 (Certificate Transparency 2.0), section 2.1.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

HASH_BYTES = 32

Lookup: TypeAlias = Callable[[int, int], bytes]
"""(level, number) to the hash of a complete subtree; asked only for such as exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A complete subtree of the log."""

    level: int
    """0 for a leaf."""
    number: int
    """Counted from 0 on its level."""
    value: bytes
    """Its hash, 32 bytes."""

    def __post_init__(self) -> None:
        if self.level < 0 or self.number < 0 or len(self.value) != HASH_BYTES:
            msg = f"no node: level {self.level}, number {self.number}, {len(self.value)} bytes of hash"
            raise ValueError(msg)


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of an entry as it stands in the tree, 32 bytes."""
    return sha256(b"\x00" + entry).digest()


def join(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node over two others, 32 bytes."""
    return sha256(b"\x01" + left + right).digest()


def append(leaf: bytes, *, size: int, node: Lookup) -> list[Node]:
    """Return the nodes that an entry adds to a log, its own leaf first.

    Parameters
    ----------
    leaf : bytes
        `leaf_hash` of the entry.
    size : int
        Entries before it.
    node : callable
        Looks up what earlier calls returned.
    """
    level, number, value = 0, size, leaf
    added = [Node(level=level, number=number, value=value)]
    while number & 1:
        value = join(node(level, number - 1), value)
        level, number = level + 1, number >> 1
        added.append(Node(level=level, number=number, value=value))
    return added


def root(size: int, *, node: Lookup) -> bytes:
    """Return the hash over the first `size` entries, 32 bytes; of an empty log the hash of nothing."""
    return span(0, size, node=node) if size else sha256(b"").digest()


def span(start: int, stop: int, *, node: Lookup) -> bytes:
    """Return the hash over the entries from `start` to before `stop`, as the tree splits them; at least one entry."""
    count = stop - start
    if count & (count - 1) == 0 and start % count == 0:
        level = count.bit_length() - 1
        return node(level, start >> level)
    middle = start + left_count(count)
    return join(span(start, middle, node=node), span(middle, stop, node=node))


def left_count(count: int) -> int:
    """Return how many of `count` entries stand left of the top node: the largest power of two below it; `count` > 1."""
    return 1 << (count - 1).bit_length() - 1
