"""That an entry is in the log, and that a log has only grown, shown with a few hashes.

A proof is a list of node hashes. Who checks one needs the entry, two roots that he trusts, and nothing of ours: at a
size of ten million entries some two dozen hashes.

Source: RFC 9162, sections 2.1.3 (inclusion) and 2.1.4 (consistency).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agrocredit.store.audit.tree import join, left_count, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agrocredit.store.audit.tree import Lookup


def inclusion_proof(index: int, size: int, *, node: Lookup) -> list[bytes]:
    """Return the hashes that lead from an entry to the root, lowest first.

    Parameters
    ----------
    index : int
        The entry's place, from 0.
    size : int
        Of the log whose root is meant.
    node : callable
        Looks up complete subtrees.

    Raises
    ------
    ValueError
        If the log of that size has no such entry.
    """
    if not 0 <= index < size:
        msg = f"entry {index} is not among the first {size}"
        raise ValueError(msg)
    start, stop, beside = 0, size, list[bytes]()
    while stop - start > 1:
        middle = start + left_count(stop - start)
        if index < middle:
            beside.append(span(middle, stop, node=node))
            stop = middle
        else:
            beside.append(span(start, middle, node=node))
            start = middle
    return beside[::-1]


def included(leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Return whether a proof leads from a leaf at `index` to the root of a log of `size` entries."""
    if not 0 <= index < size:
        return False
    number, last, value = index, size - 1, leaf
    for other in proof:
        if last == 0:
            return False
        if number & 1 or number == last:
            value = join(other, value)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            value = join(value, other)
        number, last = number >> 1, last >> 1
    return last == 0 and value == root


def consistency_proof(old: int, new: int, *, node: Lookup) -> list[bytes]:
    """Return the hashes that show the first `old` entries unchanged in a log of `new`.

    Raises
    ------
    ValueError
        If `old` is not between 1 and `new`.
    """
    if not 1 <= old <= new:
        msg = f"a log of {new} entries has not grown from one of {old}"
        raise ValueError(msg)
    start, stop, whole, beside = 0, new, True, list[bytes]()
    while old < stop:
        middle = start + left_count(stop - start)
        if old <= middle:
            beside.append(span(middle, stop, node=node))
            stop = middle
        else:
            beside.append(span(start, middle, node=node))
            start, whole = middle, False
    if not whole:
        beside.append(span(start, stop, node=node))
    return beside[::-1]


def consistent(*, old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Return whether a proof shows that a log of `old` entries is the beginning of one of `new`."""
    if not 1 <= old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        return False
    number, last = old - 1, new - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    before = after = path[0]
    for other in path[1:]:
        if last == 0:
            return False
        if number & 1 or number == last:
            before, after = join(other, before), join(other, after)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            after = join(after, other)
        number, last = number >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root
