"""A back-test over made harvests: CPU seconds of this process for 10,000 farmer-seasons, tables read and rules solved.

Harvests are seeded: regions differ, years have weather, places their own level. Resampling years costs the same however
many farmers there are, so the figure falls with their number; two sizes are printed.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from benchmarks.assess import cpu_seconds
from pipelines.backtest import AREAS_HA, BacktestRequest, backtest

POLICY = "winter-wheat-ch"
YEARS = range(1991, 2021)
REGIONS = 10
PER = 10_000
"""Farmer-seasons that figures are given for."""


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, nargs="+", default=[100, 400])
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    measure(units=wanted.units, rounds=wanted.rounds)


def measure_usual() -> None:
    """Print the table of the usual sizes."""
    measure(units=[100, 400], rounds=3)


def measure(*, units: list[int], rounds: int) -> None:
    """Print CPU seconds of whole back-tests.

    Parameters
    ----------
    units : list of int
        Places with a harvest each year, a back-test each.
    rounds : int
        Each is run so many times.
    """
    print(f"\n{'back-test, ' + POLICY:<52}{'CPU s':>9}{'for ' + format(PER, ','):>18}")
    for count in units:
        with tempfile.TemporaryDirectory() as folder:
            harvests(count).to_parquet(Path(folder) / "labels.parquet")
            request = BacktestRequest(policy=POLICY, history=Path(folder), areas_ha=AREAS_HA)
            farmers = backtest(request).counts["farmers"]
            seconds = median(cpu_seconds(lambda request=request: backtest(request)) for _ in range(rounds))
        print(f"{f'{farmers:,} farmer-seasons':<52}{seconds:>9.1f}{seconds / farmers * PER:>18.2f}", flush=True)


def harvests(units: int) -> pd.DataFrame:
    """Return a harvest a place and year in the canonical labelled form, t/ha, seeded."""
    rng = np.random.default_rng(11)
    years = len(YEARS)
    unit, year = np.repeat(np.arange(units), years), np.tile(np.arange(years), units)
    region = unit % REGIONS
    level = rng.uniform(2.5, 6.5, REGIONS)[region] + rng.normal(0, 0.4, units)[unit]
    weather = rng.normal(1.0, 0.12, (REGIONS, years))[region, year]
    return pd.DataFrame(
        {
            "unit": [f"{i:05d}" for i in unit],
            "region": [f"R{i}" for i in region],
            "crop": "winter_wheat",
            "harvest_year": (YEARS.start + year).astype("int32"),
            "yield_t_ha": np.maximum(level * weather + rng.normal(0, 0.2, len(unit)), 0.1),
            "longitude": -95.0 + 3.0 * region + rng.uniform(0, 2.0, units)[unit],
            "latitude": 38.0 + rng.uniform(0, 2.0, units)[unit],
        }
    )


if __name__ == "__main__":
    main()
