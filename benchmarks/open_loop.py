"""Requests that come when due, whether or not earlier ones are answered, so a server that falls behind shows it.

Latency is counted from the moment a request was due, not from when the client got round to it.
"""

from __future__ import annotations

import asyncio
import json
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence


IDLE_MAX_S = 2.0
"""Older connections are not used again: the server closes them after five seconds, perhaps at this moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came of one request."""

    status: int
    seconds: float
    """From the moment it was due."""
    body: dict[str, Any]
    come_again: bool = False
    """Whether it was told when."""


class Client:
    """Kept-alive connections to one port with one credential.

    Parameters
    ----------
    port : int
    key : str
    connections : int
        Opened as they are needed, so many at the most; a request beyond them waits for one.
    """

    def __init__(self, port: int, key: str, *, connections: int = 64) -> None:
        self._port, self._key = port, key
        self._free = asyncio.Semaphore(connections)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter, float]] = []

    async def ask(self, method: str, path: str, body: object = None, *, once: str | None = None) -> Heard:
        """Send a request and return its answer, timed from now; `once` is its idempotency key."""
        begun = asyncio.get_running_loop().time()
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self._key}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n" if data else ""
        head += "" if once is None else f"Idempotency-Key: {once}\r\n"
        async with self._free:
            reader, writer = await self._connection()
            writer.write(f"{head}\r\n".encode() + data)
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
            content = await reader.readexactly(int(answer.split(b"content-length: ")[1].split(b"\r\n")[0]))
            if b"connection: close" in answer:
                writer.close()
            else:
                self._idle.append((reader, writer, asyncio.get_running_loop().time()))
        return Heard(
            status=int(answer.split(b" ", 2)[1]),
            seconds=asyncio.get_running_loop().time() - begun,
            body=json.loads(content),
            come_again=b"retry-after: " in answer,
        )

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer, since = self._idle.pop()
            if asyncio.get_running_loop().time() - since < IDLE_MAX_S:
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port)


async def at_their_times(work: Callable[[int], Awaitable[Heard]], due_s: Sequence[float]) -> list[Heard]:
    """Begin each piece of work when it is due, in seconds from now, and return what each heard."""
    loop = asyncio.get_running_loop()
    begun = loop.time()

    async def one(number: int, due: float) -> Heard:
        await asyncio.sleep(max(0.0, begun + due - loop.time()))
        heard = await work(number)
        return Heard(
            status=heard.status, seconds=loop.time() - begun - due, body=heard.body, come_again=heard.come_again
        )

    return await asyncio.gather(*(one(number, due) for number, due in enumerate(due_s)))


def evenly(rate: float, seconds: float) -> list[float]:
    """Return when requests are due that come at a rate, one as long after the other."""
    return [number / rate for number in range(int(rate * seconds))]


def show_latencies(name: str, heard: Sequence[Heard]) -> None:
    """Print how many there were of each status, and how long they took."""
    counted = {status: sum(one.status == status for one in heard) for status in sorted({one.status for one in heard})}
    latencies = sorted(one.seconds * 1e3 for one in heard)
    cuts = statistics.quantiles(latencies, n=1000)
    print(f"{len(heard)} {name}, statuses {counted}")
    print(f"  p50 {cuts[499]:.0f} ms, p99 {cuts[989]:.0f} ms, p99.9 {cuts[998]:.0f} ms, most {latencies[-1]:.0f} ms")
