"""Whether a service that goes on for long stays as it was: ``python -m benchmarks.soak [URL] [--minutes 10]``.

Lenders look up limits, apply, open loans, draw, repay and read, at a rate that the service carries with ease. Every ten
seconds the memory and the open files of its process are read, and how long the requests took. A repayment may overtake
the draw before it and is refused then (422). At the end it is asked to stop.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from dataclasses import dataclass

from benchmarks.application_load import FARMERS, SEASON, serving
from benchmarks.open_loop import Client, Heard, at_their_times, evenly
from benchmarks.server_process import memory_mb, open_files

PART_S = 10
BORROWERS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Ten seconds."""

    memory_mb: float
    files: int
    p99_ms: float
    statuses: frozenset[int]


async def open_loans(client: Client) -> list[str]:
    """Return loans that can be drawn on."""
    loans = []
    for number in range(BORROWERS):
        asked = await client.ask("POST", "/v1/applications", {"farmer_id": f"L{number}", "season": SEASON})
        decision = asked.body["decision"]
        if decision["outcome"] == "approved":
            opened = await client.ask("POST", "/v1/loans", {"decision_id": decision["id"]}, once=f"open-{number}")
            loans.append(opened.body["id"])
    return loans


async def step(client: Client, loans: list[str], number: int) -> Heard:
    """Do one of the things that lenders do, the commonest most often; what is drawn is repaid in the next round."""
    kind, turn = number % 10, number // 10
    loan = loans[turn // 2 % len(loans)]
    money = {"amount_minor": 100, "currency": "CNY"}
    if kind < 5:
        return await client.ask("GET", f"/v1/farmers/F{number % 1000:07}/limit")
    if kind == 5:
        return await client.ask("POST", "/v1/limits/lookup", {"farmer_ids": [f"F{at:07}" for at in range(200)]})
    if kind == 6:
        farmer = f"L{BORROWERS + turn % (FARMERS - BORROWERS)}"
        return await client.ask("POST", "/v1/applications", {"farmer_id": farmer, "season": SEASON})
    if kind == 7:
        return await client.ask("GET", f"/v1/loans/{loan}")
    path = f"/v1/loans/{loan}/{'draws' if turn % 2 == 0 else 'repayments'}"
    return await client.ask("POST", path, money, once=f"{kind}-{turn}")


async def soak(port: int, key: str, pid: int | None, *, rate: float, minutes: float) -> list[Part]:
    """Return what every ten seconds showed."""
    client, parts, sent = Client(port, key), [], 0
    loans = await open_loans(client)
    for _ in range(int(minutes * 60 / PART_S)):
        heard = await at_their_times(lambda number, sent=sent: step(client, loans, sent + number), evenly(rate, PART_S))
        sent += len(heard)
        cuts = statistics.quantiles([one.seconds * 1e3 for one in heard], n=100)
        statuses = frozenset(one.status for one in heard)
        parts.append(Part(memory_mb=memory_mb(pid), files=open_files(pid), p99_ms=cuts[98], statuses=statuses))
    return parts


def main() -> None:
    """Print memory, files and latencies at the beginning, at the end and at their most."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url", nargs="?")
    parser.add_argument("--rate", type=float, default=60)
    parser.add_argument("--minutes", type=float, default=10)
    asked = parser.parse_args()
    with serving(asked.url) as (server, port, key):
        parts = asyncio.run(soak(port, key, server.pid, rate=asked.rate, minutes=asked.minutes))
        begun = time.monotonic()
        server.terminate()
        server.wait()
        stopped_s = time.monotonic() - begun
    tenth = max(1, len(parts) // 10)
    statuses = sorted(frozenset().union(*(part.statuses for part in parts)))
    print(f"{asked.minutes:g} minutes at {asked.rate:g}/s, statuses {statuses}")
    at = [part.memory_mb for part in parts[tenth - 1 :: tenth]]
    print(f"  memory after each tenth, MB: {', '.join(f'{value:.0f}' for value in at)}")
    for name, values in (
        ("memory, MB", [part.memory_mb for part in parts]),
        ("open files", [part.files for part in parts]),
        ("p99, ms", [part.p99_ms for part in parts]),
    ):
        begin, end = (statistics.median(some) for some in (values[tenth : 2 * tenth] or values, values[-tenth:]))
        print(f"  {name}: {begin:.0f} in the second tenth, {end:.0f} in the last, {max(values):.0f} at most")
    print(f"  ended {stopped_s:.1f} s after it was asked to")


if __name__ == "__main__":
    main()
