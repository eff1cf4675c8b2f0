"""JSON with one spelling: sorted keys, no NaN, UTF-8, so that equal records are equal bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from agrocredit.store.atomic import write_text

if TYPE_CHECKING:
    from pathlib import Path


def json_text(value: object) -> str:
    r"""Return a record as JSON for people and files: two spaces a level, keys sorted, one line end at the end.

    Parameters
    ----------
    value : object
        Dicts with text keys, lists, tuples, text, finite numbers, bool, None.

    Raises
    ------
    ValueError
        For NaN or an infinity: a number that is not known is null or left out, by the caller's choice.

    Examples
    --------
    >>> json_text({"b": 1, "a": None})
    '{\n  "a": null,\n  "b": 1\n}\n'
    """
    return json.dumps(value, allow_nan=False, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def json_bytes(value: object) -> bytes:
    """Return a record as JSON for hashing: no spaces, keys sorted; values and errors as in `json_text`.

    >>> json_bytes({"b": [1, 2.5], "a": "\u00e4"}).decode()
    '{"a":"ä","b":[1,2.5]}'
    """
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.encode()


def write_json(value: object, path: Path) -> None:
    """Write a record atomically as `json_text`; errors as there and in `atomic_file`."""
    write_text(json_text(value), path)
