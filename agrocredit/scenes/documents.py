"""Reading the JSON documents of a catalogue: bounded, from a file or over our own fetcher."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from agrocredit.domain.errors import InputUnusableError, RefusedError

if TYPE_CHECKING:
    from agrocredit.scenes.fetch import Fetcher
    from agrocredit.scenes.hrefs import Location

DOCUMENT_BYTES_MAX = 512_000_000
"""A season of Sentinel-2 over a country is some ten thousand items of 30 kB."""


def read_document(location: Location, *, fetcher: Fetcher) -> dict[str, Any]:
    """Return the JSON object at a location.

    Raises
    ------
    InputUnusableError
        ``source_missing`` where there is no such file or it cannot be fetched, ``catalog_not_stac`` where it is not a
        JSON object.
    """
    try:
        document = json.loads(_bytes(location, fetcher))
    except (ValueError, RecursionError) as error:
        why = str(error)[:120]
        raise InputUnusableError("catalog_not_stac", f"{location.href} is not JSON ({why}), expected STAC") from error
    if not isinstance(document, dict):
        raise InputUnusableError(
            "catalog_not_stac", f"{location.href} holds a JSON {type(document).__name__}, expected a STAC object"
        )
    return document


def _bytes(location: Location, fetcher: Fetcher) -> bytes:
    try:
        if location.kind != "file":
            target = io.BytesIO()
            fetcher.fetch(location, target)
            return target.getvalue()
        if not location.path.is_file():
            raise InputUnusableError("source_missing", f"{location.href} is not a file, expected a STAC document")
        if location.path.stat().st_size > DOCUMENT_BYTES_MAX:
            raise InputUnusableError("catalog_too_large", f"{location.href} has more than {DOCUMENT_BYTES_MAX} bytes")
        return location.path.read_bytes()
    except RefusedError as error:
        if error.code == "href_not_allowed":
            raise
        raise InputUnusableError("source_missing", error.detail) from error
    except OSError as error:
        raise InputUnusableError("source_missing", f"{location.href} cannot be read: {error.strerror}") from error
