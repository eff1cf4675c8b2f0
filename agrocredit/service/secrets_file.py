"""The server's secrets: from the environment, or, for the embedded database, from a file that only its owner reads."""

from __future__ import annotations

import base64
import os
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agrocredit.domain.errors import InputUnusableError
from agrocredit.store.audit import HeadKey
from agrocredit.store.personal import KeyRing, key_ring

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PEPPER = "AGROCREDIT_KEY_PEPPER"
SIGNING = "AGROCREDIT_TOKEN_KEY"
HEAD = "AGROCREDIT_HEAD_KEY"
DATA = "AGROCREDIT_DATA_KEYS"
NAMES = (PEPPER, SIGNING, HEAD, DATA)
_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What must never be logged; the fields do not show when printed."""

    pepper: bytes = field(repr=False)
    """Keys the hashes of API keys."""
    signing_key: bytes = field(repr=False)
    """Signs farmer tokens."""
    head_seed: bytes = field(repr=False)
    """Signs heads of the log; changing it makes no earlier head invalid."""
    data_keys: KeyRing
    """Wrap the keys of personal data, the one in force first."""

    def __post_init__(self) -> None:
        for name, value in ((PEPPER, self.pepper), (SIGNING, self.signing_key), (HEAD, self.head_seed)):
            if len(value) != _BYTES:
                raise InputUnusableError("secret_invalid", f"{name} has {len(value)} bytes, expected {_BYTES}, as hex")

    def head_key(self) -> HeadKey:
        """Return the key that signs heads."""
        return HeadKey(self.head_seed)


def secrets_of(environment: Mapping[str, str] = os.environ, *, file: Path | None = None) -> Secrets:
    """Return the secrets of an environment, else those of a file, which is made where there is none.

    Parameters
    ----------
    environment : mapping
        With ``AGROCREDIT_KEY_PEPPER``, ``AGROCREDIT_TOKEN_KEY`` and ``AGROCREDIT_HEAD_KEY``, 64 hexadecimal digits
        each, and ``AGROCREDIT_DATA_KEYS``, ``NAME:BASE64`` of 32 bytes each, comma between; or none of them.
    file : Path, optional
        For a database that is a file itself.

    Raises
    ------
    InputUnusableError
        ``secret_missing``, ``secret_invalid`` or ``key_invalid``.
    """
    named = [name for name in NAMES if environment.get(name)]
    if not named and file is not None:
        return _from_file(file)
    if len(named) < len(NAMES):
        missing = ", ".join(name for name in NAMES if name not in named)
        raise InputUnusableError("secret_missing", f"{missing} not set, expected {2 * _BYTES} hexadecimal digits each")
    return _secrets([environment[name] for name in NAMES])


def _from_file(file: Path) -> Secrets:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        data_key = base64.b64encode(secrets.token_bytes(_BYTES)).decode()
        with os.fdopen(descriptor, "w", encoding="ascii") as made:
            made.write("".join(f"{secrets.token_hex(_BYTES)}\n" for _ in (PEPPER, SIGNING, HEAD)))
            made.write(f"first:{data_key}\n")
            made.flush()
            os.fsync(made.fileno())
    lines = file.read_text(encoding="ascii").split()
    if len(lines) != len(NAMES):
        raise InputUnusableError("secret_invalid", f"{file} holds {len(lines)} secrets, expected {len(NAMES)}")
    return _secrets(lines)


def _secrets(texts: list[str]) -> Secrets:
    """Return secrets from their texts, in the order of `NAMES`."""
    pepper, signing, head, data = texts
    return Secrets(
        pepper=_bytes(PEPPER, pepper),
        signing_key=_bytes(SIGNING, signing),
        head_seed=_bytes(HEAD, head),
        data_keys=key_ring(data),
    )


def _bytes(name: str, text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise InputUnusableError("secret_invalid", f"{name} is not hexadecimal") from None
