"""The growing tree against the recursive definition of RFC 9162, written out beside it."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.store.audit import append, consistency_proof, consistent, included, inclusion_proof, leaf_hash, root

ENTRIES = st.lists(st.binary(max_size=8), min_size=1, max_size=70)


def by_definition(entries: list[bytes]) -> bytes:
    """The Merkle tree hash as the RFC writes it: split at the largest power of two below the count."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = max(2**power for power in range(12) if 2**power < len(entries))
    return sha256(b"\x01" + by_definition(entries[:k]) + by_definition(entries[k:])).digest()


def grown(entries: list[bytes]) -> dict[tuple[int, int], bytes]:
    nodes: dict[tuple[int, int], bytes] = {}
    for size, entry in enumerate(entries):
        for node in append(leaf_hash(entry), size=size, node=lambda level, number: nodes[level, number]):
            nodes[node.level, node.number] = node.value
    return nodes


def lookup(entries: list[bytes]):
    nodes = grown(entries)
    return lambda level, number: nodes[level, number]


def test_the_root_of_an_empty_log_is_the_hash_of_nothing():
    assert root(0, node=lookup([])).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_roots_of_the_first_eight_entries_are_those_of_the_published_test_vectors():
    """Inputs and roots of the certificate-transparency project's tests for its Merkle tree."""
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    entries = [bytes.fromhex(text) for text in inputs]
    node = lookup(entries)
    assert root(1, node=node).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root(2, node=node).hex() == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    assert root(8, node=node).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@given(ENTRIES)
def test_every_root_on_the_way_is_the_one_of_the_definition(entries):
    node = lookup(entries)
    assert all(root(size, node=node) == by_definition(entries[:size]) for size in range(len(entries) + 1))


@given(ENTRIES, st.data())
def test_an_entry_is_proven_in_every_log_that_has_it(entries, data):
    size = data.draw(st.integers(1, len(entries)))
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, node=lookup(entries))
    claim = {"index": index, "size": size, "proof": proof, "root": by_definition(entries[:size])}
    assert included(leaf_hash(entries[index]), **claim)
    assert not included(leaf_hash(entries[index] + b"!"), **claim)
    assert not included(leaf_hash(entries[index]), **{**claim, "root": leaf_hash(b"another root")})
    assert not included(leaf_hash(entries[index]), **{**claim, "proof": [*proof, leaf_hash(b"one more")]})
    if proof:
        assert not included(leaf_hash(entries[index]), **{**claim, "proof": proof[:-1]})


@given(ENTRIES, st.data())
def test_a_grown_log_is_proven_to_begin_with_the_old_one_and_a_changed_one_is_not(entries, data):
    new = len(entries)
    old = data.draw(st.integers(1, new))
    proof = consistency_proof(old, new, node=lookup(entries))
    claim = {"old": old, "old_root": by_definition(entries[:old]), "new": new, "new_root": by_definition(entries)}
    assert consistent(**claim, proof=proof)
    at = data.draw(st.integers(0, old - 1))
    changed = [*entries[:at], entries[at] + b"!", *entries[at + 1 :]]
    forged = consistency_proof(old, new, node=lookup(changed))
    assert not consistent(**{**claim, "new_root": by_definition(changed)}, proof=forged)


def test_a_proof_of_an_entry_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="entry 3 is not among the first 3"):
        inclusion_proof(3, 3, node=lookup([b"a", b"b", b"c"]))
    with pytest.raises(ValueError, match="has not grown"):
        consistency_proof(4, 3, node=lookup([b"a", b"b", b"c"]))
