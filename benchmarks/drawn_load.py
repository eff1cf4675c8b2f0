"""How long a plot drawn a moment ago waits for its answer: ``python -m benchmarks.drawn_load [URL] [--rate 5]``.

The sample region's season of 36 dates is observed into a cube, and `agrocredit serve --cube` is started on it with its
estimator process. Then strangers come at a rate, by chance (Poisson): each draws a field, a polygon that no run has
seen, registers it and applies. The time counts from when they were due to the application's answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.open_loop import Client, Heard, at_their_times, show_latencies
from benchmarks.server_process import children, cpu_seconds, free_port, start_service

if TYPE_CHECKING:
    from collections.abc import Iterator

AS_OF = date(2024, 6, 5)
SEASON = "2024"
MOVED_MAX_DEG = 0.00015
"""A field is drawn anew up to so far from where the sample has it, some 15 m."""
PLOTS_WARM = 10


def make_season(folder: Path) -> list[dict[str, Any]]:
    """Make the sample region and its cube; return the shapes of its plots."""
    from pipelines.observe import ObserveRequest, observe
    from pipelines.sample import build_sample

    sample = build_sample(folder / "sample")
    season = {"start": date(2023, 10, 1), "end": date(2024, 7, 1)}
    plots = folder / "sample" / "plots.geojson"
    request = ObserveRequest(
        scenes=str(sample.scenes), plots=plots, out=folder / "observations", cube=folder / "cube", **season
    )
    counts = observe(request).counts
    print(f"cube of {counts['scenes']} scenes")
    return [feature["geometry"] for feature in json.loads(plots.read_text())["features"]]


def drawn_anew(shapes: list[dict[str, Any]], chance: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Yield polygons, each of a field of the sample that somebody else draws a little elsewhere."""
    from agrocredit.domain.errors import RefusedError
    from agrocredit.store.plot_drawn import drawn_plot
    from agrocredit.store.plot_geojson import feature_geometry

    while True:
        shape = shapes[chance.integers(len(shapes))]
        east, north = chance.uniform(-MOVED_MAX_DEG, MOVED_MAX_DEG, 2).tolist()
        rings = [[[lon + east, lat + north] for lon, lat, *_ in ring] for ring in shape["coordinates"]]
        moved = {"type": "Polygon", "coordinates": rings}
        try:
            drawn_plot(feature_geometry({"type": "Feature", "properties": {}, "geometry": moved}), plot_id="drawn")
        except RefusedError:
            continue  # some of the sample are drawn wrong on purpose
        yield moved


async def load(
    client: Client, polygons: Iterator[dict[str, Any]], *, rate: float, count: int, name: str
) -> list[Heard]:
    """Let strangers come; return what came of each one's application."""
    due_s = np.cumsum(np.random.default_rng(1).exponential(1 / rate, count)).tolist()

    async def one(number: int) -> Heard:
        applicant = {"farmer_id": f"{name}{number}", "season": SEASON}
        drawn = await client.ask("POST", "/v1/plots", {**applicant, "crop": "winter_wheat", "geometry": next(polygons)})
        return await client.ask("POST", "/v1/applications", applicant) if drawn.status == 201 else drawn

    return await at_their_times(one, due_s)


def main() -> None:
    """Print statuses, outcomes, latencies and CPU."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url", nargs="?")
    parser.add_argument("--rate", type=float, default=5)
    parser.add_argument("--count", type=int, default=600)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        polygons = drawn_anew(make_season(folder), np.random.default_rng(2))
        known = ["--weather", folder / "sample" / "weather.csv", "--history", folder / "sample" / "history.csv"]
        season = ["--cube", folder / "cube", *known, "--region", "sample-plain", "--business-date", AS_OF.isoformat()]
        url = asked.url or f"sqlite:///{folder / 'agrocredit.db'}"
        server, key = start_service(folder, url, port, *map(str, season))
        try:
            asyncio.run(load(Client(port, key), polygons, rate=0.5, count=PLOTS_WARM, name="warm"))
            pids = [server.pid, *children(server.pid)]
            before = [cpu_seconds(pid) for pid in pids]
            found = asyncio.run(load(Client(port, key), polygons, rate=asked.rate, count=asked.count, name="F"))
            spent = [cpu_seconds(pid) - was for pid, was in zip(pids, before, strict=True)]
        finally:
            server.terminate()
            server.wait()
    show_latencies(f"plots drawn and applied for at {asked.rate:g}/s", found)
    outcomes = [(one.body.get("decision") or {}).get("outcome", one.body.get("status")) for one in found]
    print(f"  outcomes { {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes), key=str)} }")
    each = [1e3 * seconds / len(found) for seconds in spent]
    print(f"  CPU a plot: server {each[0]:.0f} ms, estimator {sum(each[1:]):.0f} ms")


if __name__ == "__main__":
    main()
