"""Fields of a person, each sealed under that person's own key and bound to its place.

AES-256 in Galois counter mode (NIST SP 800-38D) with a random nonce; the tenant, the person and the field's name are
authenticated along, so that a value moved to another row or column does not open.
"""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agrocredit.store.personal.key_ring import KEY_BYTES, NONCE_BYTES, KeyUnavailableError

if TYPE_CHECKING:
    from agrocredit.store.personal.key_ring import KeyRing


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonKey:
    """The key of one person."""

    tenant: str
    person: str
    secret: bytes = field(repr=False)
    """32 bytes."""

    def wrapped(self, ring: KeyRing) -> tuple[str, bytes]:
        """Return the name of the master key in force and this key wrapped under it: what the database keeps."""
        return ring.wrap(self.secret, nonce=secrets.token_bytes(NONCE_BYTES), about=_about(self.tenant, self.person))

    @classmethod
    def unwrapped(cls, ring: KeyRing, *, tenant: str, person: str, name: str, wrapped: bytes) -> PersonKey:
        """Return a person's key from what the database keeps; errors as `KeyRing.unwrap`."""
        secret = ring.unwrap(name, wrapped, about=_about(tenant, person))
        return cls(tenant=tenant, person=person, secret=secret)


def new_person_key(*, tenant: str, person: str) -> PersonKey:
    """Return a new random key for a person."""
    return PersonKey(tenant=tenant, person=person, secret=secrets.token_bytes(KEY_BYTES))


def seal_text(text: str, *, key: PersonKey, name: str) -> bytes:
    """Return a field's text sealed; two sealings of one text differ.

    Parameters
    ----------
    text : str
    key : PersonKey
    name : str
        Of the field.
    """
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key.secret).encrypt(nonce, text.encode(), _about(key.tenant, key.person, name))


def open_text(sealed: bytes, *, key: PersonKey, name: str) -> str:
    """Return a field's text.

    Raises
    ------
    KeyUnavailableError
        ``key_unavailable`` if it was sealed for another person or field, or changed.
    """
    try:
        text = AESGCM(key.secret).decrypt(
            sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _about(key.tenant, key.person, name)
        )
    except (InvalidTag, ValueError) as error:
        raise KeyUnavailableError("key_unavailable", f"field {name!r} does not open under its person's key") from error
    return text.decode()


def blind_index(text: str, *, ring: KeyRing, tenant: str, name: str, master_key: str | None = None) -> bytes:
    """Return 32 bytes by which a tenant finds a field's equal values again without reading any.

    Compatibility forms, letter case and spaces do not count. Bound to the tenant, so that no two lenders can compare.

    Parameters
    ----------
    text : str
    ring : KeyRing
    tenant, name : str
        Whose field.
    master_key : str, optional
        The key of the ring to derive from; the one in force by default. While keys are changed, a search asks for the
        values under every one of them.
    """
    plain = "".join(unicodedata.normalize("NFKC", text).casefold().split())
    key = ring.derived(master_key or ring.in_force, purpose="agrocredit blind index")
    return hmac.new(key, _about(tenant, name, plain), sha256).digest()


def _about(*parts: str) -> bytes:
    """Return parts joined so that no two different lists of them give the same bytes."""
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
