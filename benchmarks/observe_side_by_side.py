"""The whole flow against what a user would write instead: six indices, cloud-masked, every plot; CPU time and memory.

Every candidate reads the same files and ends with a mean an index and plot; ``observe`` also reads and checks the plots
file, builds the weights, hashes every file, checks the offset and writes its dataset. Values are compared before times.
Each run has a process of its own; candidates take turns, and the table shows the median and range of the rounds in CPU
seconds of all threads of one date, files in the page cache. What ``observe`` pays once a run is told apart by a run of
one date and one of all; goals are judged by the whole process. Peers that are slow run on fewer plots and are scaled by
two such runs; the table says so.
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

from benchmarks.candidates import CANDIDATES, MODULES
from benchmarks.goals import Figures, print_verdicts
from benchmarks.make_tile import Tile, make_tile, planned_tile

PEERS = {
    "exactextract": "rasterio + numpy + exactextract, all bands in one call",
    "odc_xvec": "odc-stac + xvec",
    "rasterstats": "rasterstats, index by index",
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


def compare(tile: Tile, *, rounds: int, slow_rounds: int, few: int) -> Figures:
    """Print differences of values and the table; return the figures."""
    n, dates = tile.plots.size, tile.dates
    for plots, count in {(n, 1), (n, dates), (few, dates)}:
        tile.write_catalogue(dates=count, plots=plots)
    run("observe_kept", tile, dates=1, plots=n)  # compiles the kernel, fills the page cache, keeps weights
    figures = _ours(tile, rounds=rounds)
    for name, title in PEERS.items():
        if all(find_spec(module.split(".")[0]) for module in MODULES[name]):
            _peer(name, tile, figures=figures, rounds=slow_rounds)
        else:
            print(f"left out, not installed: {title}")
    if few < n:
        _few(tile, few, figures=figures, rounds=slow_rounds)
    else:
        figures.few = (n, figures.whole_s, figures.peers_s["exactextract"])
    return figures


def _ours(tile: Tile, *, rounds: int) -> Figures:
    """Measure decoding and `observe`, turn by turn, and print their rows."""
    n, dates = tile.plots.size, tile.dates
    floor, whole, one, kept = [], [], [], []
    for _ in range(rounds):
        floor.append(run("decode", tile, dates=dates, plots=n)[0] / dates)
        whole.append(run("observe", tile, dates=dates, plots=n))
        one.append(run("observe", tile, dates=1, plots=n)[0])
        kept.append(run("observe_kept", tile, dates=dates, plots=n))
    slope = [(seconds - first) / (dates - 1) for (seconds, _), first in zip(whole, one, strict=True)]
    figures = Figures(
        pixels=tile.size,
        decode_s=median(floor),
        further_s=median(slope),
        whole_s=median(seconds for seconds, _ in whole) / dates,
        kept_s=median(seconds for seconds, _ in kept) / dates,
        peak_mb=max(peak for _, peak in whole),
        weights_bytes=next((tile.folder / "cache" / "weights").glob("*.weights")).stat().st_size / n,
    )
    print(f"\n{'a date, ' + format(n, ',') + ' plots':<66}{'CPU s':>9}{'range':>18}{'x decoding':>11}{'peak MB':>9}")
    _row("decode the same blocks, rasterio", floor, figures, None)
    _row("agrocredit observe, each further date", slope, figures, None)
    title = f"agrocredit observe, whole process over {dates} dates"
    _row(title, [seconds / dates for seconds, _ in whole], figures, figures.peak_mb)
    _row(f"{title}, weights kept", [seconds / dates for seconds, _ in kept], figures, max(peak for _, peak in kept))
    return figures


def _peer(name: str, tile: Tile, *, figures: Figures, rounds: int) -> None:
    """Run one peer on the first date; all plots at once, or two samples where it is slow."""
    title, n = PEERS[name], tile.plots.size
    if name != "rasterstats":
        found = [run(name, tile, dates=1, plots=n) for _ in range(rounds)]
        figures.differences[name] = _print_difference(name, tile)
        seconds = [seconds for seconds, _ in found]
    else:
        few, found = ([run(name, tile, dates=1, plots=count) for _ in range(rounds)] for count in SLOW_PLOTS)
        seconds = [
            a + (b - a) / (SLOW_PLOTS[1] - SLOW_PLOTS[0]) * (n - SLOW_PLOTS[0])
            for (a, _), (b, _) in zip(few, found, strict=True)
        ]
        title = f"{title} (scaled from {SLOW_PLOTS[1]} plots)"
    figures.peers_s[name] = median(seconds)
    _row(title, seconds, figures, max(peak for _, peak in found))


def _few(tile: Tile, few: int, *, figures: Figures, rounds: int) -> None:
    """Compare with exactextract once more, with few plots on the same tile."""
    ours = [run("observe", tile, dates=tile.dates, plots=few)[0] / tile.dates for _ in range(rounds)]
    theirs = [run("exactextract", tile, dates=1, plots=few)[0] for _ in range(rounds)]
    figures.few = (few, median(ours), median(theirs))
    _row(f"{few:,} plots: agrocredit observe, whole process", ours, figures, None)
    _row(f"{few:,} plots: {PEERS['exactextract']}", theirs, figures, None)


def _print_difference(name: str, tile: Tile) -> float:
    mine, theirs = (np.load(tile.folder / f"means_{one}.npy") for one in ("observe", name))
    seen = np.load(tile.folder / "valid_fraction.npy") >= VALID_FRACTION_MIN
    both = np.isfinite(mine) & np.isfinite(theirs) & seen[:, None]
    apart = float(np.abs(mine - theirs)[both].max())
    lost = int((np.isfinite(mine) != np.isfinite(theirs))[seen].sum())
    print(f"  {name}: largest difference {apart:.1e} in {both.sum()} values; {lost} with a value on one side only")
    return apart


def _row(title: str, seconds: list[float], figures: Figures, peak_mb: float | None) -> None:
    spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
    peak = "" if peak_mb is None else f"{peak_mb:.0f}"
    ratio = median(seconds) / figures.decode_s
    print(f"{title:<66}{median(seconds):>9.2f}{spread:>18}{ratio:>11.2f}{peak:>9}", flush=True)


def _season_cube() -> None:
    """Print the table of `benchmarks.season_cube`, from a process of its own."""
    print("\none plot's season, from a cube and from COGs", flush=True)
    subprocess.run([sys.executable, "-m", "benchmarks.season_cube"], check=True)


def main() -> None:
    """Make a tile, or take one that `benchmarks.make_tile` made, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1098, help="pixels of 10 m along the tile")
    parser.add_argument("--plots-per-side", type=int, default=100)
    parser.add_argument("--dates", type=int, default=6, help="at least 2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slow-rounds", type=int, default=1, help="of the peers, which take minutes on a large tile")
    parser.add_argument("--few-plots", type=int, default=10_000, help="a second comparison with exactextract")
    parser.add_argument("--without-cube", action="store_true", help="leave the season cube out")
    parser.add_argument("--tile", type=Path, help="folder of a tile made before with the same numbers")
    wanted = parser.parse_args()
    numbers = {"size": wanted.size, "plots_per_side": wanted.plots_per_side, "dates": wanted.dates}
    with tempfile.TemporaryDirectory() as folder:
        tile = planned_tile(wanted.tile, **numbers) if wanted.tile else make_tile(Path(folder), **numbers)
        print(f"{tile.size} x {tile.size} px, {tile.plots.size} plots, {tile.bytes_per_pixel():.2f} bytes a pixel")
        few = min(wanted.few_plots, tile.plots.size)
        figures = compare(tile, rounds=wanted.rounds, slow_rounds=wanted.slow_rounds, few=few)
    if not wanted.without_cube:
        _season_cube()
    print_verdicts(figures)


if __name__ == "__main__":
    main()
