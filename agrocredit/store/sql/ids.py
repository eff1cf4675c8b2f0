"""Ids of rows: a prefix that says what it names, and 128 bits of chance, so that none can be guessed."""

from __future__ import annotations

from uuid import uuid4


def new_id(prefix: str) -> str:
    """Return a new id such as ``loan_2f0c...``."""
    return f"{prefix}_{uuid4().hex}"
