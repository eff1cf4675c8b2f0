"""Limits for a region beside the machine's own drawing and sorting: one thread, CPU seconds of the process.

The floor is what 2,048 random numbers a farmer cost to draw and to sort with numpy: a simulation that has nothing else
to do. Floor and `assess` take turns; the ratio is that of the medians. One farmer alone is timed beside it, and the
memory that a tenth of the farmers and all of them take beyond their tables: what is drawn must not add to it.
"""

from __future__ import annotations

import argparse
import resource
import time
from datetime import date
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from agrocredit.credit import CaseTables, assess, assess_one, load_policy
from agrocredit.domain.estimate import QUANTILE_COLUMNS
from agrocredit.domain.tables import ESTIMATES
from pipelines.known_crops import known_crops

if TYPE_CHECKING:
    from collections.abc import Callable

AS_OF = date(2024, 4, 15)
POLICY = "smallholder-grain-cn"
SHAPE = np.array([-1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645])
BLOCK = 32
ALONE = 200
"""Farmers asked one by one."""
MILLION_S_MAX = 60.0
"""Goal: CPU seconds for a million farmers."""
ALONE_MS_MAX = 5.0
"""Goal: one farmer, tables in and record out."""


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--farmers", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    compare(farmers=wanted.farmers, rounds=wanted.rounds)


def compare_usual() -> None:
    """Print the table of the usual size."""
    compare(farmers=100_000, rounds=3)


def compare(*, farmers: int, rounds: int) -> None:
    """Print CPU seconds for a million farmers, their ratio to the floor, and how memory grows.

    Parameters
    ----------
    farmers : int
        With one plot each; two thirds wheat, one third maize, one in twenty unseen.
    rounds : int
        `assess` and the floor are measured in turns so many times.
    """
    policy = load_policy(POLICY)
    draws = policy.on(AS_OF).simulation.draws
    known = {"policy": policy, "crops": known_crops(), "as_of": AS_OF}
    tenth = region(farmers // 10)
    before = memory_mb()
    assess(CaseTables(**tenth, **known))
    tenth_mb = memory_mb() - before
    all_of_them = region(farmers)
    tables = CaseTables(**all_of_them, **known)
    before = memory_mb()
    floors, whole = [], []
    for _ in range(rounds):
        floors.append(cpu_seconds(lambda: draw_and_sort(farmers, draws)))
        whole.append(cpu_seconds(lambda: assess(tables)))
    all_mb = memory_mb() - before
    alone = cpu_seconds(
        lambda: [
            assess_one(CaseTables(**{name: table.slice(i, 1) for name, table in all_of_them.items()}, **known))
            for i in range(1, 1 + ALONE)
        ]
    )
    scale = 1_000_000 / farmers
    head = f"{farmers} farmers x {draws} draws, for a million"
    print(f"\n{head:<52}{'CPU s':>9}{'range':>18}{'ratio':>8}")
    for name, seconds in (("draw and sort with numpy (floor)", floors), ("assess, hashes of records included", whole)):
        spread = f"{min(seconds) * scale:.1f} to {max(seconds) * scale:.1f}"
        ratio = median(seconds) / median(floors)
        print(f"{name:<52}{median(seconds) * scale:>9.1f}{spread:>18}{ratio:>8.2f}")
    print(
        f"memory beyond the tables: {tenth_mb:.0f} MB for a tenth, {all_mb:.0f} MB for all; all draws at once "
        f"would be {farmers * draws * 8 / 1e6:.0f} MB"
    )
    print_goal(f"a million farmers in {MILLION_S_MAX:.0f} CPU s", median(whole) * scale, "CPU s", most=MILLION_S_MAX)
    print_goal(f"one farmer alone in {ALONE_MS_MAX:.0f} ms", alone / ALONE * 1_000, "ms", most=ALONE_MS_MAX)


def print_goal(goal: str, found: float, unit: str, *, most: float) -> None:
    """Print whether a figure meets its goal."""
    print(f"{'met   ' if found <= most else 'MISSED'}  {goal:<40} {found:.1f} {unit}", flush=True)


def region(farmers: int) -> dict[str, pa.Table]:
    """Return estimates and plots of so many farmers, seeded."""
    rng = np.random.default_rng(7)
    ids = np.char.zfill(np.arange(farmers).astype(str), 9)
    hidden = rng.random(farmers) < 1 / 20
    yields = np.maximum(rng.uniform(0.5, 8.0, farmers)[:, None] + SHAPE * rng.uniform(0.1, 2.0, farmers)[:, None], 0.0)
    columns = {
        "plot_id": np.char.add("plot-", ids),
        "crop": np.where(rng.random(farmers) < 2 / 3, "winter_wheat", "maize"),
        "season": np.full(farmers, "2024"),
        "harvest_year": np.full(farmers, 2024, np.int32),
        "as_of": np.full(farmers, AS_OF, "datetime64[D]"),
        "status": np.where(hidden, "abstained", "estimated"),
        "reason": pa.array(np.full(farmers, "not_observed"), mask=~hidden),
        **{name: pa.array(yields[:, i], mask=hidden) for i, name in enumerate(QUANTILE_COLUMNS)},
        "clear_observations": np.full(farmers, 8, np.int32),
        "release": np.full(farmers, "made"),
        "evidence_sha256": np.full(farmers, "0" * 64),
    }
    plots = {
        "plot_id": columns["plot_id"],
        "area_m2": rng.lognormal(7.6, 0.9, farmers),
        "farmer_id": np.char.add("farmer-", ids),
        "latitude_deg": np.full(farmers, 35.0),
    }
    estimates = pa.table({name: pa.array(column) for name, column in columns.items()}, schema=ESTIMATES)
    return {"estimates": estimates, "plots": pa.table(plots)}


def draw_and_sort(farmers: int, draws: int) -> None:
    """Draw and sort so many normal numbers for each farmer."""
    rng = np.random.default_rng(0)
    for _ in range(farmers // BLOCK):
        np.sort(rng.standard_normal((BLOCK, draws)), axis=1)


def cpu_seconds(run: Callable[[], object]) -> float:
    """Return the CPU seconds of this process that a call takes."""
    start = time.process_time()
    run()
    return time.process_time() - start


def memory_mb() -> float:
    """Return the most memory that this process has held so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000


if __name__ == "__main__":
    main()
