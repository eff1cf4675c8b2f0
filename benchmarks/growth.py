"""How cost grows with plots and dates: ``python -m benchmarks.growth TILE OUT.png``, on a tile of `make_tile`.

Each point is the whole flow in a process of its own, over some of the tile's plots, spread evenly, and its first dates.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np

from benchmarks.make_tile import planned_tile
from benchmarks.observe_side_by_side import run


def main() -> None:
    """Measure, print the table, fit a cost to it and draw it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tile", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, default=5490)
    parser.add_argument("--plots-per-side", type=int, default=500)
    parser.add_argument("--plots", type=int, nargs="+", default=[10_000, 62_500, 250_000])
    parser.add_argument("--dates", type=int, nargs="+", default=[1, 3, 6])
    wanted = parser.parse_args()
    tile = planned_tile(wanted.tile, size=wanted.size, plots_per_side=wanted.plots_per_side, dates=max(wanted.dates))
    found: dict[tuple[int, int], tuple[float, float]] = {}
    for plots in wanted.plots:
        for dates in wanted.dates:
            tile.write_catalogue(dates=dates, plots=plots)
            found[plots, dates] = run("observe", tile, dates=dates, plots=plots)
            print(
                f"{plots:>9} plots {dates:>3} dates {found[plots, dates][0]:8.2f} s {found[plots, dates][1]:7.0f} MB",
                flush=True,
            )
    _print_fit({key: seconds for key, (seconds, _) in found.items()})
    _draw(found, wanted.out)


def _print_fit(seconds: dict[tuple[int, int], float]) -> None:
    """Print ``a + b plots + dates (c + d plots)`` by least squares of relative errors."""
    plots, dates = np.array(list(seconds), float).T
    total = np.array(list(seconds.values()))
    terms = np.column_stack([np.ones_like(plots), plots / 1e5, dates, plots / 1e5 * dates])
    a, b, c, d = np.linalg.lstsq(terms / total[:, None], np.ones_like(total), rcond=None)[0]
    worst = np.abs(terms @ [a, b, c, d] / total - 1).max()
    print(f"a run {a:.2f} s + {b:.2f} s per 100,000 plots; a date {c:.2f} s + {d:.2f} s; off by at most {worst:.0%}")


def _draw(found: dict[tuple[int, int], tuple[float, float]], out: Path) -> None:
    mpl.use("agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for plots in sorted({plots for plots, _ in found}):
        dates = sorted(date for count, date in found if count == plots)
        left.plot(dates, [found[plots, date][0] for date in dates], "o-", label=f"{plots:,} plots")
    for dates in sorted({date for _, date in found}):
        plots_s = sorted(count for count, date in found if date == dates)
        label = "1 date" if dates == 1 else f"{dates} dates"
        right.plot(
            [count / 1000 for count in plots_s], [found[count, dates][0] for count in plots_s], "o-", label=label
        )
    left.set(xlabel="dates", ylabel="CPU seconds of the whole run")
    right.set(xlabel="thousand plots")
    for axes in (left, right):
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        axes.grid(visible=True, alpha=0.3)
        axes.legend(frameon=False)
    figure.savefig(out, dpi=150)


if __name__ == "__main__":
    main()
