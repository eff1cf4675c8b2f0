"""Real prices of past harvests for a back-test: FAOSTAT's producer prices as downloaded, or a plain table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from agrocredit.domain.crop_facts import resolve_crop
from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agrocredit.domain.crop import Crop

PLAIN_COLUMNS = ("crop", "harvest_year", "price_per_t", "currency")
FAOSTAT_COLUMNS = ("Area", "Item", "Element", "Year", "Months", "Value", "Flag")
LAST_PRICE_YEARS_MAX = 3
"""A price older than this is no expectation for the next harvest."""
CHANGES_MIN = 5
"""With fewer yearly changes known, the policy's own volatility stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPrice:
    """What was known of a crop's price before a harvest, and what it then was."""

    over_expected: float
    """The year's price over the last one known before."""
    volatility: float | None
    """Standard deviation of earlier changes of the logarithm; None where they are too few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSeries:
    """Farm-gate prices by crop and harvest year, a tonne, in one currency."""

    by_crop: Mapping[str, Mapping[int, float]]

    def seen(self, crop: str, harvest_year: int) -> SeenPrice | None:
        """Return what earlier years expected of a year's price and what it was, None where either is not known."""
        prices = self.by_crop.get(crop, {})
        earlier = [year for year in sorted(prices) if year < harvest_year]
        if harvest_year not in prices or not earlier or harvest_year - earlier[-1] > LAST_PRICE_YEARS_MAX:
            return None
        changes = [math.log(prices[year] / prices[year - 1]) for year in earlier if year - 1 in prices]
        return SeenPrice(
            over_expected=prices[harvest_year] / prices[earlier[-1]],
            volatility=float(np.std(changes, ddof=1)) if len(changes) >= CHANGES_MIN else None,
        )


def read_prices(path: Path, *, currency: str, crops: Mapping[str, Crop]) -> PriceSeries:
    """Return the prices of a file.

    Parameters
    ----------
    path : Path
        CSV or Parquet with ``crop``, ``harvest_year``, ``price_per_t`` and ``currency``; or FAOSTAT's producer prices
        of one country as CSV, of which the official annual values in local currency are taken.
    currency : str
        The policy's; FAOSTAT's local currency is taken to be it, since the file does not name one.
    crops : mapping of str to Crop
        Rows of other crops are left out.

    Raises
    ------
    InputUnusableError
        ``file_missing``, ``file_invalid``, ``column_missing``, ``currency_mismatch``, ``price_invalid`` (not above 0,
        or two prices of a crop and year), ``price_missing`` if no row is of a known crop.
    """
    rows = _plain(_table(path), path)
    known = {name: resolve_crop(str(name), crops) for name in rows["crop"].unique()}
    rows["crop"] = rows["crop"].map({name: crop.name for name, crop in known.items() if crop is not None})
    rows = rows.dropna(subset=["crop"])
    other = sorted(set(rows["currency"].dropna().astype(str)) - {currency})
    if other:
        raise InputUnusableError("currency_mismatch", f"{path.name}: in {', '.join(other)}, the policy in {currency}")
    if rows.empty:
        raise InputUnusableError("price_missing", f"{path.name}: no price of a crop that is known")
    years, prices = (pd.to_numeric(rows[name], errors="coerce") for name in ("harvest_year", "price_per_t"))
    wrong = ~(np.isfinite(prices) & (prices > 0) & (years % 1 == 0)) | rows.duplicated(["crop", "harvest_year"])
    if wrong.any():
        row = rows.loc[wrong].iloc[0]
        found = f"{row['price_per_t']} a tonne of {row['crop']} in {row['harvest_year']}"
        raise InputUnusableError("price_invalid", f"{path.name}: {found}, expected one price above 0 a crop and year")
    by_crop: dict[str, dict[int, float]] = {}
    for crop, year, price in zip(rows["crop"], years.astype(int), prices, strict=True):
        by_crop.setdefault(crop, {})[year] = float(price)
    return PriceSeries(by_crop=by_crop)


def _table(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise InputUnusableError("file_missing", f"prices: no file {path.name}, expected one CSV or Parquet file")
    try:
        return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, low_memory=False)
    except (OSError, ValueError) as error:
        raise InputUnusableError("file_invalid", f"{path.name}: {error}") from error


def _plain(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return the columns `PLAIN_COLUMNS` of either layout."""
    if set(PLAIN_COLUMNS) <= set(table.columns):
        return table[list(PLAIN_COLUMNS)].copy()
    if not set(FAOSTAT_COLUMNS) <= set(table.columns):
        raise InputUnusableError("column_missing", f"{path.name}: no columns {', '.join(PLAIN_COLUMNS)}, nor FAOSTAT's")
    areas = set(table["Area"])
    if len(areas) != 1:
        raise InputUnusableError("price_invalid", f"{path.name}: prices of {len(areas)} areas, expected one")
    official = (
        table["Element"].astype(str).str.startswith("Producer Price (LCU")
        & (table["Months"] == "Annual value")
        & (table["Flag"] == "A")
    )
    rows = table.loc[official]
    item = rows["Item"].astype(str).str.partition(" (")[0]  # "Maize (corn)"
    years = rows["Year"].to_numpy()
    return pd.DataFrame(
        {"crop": item.to_numpy(), "harvest_year": years, "price_per_t": rows["Value"].to_numpy(), "currency": None}
    )
