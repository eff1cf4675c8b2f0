"""What happens at three times the rate that is carried: ``python -m benchmarks.overload [URL] [--seconds 20]``.

First as many applications as 16 clients get answered, one after the other: the peak. Then three times that rate, due
whether or not anything is answered (`benchmarks.open_loop`): how many are still answered, how soon the others hear that
they should come again, what it takes in memory; then every acknowledged application is read back, and it is counted
how long it takes until requests are answered as usual.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.application_load import FARMERS, SEASON, serving
from benchmarks.open_loop import Client, Heard, at_their_times, evenly, show_latencies
from benchmarks.server_process import cpu_seconds, memory_mb

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Flooded:
    """What a flood did."""

    peak: float
    """Answers a second to clients that wait."""
    heard: list[Heard]
    took_s: float
    usual_s: float
    lost: int
    cpu_s: tuple[float, float]
    """Of the server: at the peak, in the flood."""
    memory_mb: tuple[float, float]
    """Of the server: before, after."""


def flooded(port: int, key: str, pid: int, *, seconds: float) -> Flooded:
    """Find the peak, flood, and look at what is left."""
    asyncio.run(peak_rate(port, key, 3))  # warms up
    clock = [cpu_seconds(pid)]
    peak, before_mb = asyncio.run(peak_rate(port, key, seconds)), memory_mb(pid)
    clock.append(cpu_seconds(pid))
    heard, took_s = asyncio.run(flood(port, key, rate=TIMES * peak, seconds=seconds))
    clock.append(cpu_seconds(pid))
    return Flooded(
        peak=peak,
        heard=heard,
        took_s=took_s,
        usual_s=asyncio.run(seconds_to_usual(port, key)),
        lost=asyncio.run(lost(port, key, [one.body["id"] for one in heard if one.status == 201])),
        cpu_s=(clock[1] - clock[0], clock[2] - clock[1]),
        memory_mb=(before_mb, memory_mb(pid)),
    )


def show(found: Flooded, *, seconds: float) -> None:
    """Print it."""
    good, refused = [[one for one in found.heard if (one.status == 201) is wanted] for wanted in (True, False)]
    print(f"peak {found.peak:.0f}/s; at {TIMES} x for {seconds:g} s, last answer after {found.took_s:.1f} s:")
    show_latencies("acknowledged", good)
    rate = len(good) / found.took_s
    print(f"  goodput {rate:.0f}/s, {rate / found.peak:.0%} of peak; {found.lost} of them lost")
    each = [1e3 * found.cpu_s[0] / (found.peak * seconds), 1e3 * found.cpu_s[1] / len(good)]
    print(f"  server CPU {each[0]:.1f} ms an answer at the peak, {each[1]:.1f} ms in the flood, refusals included")
    if refused:
        show_latencies("refused", refused)
        told = sum(one.come_again for one in refused)
        print(f"  {told} of them told when to come again; codes {sorted({one.body['code'] for one in refused})}")
    before_mb, after_mb = found.memory_mb
    print(f"as usual after {found.usual_s:.1f} s; memory {before_mb:.0f} MB before, {after_mb:.0f} MB after")


def main() -> None:
    """Print peak, goodput, refusals, losses, recovery and memory."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url", nargs="?")
    parser.add_argument("--seconds", type=float, default=20)
    asked = parser.parse_args()
    with serving(asked.url) as (server, port, key):
        found = flooded(port, key, server.pid, seconds=asked.seconds)
    show(found, seconds=asked.seconds)


if __name__ == "__main__":
    main()
