"""The ``Idempotency-Key`` header: there, short and visible."""

from __future__ import annotations

from agrocredit.service.problems import Problem

_HEADER = "Idempotency-Key"
_CHARACTERS_MAX = 255
_FIRST_VISIBLE, _LAST_VISIBLE = 0x21, 0x7E


def checked_key(header: bytes | None) -> str:
    """Return the key of a request.

    Raises
    ------
    Problem
        ``idempotency_key_required`` or ``idempotency_key_invalid``.
    """
    if header is None:
        raise Problem("idempotency_key_required", f"no {_HEADER} header, expected one a movement", field=_HEADER)
    if not 1 <= len(header) <= _CHARACTERS_MAX or not all(_FIRST_VISIBLE <= b <= _LAST_VISIBLE for b in header):
        detail = f"{len(header)} characters, expected 1 to {_CHARACTERS_MAX} visible ASCII characters"
        raise Problem("idempotency_key_invalid", detail, field=_HEADER)
    return header.decode("ascii")
