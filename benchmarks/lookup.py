"""What a look-up costs the server: CPU a request against a bare ASGI callable over the same file, in the same run.

``python -m benchmarks.lookup`` starts three servers, each in a process of its own, asks each in turn over kept-alive
connections, and reads the CPU time of the server's process: a bare callable that reads the mapped snapshot and nothing
else, the service, and the service's answer from the database each time. Then a batch of 1,000 against as many pydantic
models. The client's CPU does not count; the ratio does.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.lookup_servers import FARMERS, serve, set_up
from benchmarks.server_process import cpu_seconds, free_port, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

REQUESTS = 4_000
ROUNDS = 3
BATCH_ROUNDS = 15
GOALS = {"service": 4.5, "database": 3.0, "batch": 15.0}
"""At most so often the bare callable; at least so often the service; at least so often the columns."""
CONNECTIONS = 4


async def ask(port: int, requests: int, path: Callable[[int], str], headers: str) -> None:
    """Send requests over one kept-alive connection, one after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for at in range(requests):
        line = f"GET {path(at)} HTTP/1.1\r\nHost: x\r\n{headers}\r\n"
        writer.write(line.encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
    writer.close()


def measure(folder: Path, key: str, kinds: Sequence[str] = ("bare", "service", "database")) -> dict[str, list[float]]:
    """Return CPU microseconds a request by server, one figure a round, the servers taken in turn."""
    ports = {kind: free_port() for kind in kinds}
    start = multiprocessing.get_context("spawn").Process
    servers = {kind: start(target=serve, args=(kind, folder, port), daemon=True) for kind, port in ports.items()}
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    for server in servers.values():
        server.start()
    try:
        for port in ports.values():
            wait_for(port)
        for turn in range(ROUNDS + 1):
            for kind, server in servers.items():
                before = cpu_seconds(server.pid)
                asyncio.run(_round(ports[kind], key))
                spent = cpu_seconds(server.pid) - before
                if turn:  # the first round warms up
                    found[kind].append(spent / REQUESTS * 1e6)
    finally:
        for server in servers.values():
            server.terminate()
            server.join()
    return found


async def _round(port: int, key: str) -> None:
    headers = f"Authorization: Bearer {key}\r\n"
    each = REQUESTS // CONNECTIONS
    await asyncio.gather(
        *(
            ask(port, each, lambda at, part=part: f"/v1/farmers/F{(part * each + at) % FARMERS:07}/limit", headers)
            for part in range(CONNECTIONS)
        )
    )


def batch(folder: Path) -> dict[str, float]:
    """Return CPU milliseconds of 1,000 look-ups: columns of the snapshot, and a list of pydantic models, in turns."""
    import orjson
    from pydantic import TypeAdapter

    from agrocredit.service.limits import PublishedLimit
    from agrocredit.store.limit_snapshot import open_snapshot

    snapshot = open_snapshot(folder / "bank.limits")
    ids = [f"F{at * 97 % FARMERS:07}" for at in range(1_000)]
    models = TypeAdapter(list[PublishedLimit])

    def columns() -> bytes:
        return orjson.dumps({"farmer_id": ids, **snapshot.columns(ids)})

    def listed() -> bytes:
        return models.dump_json([PublishedLimit(**orjson.loads(snapshot.answer(one))) for one in ids])

    works = {"columns": columns, "pydantic": listed}
    spent: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(BATCH_ROUNDS):
        for name, work in works.items():
            spent[name].append(_cpu_ms(work))
    return {name: statistics.median(found) for name, found in spent.items()}


def _cpu_ms(work: Callable[[], bytes], times: int = 20) -> float:
    begun = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - begun) / times * 1e3


def compare_lookup(url: str | None = None) -> None:
    """Print the figures, and whether they meet the goals."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = set_up(folder, url or f"sqlite:///{folder / 'agrocredit.db'}")
        found = measure(folder, key)
        middles = {kind: statistics.median(spent) for kind, spent in found.items()}
        print(f"look-up, server CPU a request, {REQUESTS} requests x {ROUNDS} rounds, median (range)")
        for kind, spent in found.items():
            ratio = middles[kind] / middles["bare"]
            print(f"  {kind:<10}{middles[kind]:8.0f} us ({min(spent):.0f}-{max(spent):.0f})  {ratio:5.2f} x bare")
        spent = batch(folder)
        print(f"batch of 1,000: columns {spent['columns']:.2f} ms, pydantic list {spent['pydantic']:.2f} ms")
    ratio = middles["service"] / middles["bare"]
    _print_goal("look-up at most 4.5 x a bare callable", ratio, is_met=ratio <= GOALS["service"])
    ratio = middles["database"] / middles["service"]
    _print_goal("at least 3 x less than asking the database", ratio, is_met=ratio >= GOALS["database"])
    ratio = spent["pydantic"] / spent["columns"]
    _print_goal("batch at least 15 x less than models", ratio, is_met=ratio >= GOALS["batch"])


def _print_goal(goal: str, found: float, *, is_met: bool) -> None:
    print(f"{'met   ' if is_met else 'MISSED'}  {goal:<44} {found:.1f} x", flush=True)


if __name__ == "__main__":
    compare_lookup(*sys.argv[1:])
