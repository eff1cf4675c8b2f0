"""A request's body: whole, within its cap and its time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agrocredit.service.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Message, Receive


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], *, bytes_max: int, seconds_max: float) -> bytes:
    """Return the body.

    Parameters
    ----------
    receive : callable
        Of the ASGI server.
    headers : mapping
        Lower-case names.
    bytes_max : int
        0 where the route takes no body.
    seconds_max : float
        From now to the last byte.

    Raises
    ------
    Problem
        ``body_too_large``, ``request_timeout``, ``request_invalid`` or ``media_type_unsupported``.
    """
    _check_headers(headers, bytes_max=bytes_max)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds_max):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Problem("request_invalid", "the connection was closed in the middle of the body")
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > bytes_max:
                    raise _too_large(bytes_max)
                more = message.get("more_body", False)
    except TimeoutError:
        raise Problem("request_timeout", f"the body did not arrive within {seconds_max:g} s") from None
    return b"".join(parts)


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body once more, then goes on with the server's."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _check_headers(headers: Mapping[bytes, bytes], *, bytes_max: int) -> None:
    length = headers.get(b"content-length")
    if length is not None:
        if not length.isdigit():
            raise Problem("request_invalid", "Content-Length is no number", field="Content-Length")
        if len(length) > len(str(bytes_max)) or int(length) > bytes_max:
            raise _too_large(bytes_max)
    coding = headers.get(b"content-encoding", b"identity").lower()
    if coding != b"identity":
        raise Problem("media_type_unsupported", "Content-Encoding, expected none", field="Content-Encoding")
    kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if bytes_max and kind not in (b"application/json", b"application/geo+json"):
        detail = "expected Content-Type application/json"
        raise Problem("media_type_unsupported", detail, field="Content-Type")


def _too_large(bytes_max: int) -> Problem:
    return Problem("body_too_large", f"expected a body of {bytes_max} bytes or fewer")
