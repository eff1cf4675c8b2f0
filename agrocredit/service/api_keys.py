"""API keys: made with 256 bits of chance, shown once, stored as a keyed hash.

A password needs a slow hash because it can be guessed; a key of 256 bits cannot, so one fast keyed hash is enough, and
a stolen table is worth nothing without the server's pepper.
"""

from __future__ import annotations

import hashlib
import re
import secrets

_KEY = re.compile(r"agc_[A-Za-z0-9_-]{43}")
_PERSON = b"agrocredit key"


def new_key() -> str:
    """Return a new key; nothing but its hash is ever kept."""
    return f"agc_{secrets.token_urlsafe(32)}"


def looks_like_key(text: str) -> bool:
    """Say whether a bearer credential is an API key and not a token."""
    return _KEY.fullmatch(text) is not None


def key_hash(key: str, *, pepper: bytes) -> bytes:
    """Return what stands in the database for a key: 32 bytes of BLAKE2b keyed with the server's pepper.

    Parameters
    ----------
    key : str
    pepper : bytes
        16 to 64 bytes from the environment or the secrets file.
    """
    return hashlib.blake2b(key.encode(), digest_size=32, key=pepper, person=_PERSON).digest()
