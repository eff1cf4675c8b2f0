"""One request and its answer, as the gate follows it: what the log and the metrics may know."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import Message, Scope, Send

    from agrocredit.service.caller import Caller
    from agrocredit.service.route_table import Route

_KEY = "agrocredit"


class Exchange:
    """State of one request; changed by the gate alone."""

    __slots__ = ("body", "caller", "code", "idempotency_key", "route", "status", "trace_id", "value")

    def __init__(self) -> None:
        self.trace_id = secrets.token_hex(16)
        self.route: Route | None = None
        self.caller: Caller | None = None
        self.body = b""
        self.value: Any = None
        """The body, parsed strictly."""
        self.idempotency_key: str | None = None
        self.status = 0
        """Of the answer; 0 while there is none."""
        self.code: str | None = None
        """Of the problem, if it is one."""

    def watch(self, send: Send) -> Send:
        """Return a `send` that notes the status and adds the headers every answer carries."""

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                message["headers"] = [*message.get("headers", ()), *self._headers()]
            await send(message)

        return noted

    def _headers(self) -> list[tuple[bytes, bytes]]:
        return [
            (b"x-trace-id", self.trace_id.encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]


def attach(scope: Scope, exchange: Exchange) -> None:
    """Put an exchange where the routes find it."""
    scope[_KEY] = exchange


def exchange_of(scope: Scope) -> Exchange:
    """Return the exchange of a request."""
    found: Exchange = scope[_KEY]
    return found
