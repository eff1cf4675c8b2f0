"""The server's secrets: from the environment, or, for the embedded database, from a file that only its owner reads."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PEPPER = "AGROCREDIT_KEY_PEPPER"
SIGNING = "AGROCREDIT_TOKEN_KEY"
_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What must never be logged; the fields do not show when printed."""

    pepper: bytes = field(repr=False)
    """Keys the hashes of API keys."""
    signing_key: bytes = field(repr=False)
    """Signs farmer tokens."""

    def __post_init__(self) -> None:
        for name, value in ((PEPPER, self.pepper), (SIGNING, self.signing_key)):
            if len(value) != _BYTES:
                raise InputUnusableError("secret_invalid", f"{name} has {len(value)} bytes, expected {_BYTES}, as hex")


def secrets_of(environment: Mapping[str, str] = os.environ, *, file: Path | None = None) -> Secrets:
    """Return the secrets of an environment, else those of a file, which is made where there is none.

    Parameters
    ----------
    environment : mapping
        With both ``AGROCREDIT_KEY_PEPPER`` and ``AGROCREDIT_TOKEN_KEY``, 64 hexadecimal digits each, or neither.
    file : Path, optional
        For a database that is a file itself.

    Raises
    ------
    InputUnusableError
        ``secret_missing`` or ``secret_invalid``.
    """
    named = [name for name in (PEPPER, SIGNING) if environment.get(name)]
    if not named and file is not None:
        return _from_file(file)
    if len(named) < len((PEPPER, SIGNING)):
        missing = ", ".join(name for name in (PEPPER, SIGNING) if name not in named)
        raise InputUnusableError("secret_missing", f"{missing} not set, expected {2 * _BYTES} hexadecimal digits")
    return Secrets(pepper=_bytes(PEPPER, environment[PEPPER]), signing_key=_bytes(SIGNING, environment[SIGNING]))


def _from_file(file: Path) -> Secrets:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "w", encoding="ascii") as made:
            made.write(f"{secrets.token_hex(_BYTES)}\n{secrets.token_hex(_BYTES)}\n")
            made.flush()
            os.fsync(made.fileno())
    lines = file.read_text(encoding="ascii").split()
    if len(lines) != len((PEPPER, SIGNING)):
        raise InputUnusableError("secret_invalid", f"{file} holds {len(lines)} secrets, expected 2")
    return Secrets(pepper=_bytes(PEPPER, lines[0]), signing_key=_bytes(SIGNING, lines[1]))


def _bytes(name: str, text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise InputUnusableError("secret_invalid", f"{name} is not hexadecimal") from None
