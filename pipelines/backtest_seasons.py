"""Past seasons one by one: what was known before each, lent on by the policy, then harvested."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
import pyarrow as pa

from agrocredit.credit.backtest import lend_again
from agrocredit.credit.held_terms import held_terms
from agrocredit.domain.errors import RefusedError
from agrocredit.domain.estimate import QUANTILE_COLUMNS, EstimateStatus
from agrocredit.domain.tables import ESTIMATES
from agrocredit.domain.units import area_to_m2
from agrocredit.yields.rolling_origin import rolling_forecasts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from agrocredit.credit import CreditPolicy
    from agrocredit.credit.backtest import LentSeason
    from agrocredit.domain.crop import Crop
    from pipelines.backtest_history import Harvests
    from pipelines.backtest_prices import PriceSeries
    from pipelines.progress import Progress

RELEASE = "rolling-origin"
FIRST_YEAR = 1900
"""No decision is dated earlier; older harvests still make forecasts."""
_NO_PICTURES = "0" * 64
"""Hash of evidence that no pixel entered: the estimate is that of earlier harvests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """Seasons that could be lent to once more, and why others could not."""

    seasons: tuple[LentSeason, ...]
    farms: pd.DataFrame
    """A row a farmer and season, in the order of the seasons and their farmers: ``region``, ``area_ha``."""
    left_out: Mapping[str, int]
    """Labels that no season holds, by cause."""


def replay_seasons(
    harvests: Harvests,
    *,
    policy: CreditPolicy,
    crops: Mapping[str, Crop],
    prices: PriceSeries | None,
    areas_ha: Sequence[float],
    progress: Progress,
) -> Replayed:
    """Return every season with enough earlier years, lent to and harvested.

    Parameters
    ----------
    harvests : Harvests
    policy : CreditPolicy
        Its newest terms are applied to every season.
    crops : mapping of str to Crop
    prices : PriceSeries or None
        Without it the policy's own price distribution stands in.
    areas_ha : sequence of float
        Sizes of the farms that stand for a unit whose field was not measured.
    progress : Progress
        Told of every season.
    """
    rows, left_out = _forecasts(harvests.labels)
    rows, without_calendar = _dated(rows, crops)
    left_out["calendar_missing"] = without_calendar
    farms = _farms(rows, harvests.area_m2, areas_ha)
    seasons, parts = [], []
    groups = list(farms.groupby(["harvest_year", "crop", "as_of"], sort=True))
    for done, (key, group) in enumerate(groups, start=1):
        year, crop, as_of = cast("tuple[int, str, date]", key)
        seen = prices.seen(crop, year) if prices else None
        if prices and seen is None:
            left_out["price_missing"] += group["unit"].nunique()
            continue
        volatility = {crop: seen.volatility} if seen and seen.volatility is not None else {}
        season = lend_again(
            _estimates(group, as_of=as_of, clear=_clear_enough(policy)),
            _plots(group),
            yields_t_ha=group["yield_t_ha"].to_numpy(np.float64),
            regions=group["region"].astype(str).tolist(),
            policy=held_terms(policy, price_volatility=volatility),
            crops=crops,
            as_of=as_of,
            price_over_expected=seen.over_expected if seen else None,
        )
        seasons.append(season)
        parts.append(group[["region", "area_m2"]])
        progress("seasons", done, len(groups))
    table = pd.concat(parts) if parts else pd.DataFrame({"region": [], "area_m2": []})
    lent = pd.DataFrame(
        {"region": table["region"].to_numpy(), "area_ha": table["area_m2"].to_numpy(float) / area_to_m2(1, "ha")}
    )
    return Replayed(seasons=tuple(seasons), farms=lent, left_out=dict(left_out))


def _clear_enough(policy: CreditPolicy) -> int:
    # No picture was taken: how often a plot was seen is not what is tested here.
    terms = held_terms(policy)
    return terms.on(terms.versions[0][0]).evidence.clear_observations_min


