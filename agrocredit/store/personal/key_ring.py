"""The master keys: the first one wraps, all of them unwrap, so that a new one comes into force without downtime.

Written ``NAME:BASE64,NAME:BASE64``, the one in force first. To rotate: put a new key in front, restart at leisure, wrap
the person keys anew, then drop the old one.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agrocredit.domain.errors import AgrocreditError, InputUnusableError

KEY_BYTES = 32
NONCE_BYTES = 12
_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")


class KeyUnavailableError(AgrocreditError):
    """What is sealed cannot be read now: its master key is not at hand."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Master keys by name, the one in force first."""

    keys: dict[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        if not self.keys:
            raise InputUnusableError("key_invalid", "no master key for personal data; at least one is expected")
        for name, key in self.keys.items():
            if not _NAME.fullmatch(name) or len(key) != KEY_BYTES:
                raise InputUnusableError(
                    "key_invalid",
                    f"master key {name[:32]!r} has {len(key)} bytes, expected {KEY_BYTES} under a plain name",
                )

    @property
    def in_force(self) -> str:
        """Name of the key that wraps."""
        return next(iter(self.keys))

    def wrap(self, secret: bytes, *, nonce: bytes, about: bytes) -> tuple[str, bytes]:
        """Return the name of the key in force and a secret sealed under it.

        Parameters
        ----------
        secret : bytes
        nonce : bytes
            12 random bytes, never used twice.
        about : bytes
            What the secret belongs to; unwrapping asks for the same.
        """
        return self.in_force, nonce + AESGCM(self.keys[self.in_force]).encrypt(nonce, secret, about)

    def unwrap(self, name: str, wrapped: bytes, *, about: bytes) -> bytes:
        """Return a secret.

        Raises
        ------
        KeyUnavailableError
            ``key_unavailable`` if the key is not in the ring or does not fit.
        """
        key = self.keys.get(name)
        if key is None:
            raise KeyUnavailableError("key_unavailable", f"master key {name!r} is not among the {len(self.keys)} given")
        try:
            return AESGCM(key).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], about)
        except (InvalidTag, ValueError) as error:
            raise KeyUnavailableError("key_unavailable", f"master key {name!r} does not open what names it") from error

    def derived(self, name: str, *, purpose: str) -> bytes:
        """Return 32 bytes for another purpose than wrapping, from one of the keys (HKDF, RFC 5869)."""
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(self.keys[name])


def key_ring(text: str) -> KeyRing:
    """Return the ring that a text names.

    Raises
    ------
    InputUnusableError
        ``key_invalid``; the message never repeats a key.
    """
    keys: dict[str, bytes] = {}
    for place, part in enumerate(text.split(","), start=1):
        name, colon, encoded = part.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if not colon or not key:
            raise InputUnusableError("key_invalid", f"master key number {place} is not NAME:BASE64")
        if name in keys:
            raise InputUnusableError("key_invalid", f"master key number {place} has the name of an earlier one")
        keys[name] = key
    return KeyRing(keys)
