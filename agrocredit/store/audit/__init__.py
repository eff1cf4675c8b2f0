"""The append-only log of what was decided and moved, as a Merkle tree that an outsider can check.

``tree`` is arithmetic on hashes (RFC 9162, section 2.1), ``heads`` the signed statements of size and root that others
keep. Neither knows a database: whoever stores the log passes a function that looks up a node.
"""

from __future__ import annotations

from agrocredit.store.audit.heads import HeadKey, SignedHead, read_head
from agrocredit.store.audit.proofs import consistency_proof, consistent, included, inclusion_proof
from agrocredit.store.audit.tree import Node, append, leaf_hash, root

__all__ = [
    "HeadKey",
    "Node",
    "SignedHead",
    "append",
    "consistency_proof",
    "consistent",
    "included",
    "inclusion_proof",
    "leaf_hash",
    "read_head",
    "root",
]