def _forecasts(labels: pd.DataFrame) -> tuple[pd.DataFrame, Counter[str]]:
    """Return the labels whose earlier years allow a forecast, with its quantiles."""
    left_out: Counter[str] = Counter(history_too_short=0, price_missing=0)
    parts = []
    for _, of_crop in labels.groupby("crop", sort=True):
        quantiles = rolling_forecasts(of_crop)
        known = np.isfinite(quantiles).all(axis=1)
        left_out["history_too_short"] += int((~known).sum())
        parts.append(of_crop[known].assign(**dict(zip(QUANTILE_COLUMNS, quantiles[known].T, strict=True))))
    return pd.concat(parts, ignore_index=True), left_out


def _dated(rows: pd.DataFrame, crops: Mapping[str, Crop]) -> tuple[pd.DataFrame, int]:
    """Return the rows that a calendar covers, with a latitude and the day of their decision, and how many it does not.

    A unit without a place takes the middle of its crop's first band of latitude.
    """
    rows = rows.rename(columns={"latitude": "latitude_deg"})
    stand_in = {
        crop: 0.5 * (crops[crop].calendars[0].latitude_min_deg + crops[crop].calendars[0].latitude_max_deg)
        for crop in rows["crop"].unique()
    }
    latitudes = rows["latitude_deg"].fillna(rows["crop"].map(stand_in)).astype(float)
    days = [
        _decided_on(crops[crop], int(year), latitude_deg)
        for crop, year, latitude_deg in zip(rows["crop"], rows["harvest_year"], latitudes, strict=True)
    ]
    rows = rows.assign(latitude_deg=latitudes, as_of=pd.Series(days, index=rows.index, dtype=object))
    covered = rows["as_of"].notna()
    return rows[covered], int((~covered).sum())


def _decided_on(crop: Crop, harvest_year: int, latitude_deg: float) -> date | None:
    """Return the first day of a season on which the last harvest is in; None where no calendar reaches."""
    if harvest_year < FIRST_YEAR:
        return None
    try:
        season = crop.season(harvest_year, latitude_deg=latitude_deg)
        last = crop.season(harvest_year - 1, latitude_deg=latitude_deg)
    except RefusedError:
        return None
    return max(season.start_on, last.end_on)


def _farms(rows: pd.DataFrame, area_m2: Mapping[str, float], areas_ha: Sequence[float]) -> pd.DataFrame:
    """Return one row a farm: a unit's own field where it was measured, else one farm of each stylised size."""
    measured = rows["unit"].map(area_m2)
    own = rows[measured.notna()].assign(area_m2=measured.dropna().astype(float), plot_id=lambda t: t["unit"])
    others = rows[measured.isna()]
    stylised = [
        others.assign(area_m2=area_to_m2(area_ha, "ha"), plot_id=others["unit"] + f" with {area_ha:g} ha")
        for area_ha in areas_ha
    ]
    return pd.concat([own, *stylised], ignore_index=True)


def _plots(group: pd.DataFrame) -> pa.Table:
    columns = {"plot_id": pa.string(), "area_m2": pa.float64(), "latitude_deg": pa.float64()}
    return pa.table({name: pa.array(group[name], kind) for name, kind in columns.items()})


def _estimates(group: pd.DataFrame, *, as_of: date, clear: int) -> pa.Table:
    years = group["harvest_year"].to_numpy(np.int32)
    count = len(group)
    quantiles: dict[str, NDArray[np.float64]] = {name: group[name].to_numpy(np.float64) for name in QUANTILE_COLUMNS}
    columns = {
        "plot_id": pa.array(group["plot_id"], pa.string()),
        "crop": pa.array(group["crop"], pa.string()),
        "season": pa.array([str(year) for year in years], pa.string()),
        "harvest_year": pa.array(years),
        "as_of": pa.array([as_of] * count, pa.date32()),
        "status": pa.array([EstimateStatus.ESTIMATED.value] * count, pa.string()),
        "reason": pa.nulls(count, pa.string()),
        **{name: pa.array(values) for name, values in quantiles.items()},
        "clear_observations": pa.array([clear] * count, pa.int32()),
        "release": pa.array([RELEASE] * count, pa.string()),
        "evidence_sha256": pa.array([_NO_PICTURES] * count, pa.string()),
    }
    return pa.table(columns, schema=ESTIMATES)
