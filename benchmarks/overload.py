"""What happens at three times the rate that is carried: ``python -m benchmarks.overload [URL] [--seconds 20]``.

First as many applications as 16 clients get answered, one after the other: the peak. Then three times that rate, due
whether or not anything is answered (`benchmarks.open_loop`): how many are still answered, how soon the others hear that
they should come again, what it takes in memory; then every acknowledged application is read back, and it is counted
how long it takes until requests are answered as usual.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.application_load import AS_OF, FARMERS, SEASON, fill
from benchmarks.lookup_servers import set_up
from benchmarks.open_loop import Client, Heard, at_their_times, evenly, show_latencies
from benchmarks.server_process import cpu_seconds, free_port, memory_mb, start_service

if TYPE_CHECKING:
    from collections.abc import Awaitable

CLIENTS = 16
TIMES = 3
CONNECTIONS = 1_000
USUAL_S = 1.0
IN_A_ROW = 10


def apply(client: Client, number: int) -> Awaitable[Heard]:
    """Apply for one of the farmers."""
    return client.ask("POST", "/v1/applications", {"farmer_id": f"L{number % FARMERS}", "season": SEASON})


async def peak_rate(port: int, key: str, seconds: float) -> float:
    """Return how many applications a second are answered to clients that wait for each answer."""
    client, until, done = Client(port, key), time.monotonic() + seconds, 0

    async def one(first: int) -> None:
        nonlocal done
        number = first
        while time.monotonic() < until:
            assert (await apply(client, number)).status == 201
            number, done = number + CLIENTS, done + 1

    await asyncio.gather(*(one(first) for first in range(CLIENTS)))
    return done / seconds


async def flood(port: int, key: str, *, rate: float, seconds: float) -> tuple[list[Heard], float]:
    """Return what came of the requests of a flood and how long it took until the last was answered."""
    client, begun = Client(port, key, connections=CONNECTIONS), time.monotonic()
    heard = await at_their_times(lambda number: apply(client, number), evenly(rate, seconds))
    return heard, time.monotonic() - begun


async def seconds_to_usual(port: int, key: str) -> float:
    """Return after how long requests are answered as usual, so many in a row."""
    client, begun, row, number = Client(port, key), time.monotonic(), 0, 0
    while row < IN_A_ROW:
        heard = await apply(client, number)
        row, number = row + 1 if heard.status == 201 and heard.seconds < USUAL_S else 0, number + 1
    return time.monotonic() - begun


async def lost(port: int, key: str, ids: list[str]) -> int:
    """Return how many acknowledged applications are not there."""
    client, missing = Client(port, key), 0
    for application_id in ids:
        missing += (await client.ask("GET", f"/v1/applications/{application_id}")).status != 200
    return missing


def main() -> None:
    """Print peak, goodput, refusals, losses, recovery and memory."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url", nargs="?")
    parser.add_argument("--seconds", type=float, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        url = asked.url or f"sqlite:///{folder / 'agrocredit.db'}"
        set_up(folder, url)
        fill(url)
        server, key = start_service(folder, url, port, "--business-date", AS_OF.isoformat())
        try:
            asyncio.run(peak_rate(port, key, 3))  # warms up
            clock = [cpu_seconds(server.pid)]
            peak, before_mb = asyncio.run(peak_rate(port, key, asked.seconds)), memory_mb(server.pid)
            clock.append(cpu_seconds(server.pid))
            heard, took = asyncio.run(flood(port, key, rate=TIMES * peak, seconds=asked.seconds))
            clock.append(cpu_seconds(server.pid))
            usual_s, after_mb = asyncio.run(seconds_to_usual(port, key)), memory_mb(server.pid)
            good, refused = [one for one in heard if one.status == 201], [one for one in heard if one.status != 201]
            missing = asyncio.run(lost(port, key, [one.body["id"] for one in good]))
        finally:
            server.terminate()
            server.wait()
    print(f"peak {peak:.0f}/s; at {TIMES} x for {asked.seconds:g} s, the last answer after {took:.1f} s:")
    show_latencies("acknowledged", good)
    print(f"  goodput {len(good) / took:.0f}/s, {len(good) / took / peak:.0%} of peak; {missing} of them lost")
    each = [1e3 * (clock[1] - clock[0]) / (peak * asked.seconds), 1e3 * (clock[2] - clock[1]) / len(good)]
    print(f"  server CPU {each[0]:.1f} ms an answer at the peak, {each[1]:.1f} ms in the flood, refusals included")
    if refused:
        show_latencies("refused", refused)
        told = sum(one.come_again for one in refused)
        print(f"  {told} of them told when to come again; codes {sorted({one.body['code'] for one in refused})}")
    print(f"as usual after {usual_s:.1f} s; memory {before_mb:.0f} MB before, {after_mb:.0f} MB after")


if __name__ == "__main__":
    main()
