"""How long an application waits: ``python -m benchmarks.application_load [URL] [--rate 50] [--seconds 60]``.

Applications arrive at a fixed rate (`benchmarks.open_loop`). Each is a farmer of its own with two estimated plots; the
answer is a decision, written with its record.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.lookup_servers import serve, set_up
from benchmarks.open_loop import Client, Heard, at_their_times, evenly, show_latencies
from benchmarks.server_process import cpu_seconds, free_port, start_service, wait_for

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Awaitable, Iterator

FARMERS = 2_000
SEASON = "2024"
AS_OF = date(2024, 6, 5)
QUANTILES_T_HA = (3.0, 3.5, 4.2, 5.1, 6.0, 6.9, 7.4)


def fill(url: str) -> None:
    """Give every farmer two plots with an estimate."""
    from shapely import box

    from agrocredit.domain.plot import Plot, geodesic_area_perimeter
    from agrocredit.store.sql import open_database
    from agrocredit.store.sql.plot_queries import plot_row
    from agrocredit.store.sql.publishing import publish_estimates, publish_holdings, publish_plots

    database, now = open_database(url), datetime.now(tz=UTC)
    for start in range(0, FARMERS, 100):
        plots, shares, estimates = [], [], []
        for number in range(2 * start, 2 * (start + 100)):
            west, south = 114 + number % 100 * 0.002, 34 + number // 100 * 0.002
            shape = box(west, south, west + 0.001, south + 0.001)
            area_m2, perimeter_m = geodesic_area_perimeter(shape)
            plot = Plot(
                id=f"P{number}",
                geometry=shape,
                area_m2=area_m2,
                perimeter_m=perimeter_m,
                farmer_id=f"L{number // 2}",
                crop="winter_wheat",
            )
            plots.append(plot_row(plot, season=SEASON, determination="imported", now=now))
            held = {"farmer_id": plot.farmer_id, "plot_id": plot.id, "season": SEASON, "region_id": None}
            shares.append({**held, "tenure_share": 1.0, "grade": "A", "documented_area_m2": None})
            estimates.append(estimate(plot.id, number))
        with database.write("bank") as session:
            publish_plots(session, plots, now=now)
            publish_holdings(session, shares, now=now)
            publish_estimates(session, estimates)
    database.close()


def estimate(plot_id: str, number: int) -> dict[str, object]:
    """Return a made-up estimate; no two farmers' are alike."""
    names = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")
    return {
        "plot_id": plot_id,
        "crop": "winter_wheat",
        "harvest_year": int(SEASON),
        "as_of": AS_OF,
        "season": SEASON,
        "status": "estimated",
        "reason": None,
        **{name: value * (0.7 + number % 97 / 200) for name, value in zip(names, QUANTILES_T_HA, strict=True)},
        "clear_observations": 12,
        "release": "benchmark",
        "evidence_sha256": f"{number:064x}",
    }


@contextmanager
def serving(url: str | None) -> Iterator[tuple[subprocess.Popen[bytes], int, str]]:
    """Yield `agrocredit serve` over a database of these farmers: process, port and a key; SQLite without a URL."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        url = url or f"sqlite:///{folder / 'agrocredit.db'}"
        set_up(folder, url)
        fill(url)
        server, key = start_service(folder, url, port, "--business-date", AS_OF.isoformat())
        try:
            yield server, port, key
        finally:
            server.terminate()
            server.wait()


async def load(port: int, key: str, *, rate: int, seconds: int) -> list[Heard]:
    """Return what came of every application."""
    client = Client(port, key)

    def one(number: int) -> Awaitable[Heard]:
        return client.ask("POST", "/v1/applications", {"farmer_id": f"L{number % FARMERS}", "season": SEASON})

    return await at_their_times(one, evenly(rate, seconds))


def main() -> None:
    """Print statuses, latencies and the server's CPU."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url", nargs="?")
    parser.add_argument("--rate", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=60)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = asked.url or f"sqlite:///{folder / 'agrocredit.db'}"
        key = set_up(folder, url)
        fill(url)
        port = free_port()
        start = multiprocessing.get_context("spawn").Process
        server = start(target=serve, args=("service", folder, port), daemon=True)
        server.start()
        wait_for(port)
        asyncio.run(load(port, key, rate=5, seconds=2))  # warms up
        before, clock = cpu_seconds(server.pid), time.monotonic()
        found = asyncio.run(load(port, key, rate=asked.rate, seconds=asked.seconds))
        spent, took = cpu_seconds(server.pid) - before, time.monotonic() - clock
        server.terminate()
        server.join()
    show_latencies(f"applications at {asked.rate}/s in {took:.0f} s", found)
    print(f"server CPU {spent / len(found) * 1e3:.1f} ms an application")


if __name__ == "__main__":
    main()
