"""Connections: a bound on how many, on how long one may say nothing whole, and on how large a request's head may be.

uvicorn times a connection only after its first answer, and its parser takes a head of any size: whoever opens sockets
and is silent, or speaks a byte a second, would keep everybody else out. Here a connection that owes a head is dropped
when its time is over, and the one that has owed longest makes room when there are too many.
"""

from __future__ import annotations

import resource
import secrets
import time
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from agrocredit.service.problems import PROBLEM_JSON, Problem, problem_body

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

CONNECTIONS_MAX = 2_048
HEAD_BYTES_MAX = 16_384
"""Of a head that arrives in pieces; one that arrives whole is bounded by what is read from a socket at once."""
HEAD_SECONDS_MAX = 15.0
"""From the connection, or from the answer before, to the end of the next head; longer than a connection is kept."""
_DESCRIPTORS_FOR_THE_REST = 128


class Owing:
    """Connections that owe the head of a request, the one that has owed longest first.

    Parameters
    ----------
    seconds_max : float
        So long a head may take.
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, *, seconds_max: float = HEAD_SECONDS_MAX, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds_max, self._clock = seconds_max, clock
        self._since_s: dict[BoundedConnection, float] = {}

    def __contains__(self, connection: BoundedConnection) -> bool:
        """Say whether a connection owes a head."""
        return connection in self._since_s

    def begin(self, connection: BoundedConnection) -> None:
        """Count a connection from now on."""
        self._since_s.pop(connection, None)
        self._since_s[connection] = self._clock()

    def end(self, connection: BoundedConnection) -> None:
        """Stop counting a connection, if it was counted."""
        self._since_s.pop(connection, None)

    def drop_late(self) -> None:
        """Drop all connections whose time is over."""
        now_s = self._clock()
        while self._since_s:
            connection, since_s = next(iter(self._since_s.items()))
            if now_s - since_s < self._seconds_max:
                return
            self._drop(connection)

    def drop_longest(self) -> bool:
        """Drop the connection that has owed longest; say whether there was one."""
        connection = next(iter(self._since_s), None)
        if connection is not None:
            self._drop(connection)
        return connection is not None

    def _drop(self, connection: BoundedConnection) -> None:
        self.end(connection)
        connection.transport.abort()  # to close would wait for a peer that does not read


class BoundedConnection(HttpToolsProtocol):
    """A connection whose silence, head and number are bounded; `bounded` gives it the bounds."""

    owing: Owing
    connections_max: int

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Take a connection in, in the place of the one that has owed a head longest if there are too many."""
        super().connection_made(transport)
        self._head_bytes, self._in_body = 0, False
        if len(self.connections) > self.connections_max and not self.owing.drop_longest():
            self._answer(Problem("overloaded", f"{self.connections_max} requests are being answered already"))
            return
        self.owing.begin(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self.owing.end(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head grows too large."""
        super().data_received(data)
        if self in self.owing and not self._in_body:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._answer(Problem("request_invalid", f"expected a head of {HEAD_BYTES_MAX} bytes or fewer"))

    def on_headers_complete(self) -> None:
        """Begin a request: from here on the gate counts its time."""
        self.owing.end(self)
        self._head_bytes, self._in_body = 0, True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that what comes next is a head."""
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next head, unless it is here already."""
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None:
            self.owing.begin(self)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP like everything else that cannot be read."""
        del msg  # uvicorn's; ours says more
        self._answer(Problem("request_invalid", "the request is no HTTP that every reader takes the same way"))

    def _answer(self, problem: Problem) -> None:
        """Answer and close, without the app."""
        if self.transport.is_closing():
            return
        status, body, headers = problem_body(problem, trace_id=secrets.token_hex(16))
        headers |= {"content-type": PROBLEM_JSON, "content-length": str(len(body)), "connection": "close"}
        head = "".join(f"{name.lower()}: {value}\r\n" for name, value in headers.items())
        self.transport.write(STATUS_LINE[status] + head.encode("ascii") + b"\r\n" + body)
        self.transport.close()


def bounded(owing: Owing, *, connections_max: int) -> type[BoundedConnection]:
    """Return the class of connections that uvicorn makes, with its bounds."""
    return type("Connection", (BoundedConnection,), {"owing": owing, "connections_max": connections_max})


def connections_allowed() -> int:
    """Return how many connections there may be, after raising the limit of open files as far as it goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_MAX + _DESCRIPTORS_FOR_THE_REST
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return CONNECTIONS_MAX
    return max(1, min(CONNECTIONS_MAX, soft - _DESCRIPTORS_FOR_THE_REST))
