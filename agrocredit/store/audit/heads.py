"""Signed heads: what the log's keeper says of its size and root, for others to hold against him.

A head kept outside turns the log from something we say into something we can be caught with: whoever holds one can ask
whether today's log still begins with it.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agrocredit.domain.errors import InputUnusableError
from agrocredit.store.audit.tree import HASH_BYTES
from agrocredit.store.canonical_json import json_bytes

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

_SEED_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedHead:
    """The size and root of a log at an instant, signed."""

    log: str
    """Name of the log, so that a head of another one does not pass."""
    size: int
    """Entries."""
    root: str
    """Hash over them, 64 hexadecimal digits."""
    signed_at: str
    """Instant, UTC, ISO 8601."""
    public_key: str
    """Ed25519, base64; who holds a head should know it from elsewhere."""
    signature: str
    """Over the other fields as canonical JSON, base64."""

    def signed_bytes(self) -> bytes:
        """Return what the signature stands for."""
        return _signed_bytes(self.log, self.size, self.root, self.signed_at, self.public_key)

    def is_genuine(self) -> bool:
        """Return whether the signature fits the fields and the key named in them."""
        try:
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(self.public_key, validate=True))
            key.verify(base64.b64decode(self.signature, validate=True), self.signed_bytes())
        except (InvalidSignature, ValueError, binascii.Error):
            return False
        return True

    def as_json(self) -> bytes:
        """Return the head as one line of canonical JSON."""
        return json_bytes(asdict(self)) + b"\n"


class HeadKey:
    """The key that signs heads.

    Parameters
    ----------
    seed : bytes
        32 secret bytes.
    """

    def __init__(self, seed: bytes) -> None:
        if len(seed) != _SEED_BYTES:
            raise InputUnusableError(
                "key_invalid", f"the key for signed heads has {len(seed)} bytes, not {_SEED_BYTES}"
            )
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key = base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    def sign(self, *, log: str, size: int, root: bytes, at: datetime) -> SignedHead:
        """Return a head for a log's size and root at an instant (UTC)."""
        signed_at = at.isoformat(timespec="seconds")
        signed = _signed_bytes(log, size, root.hex(), signed_at, self.public_key)
        return SignedHead(
            log=log,
            size=size,
            root=root.hex(),
            signed_at=signed_at,
            public_key=self.public_key,
            signature=base64.b64encode(self._key.sign(signed)).decode(),
        )


def read_head(path: Path) -> SignedHead:
    """Return a head from its file.

    Raises
    ------
    InputUnusableError
        ``head_invalid`` if the file is no head, or its signature does not fit.
    """
    try:
        fields = json.loads(path.read_bytes())
        head = SignedHead(**fields)
        well_formed = isinstance(head.size, int) and head.size >= 0 and len(bytes.fromhex(head.root)) == HASH_BYTES
    except (OSError, ValueError, TypeError) as error:
        raise InputUnusableError("head_invalid", f"{path.name} is no signed head: {error}") from error
    if not (well_formed and head.is_genuine()):
        raise InputUnusableError("head_invalid", f"{path.name} carries a signature that does not fit its fields")
    return head


def _signed_bytes(log: str, size: int, root: str, signed_at: str, public_key: str) -> bytes:
    fields = {"log": log, "public_key": public_key, "root": root, "signed_at": signed_at, "size": size}
    return b"agrocredit signed head 1\n" + json_bytes(fields)
