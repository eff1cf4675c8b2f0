"""Tables in, cases out: joins what is known, refuses what cannot be used, cuts the rest into chunks.

Who farms a plot: its holdings where there are any, else its ``farmer_id``, else the plot stands for its own farmer.
Joins are done on columns; Python objects exist for one chunk of cases at a time, so memory stays bounded however
large the region.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from agrocredit.credit.case import Case, Finances, Stake
from agrocredit.credit.holders import finances_by_farmer, holders_by_plot
from agrocredit.credit.usable import PLOTS, usable_estimates, usable_plots
from agrocredit.domain.errors import InputUnusableError, Refusal, RefusedError
from agrocredit.domain.estimate import QUANTILE_COLUMNS, EstimateStatus
from agrocredit.domain.tables import ESTIMATES, conform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from agrocredit.domain.crop import Crop
    from agrocredit.domain.plot import Holding

_NEEDED_PLOT_COLUMNS = ("plot_id", "area_m2", "latitude_deg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Cases of a whole region, not yet built, and what was refused on the way."""

    estimates: pa.Table
    plots: pa.Table
    of_estimate: NDArray[np.int64]
    """Row of `estimates` of each stake, (stakes,), sorted by farmer, season, crop, plot."""
    of_plot: NDArray[np.int64]
    """Row of `plots` of each stake, (stakes,)."""
    holdings: Sequence[Holding]
    """Farmer, share and grade of each stake, (stakes,)."""
    starts: NDArray[np.int64]
    """First stake of each case, and the number of stakes at the end, (cases + 1,)."""
    finances: Mapping[str, Finances] | None
    crops: Mapping[str, Crop]
    as_of: date
    refused: tuple[Refusal, ...]

    def cases(self, *, chunk: int) -> Iterator[list[Case]]:
        """Yield the cases in order, `chunk` at a time."""
        count = len(self.starts) - 1
        for first in range(0, count, chunk):
            last = min(first + chunk, count)
            begin, end = int(self.starts[first]), int(self.starts[last])
            stakes = self._stakes(begin, end)
            season = self.estimates["season"].take(pa.array(self.of_estimate[self.starts[first:last]])).to_pylist()
            yield [
                self._case(self.holdings[start].farmer_id, season[i], stakes[start - begin : stop - begin])
                for i, (start, stop) in enumerate(
                    zip(self.starts[first:last].tolist(), self.starts[first + 1 : last + 1].tolist(), strict=True)
                )
            ]

    def _case(self, farmer_id: str, season: str, stakes: list[Stake]) -> Case:
        known = Finances() if self.finances is None else self.finances.get(farmer_id)
        return Case(farmer_id=farmer_id, season=season, as_of=self.as_of, stakes=tuple(stakes), finances=known)

    def _stakes(self, begin: int, end: int) -> list[Stake]:
        estimates = self.estimates.take(pa.array(self.of_estimate[begin:end])).to_pylist()
        plots = self.plots.take(pa.array(self.of_plot[begin:end])).to_pylist()
        return [
            self._stake(estimate, plot, holding)
            for estimate, plot, holding in zip(estimates, plots, self.holdings[begin:end], strict=True)
        ]

    def _stake(self, estimate: dict[str, Any], plot: dict[str, Any], holding: Holding) -> Stake:
        window = harvest_window(
            self.crops, estimate["crop"], harvest_year=estimate["harvest_year"], latitude_deg=plot["latitude_deg"]
        )
        estimated = estimate["status"] == EstimateStatus.ESTIMATED
        return Stake(
            plot_id=estimate["plot_id"],
            crop=estimate["crop"],
            harvest_year=estimate["harvest_year"],
            estimate_as_of=estimate["as_of"],
            status=estimate["status"],
            reason=estimate["reason"],
            quantiles_t_ha=tuple(estimate[name] for name in QUANTILE_COLUMNS) if estimated else None,
            clear_observations=estimate["clear_observations"],
            release=estimate["release"],
            evidence_sha256=estimate["evidence_sha256"],
            area_m2=plot["area_m2"],
            declared_area_m2=plot["declared_area_m2"],
            tenure_share=holding.tenure_share,
            grade=holding.grade,
            harvest_from_on=window[0],
            harvest_end_on=window[1],
        )


def harvest_window(
    crops: Mapping[str, Crop], crop: str, *, harvest_year: int, latitude_deg: float
) -> tuple[date | None, date | None]:
    """Return the first usual day of harvest and the day after the last, or twice None where no calendar reaches."""
    if crop not in crops:
        return None, None
    try:
        season = crops[crop].season(harvest_year, latitude_deg=latitude_deg)
    except RefusedError:
        return None, None
    return season.harvest_from_on, season.end_on


def take_in(
    estimates: pa.Table,
    plots: Any,  # noqa: ANN401 - a pyarrow table or anything with columns by name, as pandas has
    *,
    holdings: pa.Table | None,
    finances: pa.Table | None,
    crops: Mapping[str, Crop],
    currency: str,
    as_of: date,
) -> Intake:
    """Return the cases of the tables; see `agrocredit.credit.assess` for the columns.

    Raises
    ------
    InputUnusableError
        ``column_missing``, ``column_type_invalid``, ``value_missing`` or ``currency_mismatch``.
    """
    estimates = conform(estimates, ESTIMATES, name="estimates")
    plots = conform(_as_table(plots), PLOTS, name="plots")
    refused: list[Refusal] = []
    row_of_plot = usable_plots(plots, refused)
    rows = usable_estimates(estimates, row_of_plot, plots["plot_id"].to_pylist(), as_of, refused)
    held = holders_by_plot(plots, row_of_plot, holdings, refused)
    plot_ids = estimates["plot_id"].to_pylist()
    stakes = [(row, holding) for row in rows for holding in held[plot_ids[row]]]
    seasons, crop_names = estimates["season"].to_pylist(), estimates["crop"].to_pylist()
    stakes.sort(key=lambda stake: (stake[1].farmer_id, seasons[stake[0]], crop_names[stake[0]], plot_ids[stake[0]]))
    keys = [(holding.farmer_id, seasons[row]) for row, holding in stakes]
    starts = [i for i, key in enumerate(keys) if i == 0 or key != keys[i - 1]]
    return Intake(
        estimates=estimates,
        plots=plots,
        of_estimate=np.array([row for row, _ in stakes], dtype=np.int64),
        of_plot=np.array([row_of_plot[plot_ids[row]] for row, _ in stakes], dtype=np.int64),
        holdings=[holding for _, holding in stakes],
        starts=np.array([*starts, len(stakes)], dtype=np.int64),
        finances=None if finances is None else finances_by_farmer(finances, currency, refused),
        crops=crops,
        as_of=as_of,
        refused=tuple(sorted(refused, key=lambda r: (r.code, r.plot_id or "", r.row or 0, r.detail))),
    )


def _as_table(frame: Any) -> pa.Table:  # noqa: ANN401 - see `take_in`
    """Return the plot columns of a table or data frame; a geometry column is left behind."""
    names = list(frame.column_names) if isinstance(frame, pa.Table) else [str(name) for name in frame.columns]
    missing = [name for name in _NEEDED_PLOT_COLUMNS if name not in names]
    if missing:
        raise InputUnusableError("column_missing", f"plots: no column {', '.join(missing)}; found {', '.join(names)}")
    if isinstance(frame, pa.Table):
        return frame
    return pa.table({name: pa.array(frame[name], from_pandas=True) for name in PLOTS.names if name in names})
