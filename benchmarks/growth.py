"""How cost grows with plots and dates: ``python -m benchmarks.growth TILE OUT.png``, on a tile of `make_tile`.

Each point is the whole flow in a process of its own, over some of the tile's plots, spread evenly. A tile has few dates
on disk: later dates are the same files under other names (hard links), which cost what other dates in the page cache
would. A full-size tile with its own plots can be given besides.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import matplotlib as mpl
import numpy as np

from benchmarks.make_tile import Tile, planned_tile
from benchmarks.observe_side_by_side import run

FULL_SIZE, FULL_PLOTS_PER_SIDE = 10_980, 1_000
Found = dict[tuple[int, int], tuple[float, float]]
"""Plots and dates to CPU seconds and peak memory in MB."""


def main() -> None:
    """Measure, print the table, fit a cost to it and draw it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tile", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, default=5490)
    parser.add_argument("--plots-per-side", type=int, default=500)
    parser.add_argument("--plots", type=int, nargs="+", default=[10_000, 62_500, 250_000])
    parser.add_argument("--dates", type=int, nargs="+", default=[3, 12, 36])
    parser.add_argument("--dates-on-disk", type=int, default=6)
    parser.add_argument("--full", type=Path, help="a tile of 10,980 pixels with a million plots")
    parser.add_argument("--full-dates", type=int, nargs="+", default=[3, 12, 36])
    wanted = parser.parse_args()
    tile = planned_tile(wanted.tile, size=wanted.size, plots_per_side=wanted.plots_per_side, dates=wanted.dates_on_disk)
    found = _measure(tile, plots=wanted.plots, dates=wanted.dates)
    _print_fit({key: seconds for key, (seconds, _) in found.items()})
    full: Found = {}
    if wanted.full:
        tile = planned_tile(wanted.full, size=FULL_SIZE, plots_per_side=FULL_PLOTS_PER_SIDE, dates=wanted.dates_on_disk)
        full = _measure(tile, plots=[tile.plots.size], dates=wanted.full_dates)
    _draw(found, full, wanted.out)


def _measure(tile: Tile, *, plots: list[int], dates: list[int]) -> Found:
    found: Found = {}
    for date in range(tile.dates, max(dates)):
        for path in sorted(tile.folder.glob(f"{date % tile.dates:02d}_*.tif")):
            name = path.with_name(f"{date:02d}{path.name[2:]}")
            if not name.exists():
                os.link(path, name)
    for count in plots:
        for date in dates:
            tile.write_catalogue(dates=date, plots=count)
            found[count, date] = run("observe", tile, dates=date, plots=count)
            cpu_s, peak_mb = found[count, date]
            print(f"{count:>9} plots {date:>3} dates {cpu_s:8.2f} s {peak_mb:7.0f} MB", flush=True)
    return found


def _print_fit(seconds: dict[tuple[int, int], float]) -> None:
    """Print ``a + b plots + dates (c + d plots)`` by least squares of relative errors."""
    plots, dates = np.array(list(seconds), float).T
    total = np.array(list(seconds.values()))
    terms = np.column_stack([np.ones_like(plots), plots / 1e5, dates, plots / 1e5 * dates])
    a, b, c, d = np.linalg.lstsq(terms / total[:, None], np.ones_like(total), rcond=None)[0]
    worst = np.abs(terms @ [a, b, c, d] / total - 1).max()
    print(f"a run {a:.2f} s + {b:.2f} s per 100,000 plots; a date {c:.2f} s + {d:.2f} s; off by at most {worst:.0%}")


def _draw(found: Found, full: Found, out: Path) -> None:
    mpl.use("agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for plots in sorted({plots for plots, _ in found}):
        dates = sorted(date for count, date in found if count == plots)
        left.plot(dates, [found[plots, date][0] for date in dates], "o-", label=f"{plots:,} plots")
    for plots in sorted({plots for plots, _ in full}):
        dates = sorted(date for _, date in full)
        left.plot(dates, [full[plots, date][0] for date in dates], "s--", label=f"{plots:,}, full tile")
    for dates in sorted({date for _, date in found}):
        plots_s = sorted(count for count, date in found if date == dates)
        seconds = [found[count, dates][0] for count in plots_s]
        right.plot([count / 1000 for count in plots_s], seconds, "o-", label=f"{dates} dates")
    left.set(xlabel="dates", ylabel="CPU seconds of the whole run", xscale="log", yscale="log")
    left.set_xticks(ticks := sorted({date for _, date in [*found, *full]}), labels=map(str, ticks), minor=False)
    left.set_xticks([], minor=True)
    left.set_yticks(ticks := (5, 10, 20, 50, 100), labels=map(str, ticks))
    left.set_yticks([], minor=True)
    right.set(xlabel="thousand plots on a quarter tile")
    right.set(xlim=(0, None), ylim=(0, None))
    for axes in (left, right):
        axes.grid(visible=True, alpha=0.3)
        axes.legend(frameon=False)
    figure.savefig(out, dpi=150)


if __name__ == "__main__":
    main()
