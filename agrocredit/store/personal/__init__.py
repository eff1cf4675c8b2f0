"""Names, phones and national ids at rest: sealed a field at a time, readable only with keys that are kept elsewhere.

``key_ring`` holds the master keys that the environment gives, ``sealed`` seals fields under a key of each person's own.
Only that person key, wrapped by a master key, lies in the database: a master key is changed by wrapping the person keys
anew, and a person is forgotten by destroying one small value, while ledger and audit log keep their bytes.
"""

from __future__ import annotations

from agrocredit.store.personal.key_ring import KeyRing, key_ring
from agrocredit.store.personal.sealed import PersonKey, blind_index, new_person_key, open_text, seal_text

__all__ = ["KeyRing", "PersonKey", "blind_index", "key_ring", "new_person_key", "open_text", "seal_text"]
