"""One JSON line a request on stderr: what happened to which route, and no person in it.

No path, no query, no body and no header is ever logged: they hold identifiers of farmers. Route templates, tenants and
trace ids do not.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson
import structlog

if TYPE_CHECKING:
    from agrocredit.service.exchange import Exchange


class AccessLog:
    """Writes the lines.

    The library's chain of processors costs more than the look-up it would log, so lines are put together here and only
    written by it, whole and one at a time.

    Parameters
    ----------
    stream : binary file, optional
        stderr without it.
    """

    def __init__(self, stream: BinaryIO | None = None) -> None:
        self._out = structlog.BytesLogger(stream or sys.stderr.buffer)

    def answered(self, exchange: Exchange, *, seconds: float) -> None:
        """Write the line of one answered request."""
        caller = exchange.caller
        self._write(
            "answered",
            trace_id=exchange.trace_id,
            method=exchange.route.method if exchange.route else None,
            route=exchange.route.path if exchange.route else None,
            status=exchange.status,
            code=exchange.code,
            ms=round(seconds * 1e3, 2),
            tenant_id=caller.tenant_id if caller else None,
            role=caller.role.value if caller else None,
        )

    def failed(self, exchange: Exchange, error: BaseException) -> None:
        """Write what went wrong inside: where it was raised and its kind, never its message, which may quote input."""
        places = []
        trace = error.__traceback__
        while trace is not None:
            module = trace.tb_frame.f_globals.get("__name__", "?")
            places.append(f"{module}:{trace.tb_lineno}")
            trace = trace.tb_next
        self._write("failed", trace_id=exchange.trace_id, error=type(error).__name__, raised_in=places[-6:])

    def note(self, event: str, **fields: str | int) -> None:
        """Write one line about the server itself."""
        self._write(event, **fields)

    def _write(self, event: str, **fields: Any) -> None:  # noqa: ANN401 - what JSON holds
        at = datetime.now(tz=UTC).isoformat(timespec="milliseconds")
        self._out.msg(orjson.dumps({"at": at, "event": event, **fields}))
