"""The whole flow against what a user would write instead: six indices, cloud-masked, every plot; CPU time and memory.

Every candidate reads the same files and ends with a mean an index and plot; ``observe`` also reads and checks the plots
file, builds the weights, hashes every file, checks the offset and writes its dataset. Values are compared before times.
Each run has a process of its own; candidates take turns, and the table shows the median and range of the rounds in CPU
seconds of all threads of one date, files in the page cache. What ``observe`` pays once a run is told apart by a run of
one date and one of all. Peers that are slow run on fewer plots and are scaled by two such runs; the table says so.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.candidates import CANDIDATES
from benchmarks.make_tile import Tile, make_tile, planned_tile

PEERS = {
    "exactextract": ("rasterio + numpy + exactextract, all bands in one call", ("exactextract",)),
    "odc_xvec": ("odc-stac + xvec", ("odc.stac", "xvec", "rioxarray")),
    "rasterstats": ("rasterstats, index by index", ("rasterstats",)),
}
VALID_FRACTION_MIN = 0.05
"""Of a plot; under it values are not compared."""
SLOW_PLOTS = (100, 1_100)
"""The two samples from which a slow peer's cost a plot is drawn."""


def run(name: str, tile: Tile, *, dates: int, plots: int) -> tuple[float, float]:
    """Return CPU seconds and peak memory in MB of a candidate in a fresh process."""
    assert name in CANDIDATES
    numbers = (tile.size, round(tile.plots.size**0.5), dates, plots)
    command = [sys.executable, "-m", "benchmarks.candidates", name, str(tile.folder), *map(str, numbers)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own module
    found = json.loads(done.stdout.splitlines()[-1])
    return found["cpu_s"], found["peak_mb"]


def compare(tile: Tile, *, rounds: int, slow_rounds: int) -> None:
    """Print differences of values, then the table."""
    n, dates = tile.plots.size, tile.dates
    for count in {1, dates}:
        tile.write_catalogue(dates=count, plots=n)
    peers = [name for name, (_, modules) in PEERS.items() if all(map(find_spec, (m.split(".")[0] for m in modules)))]
    for name in PEERS.keys() - set(peers):
        print(f"left out, not installed: {PEERS[name][0]}")
    run("observe", tile, dates=1, plots=n)  # compiles the kernel, fills the page cache
    mine: list[tuple[float, float, float]] = []
    for _ in range(rounds):
        floor = run("decode", tile, dates=dates, plots=n)[0] / dates
        whole = run("observe", tile, dates=dates, plots=n)
        mine.append((floor, whole[0], whole[1]))
    one_date = [run("observe", tile, dates=1, plots=n)[0] for _ in range(rounds)]
    slope = [(whole - one) / (dates - 1) for (_, whole, _), one in zip(mine, one_date, strict=True)]
    once = [one - each for one, each in zip(one_date, slope, strict=True)]
    base = median(slope)
    print(f"\n{'a date, ' + str(n) + ' plots':<66}{'CPU s':>9}{'range':>18}{'ratio':>8}{'peak MB':>9}")
    _row("decode the same blocks, rasterio", [floor for floor, _, _ in mine], base, None)
    _row("agrocredit observe, each further date", slope, base, None)
    whole = [seconds / dates for _, seconds, _ in mine]
    _row(f"agrocredit observe, whole process over {dates} dates", whole, base, max(peak for *_, peak in mine))
    for name in peers:
        _peer(name, tile, base=base, rounds=slow_rounds)
    print(f"once a run (start, plots read and checked, weights built): {median(once):.1f} s")


def _peer(name: str, tile: Tile, *, base: float, rounds: int) -> None:
    """Run one peer on the first date; all plots at once, or two samples where it is slow."""
    title, n = PEERS[name][0], tile.plots.size
    if name != "rasterstats":
        found = [run(name, tile, dates=1, plots=n) for _ in range(rounds)]
        _print_difference(name, tile)
        _row(title, [seconds for seconds, _ in found], base, max(peak for _, peak in found))
        return
    few, more = ([run(name, tile, dates=1, plots=count) for _ in range(rounds)] for count in SLOW_PLOTS)
    seconds = [
        a + (b - a) / (SLOW_PLOTS[1] - SLOW_PLOTS[0]) * (n - SLOW_PLOTS[0])
        for (a, _), (b, _) in zip(few, more, strict=True)
    ]
    _row(f"{title} (scaled from {SLOW_PLOTS[1]} plots)", seconds, base, max(peak for _, peak in more))


def _print_difference(name: str, tile: Tile) -> None:
    mine, theirs = (np.load(tile.folder / f"means_{one}.npy") for one in ("observe", name))
    seen = np.load(tile.folder / "valid_fraction.npy") >= VALID_FRACTION_MIN
    both = np.isfinite(mine) & np.isfinite(theirs) & seen[:, None]
    apart = np.abs(mine - theirs)[both].max()
    lost = int((np.isfinite(mine) != np.isfinite(theirs))[seen].sum())
    print(f"  {name}: largest difference {apart:.1e} in {both.sum()} values; {lost} with a value on one side only")


def _row(title: str, seconds: list[float], base: float, peak_mb: float | None) -> None:
    spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
    peak = "" if peak_mb is None else f"{peak_mb:.0f}"
    print(f"{title:<66}{median(seconds):>9.2f}{spread:>18}{median(seconds) / base:>8.2f}{peak:>9}", flush=True)


def main() -> None:
    """Make a tile, or take one that `benchmarks.make_tile` made, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1098, help="pixels of 10 m along the tile")
    parser.add_argument("--plots-per-side", type=int, default=100)
    parser.add_argument("--dates", type=int, default=6, help="at least 2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slow-rounds", type=int, default=1, help="of the peers, which take minutes on a large tile")
    parser.add_argument("--tile", type=Path, help="folder of a tile made before with the same numbers")
    wanted = parser.parse_args()
    numbers = {"size": wanted.size, "plots_per_side": wanted.plots_per_side, "dates": wanted.dates}
    with tempfile.TemporaryDirectory() as folder:
        tile = planned_tile(wanted.tile, **numbers) if wanted.tile else make_tile(Path(folder), **numbers)
        print(f"{tile.size} x {tile.size} px, {tile.plots.size} plots, {tile.bytes_per_pixel():.2f} bytes a pixel")
        compare(tile, rounds=wanted.rounds, slow_rounds=wanted.slow_rounds)


if __name__ == "__main__":
    main()
