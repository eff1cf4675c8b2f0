"""Tables in, cases out: joins what is known, refuses what cannot be used, cuts the rest into chunks.

Who farms a plot: its holdings where there are any, else its ``farmer_id``, else the plot stands for its own farmer.
Joins are done on columns; Python objects exist for one chunk of cases at a time, so memory stays bounded however
large the region.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from agrocredit.credit.case import Case, Finances, Stake
from agrocredit.credit.holders import finances_by_farmer, holders, refuse_crowded_farmers
from agrocredit.credit.previous import in_force_of, limits_in_force, rows_in_force
from agrocredit.credit.usable import NO_ROW, PLOTS, codes, usable_estimates, usable_plots
from agrocredit.domain.errors import InputUnusableError, Refusal
from agrocredit.domain.estimate import QUANTILE_COLUMNS, EstimateStatus
from agrocredit.domain.tables import ESTIMATES, conform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from numpy.typing import NDArray

    from agrocredit.credit.case_tables import CaseTables
    from agrocredit.credit.in_force import InForce
    from agrocredit.credit.terms import PolicyInForce
    from agrocredit.domain.crop import Calendar, Crop

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
    farmer: pa.Array
    """Whose each stake is, (stakes,)."""
    tenure_share: NDArray[np.float64]
    """Above 0 to 1, (stakes,)."""
    grade: pa.Array
    """A, B or C, (stakes,)."""
    documented_area_m2: NDArray[np.float64]
    """NaN where no document states one, (stakes,)."""
    starts: NDArray[np.int64]
    """First stake of each case, and the number of stakes at the end, (cases + 1,)."""
    finances: Mapping[str, Finances] | None
    in_force: pa.Table | None
    """Earlier decisions that left a limit; None where none are given."""
    of_limit: NDArray[np.int64]
    """Row of `in_force` of each case, `NO_ROW` without one, (cases,)."""
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
            at = pa.array(self.starts[first:last])
            farmers = self.farmer.take(at).to_pylist()
            seasons = self.estimates["season"].take(pa.array(self.of_estimate[self.starts[first:last]])).to_pylist()
            cuts = (self.starts[first : last + 1] - begin).tolist()
            yield [
                self._case(farmer, season, tuple(stakes[start:stop]), limit)
                for farmer, season, start, stop, limit in zip(
                    farmers, seasons, cuts, cuts[1:], self._limits(first, last), strict=False
                )
            ]

    def _limits(self, first: int, last: int) -> list[InForce | None]:
        """Return the limit in force of each of some cases."""
        if self.in_force is None:
            return [None] * (last - first)
        rows = self.of_limit[first:last]
        known = iter(self.in_force.take(pa.array(rows[rows != NO_ROW])).to_pylist())
        return [None if row == NO_ROW else in_force_of(next(known)) for row in rows.tolist()]

    def _case(self, farmer_id: str, season: str, stakes: tuple[Stake, ...], in_force: InForce | None) -> Case:
        known = _NOTHING_KNOWN if self.finances is None else self.finances.get(farmer_id)
        return Case(
            farmer_id=farmer_id,
            season=season,
            as_of=self.as_of,
            stakes=stakes,
            finances=known,
            in_force=in_force,
        )

    def _stakes(self, begin: int, end: int) -> list[Stake]:
        """Return some stakes; columns are taken out whole, because rows made one by one cost ten times as much."""
        estimates = self.estimates.take(pa.array(self.of_estimate[begin:end]))
        plots = self.plots.take(pa.array(self.of_plot[begin:end]))
        quantiles = np.column_stack([estimates[name].to_numpy() for name in QUANTILE_COLUMNS]).tolist()
        crop, year = _words(estimates["crop"]), estimates["harvest_year"].to_numpy().tolist()
        latitude = plots["latitude_deg"].to_numpy().tolist()
        columns = zip(
            estimates["plot_id"].to_pylist(),
            crop,
            year,
            _words(estimates["as_of"]),
            _words(estimates["status"]),
            _words(estimates["reason"]),
            quantiles,
            estimates["clear_observations"].to_numpy().tolist(),
            _words(estimates["release"]),
            estimates["evidence_sha256"].to_pylist(),
            plots["area_m2"].to_numpy().tolist(),
            _none_for_nan(plots["declared_area_m2"].to_numpy()),
            _none_for_nan(self.documented_area_m2[begin:end]),
            self.tenure_share[begin:end].tolist(),
            _words(self.grade.slice(begin, end - begin)),
            (harvest_window(self.crops, *place) for place in zip(crop, year, latitude, strict=True)),
            strict=True,
        )
        return [_stake(*values) for values in columns]


_NOTHING_KNOWN = Finances()


def _stake(  # noqa: PLR0917 - a row of columns, in the order of `Stake`
    plot_id: str,
    crop: str,
    harvest_year: int,
    estimate_as_of: date,
    status: str,
    reason: str | None,
    quantiles: list[float],
    clear_observations: int,
    release: str,
    evidence_sha256: str,
    area_m2: float,
    declared_area_m2: float | None,
    documented_area_m2: float | None,
    tenure_share: float,
    grade: str,
    window: tuple[date | None, date | None],
) -> Stake:
    return Stake(
        plot_id=plot_id,
        crop=crop,
        harvest_year=harvest_year,
        estimate_as_of=estimate_as_of,
        status=status,
        reason=reason,
        quantiles_t_ha=tuple(quantiles) if status == EstimateStatus.ESTIMATED else None,
        clear_observations=clear_observations,
        release=release,
        evidence_sha256=evidence_sha256,
        area_m2=area_m2,
        declared_area_m2=declared_area_m2,
        documented_area_m2=documented_area_m2,
        tenure_share=tenure_share,
        grade=grade,
        harvest_from_on=window[0],
        harvest_end_on=window[1],
    )


def _none_for_nan(areas_m2: NDArray[np.float64]) -> list[float | None]:
    return [None if none else area for none, area in zip(np.isnan(areas_m2).tolist(), areas_m2.tolist(), strict=True)]


def _words(column: pa.ChunkedArray | pa.Array) -> list[Any]:
    """Return a column of few distinct values as a list; each value exists once."""
    number, words = codes(column)
    return [words[i] for i in number.tolist()]


def harvest_window(
    crops: Mapping[str, Crop], crop: str, harvest_year: int, latitude_deg: float
) -> tuple[date | None, date | None]:
    """Return the first usual day of harvest and the day after the last, or twice None where no calendar reaches."""
    calendar = crops[crop].calendar_at(latitude_deg) if crop in crops else None
    return (None, None) if calendar is None else _window(calendar, harvest_year)


@lru_cache(maxsize=1_024)
def _window(calendar: Calendar, harvest_year: int) -> tuple[date, date]:
    season = calendar.season(harvest_year)
    return season.harvest_from_on, season.end_on


def take_in(tables: CaseTables, *, terms: PolicyInForce) -> Intake:
    """Return the cases of the tables. Farmers who hold more plots than the terms let one name hold are refused.

    Raises
    ------
    InputUnusableError
        ``column_missing``, ``column_type_invalid``, ``value_missing``, ``currency_mismatch``, or what
        `limits_in_force` raises.
    """
    as_of, currency = tables.as_of, terms.currency
    estimates = conform(tables.estimates, ESTIMATES, name="estimates")
    plots = conform(_as_table(tables.plots), PLOTS, name="plots")
    refused: list[Refusal] = []
    usable_plot = usable_plots(plots, refused)
    of_estimate, of_plot = usable_estimates(estimates, plots, usable_plot, as_of, refused)
    held = holders(plots, usable_plot, tables.holdings, refused)
    held = refuse_crowded_farmers(held, plots_max=terms.area.plots_per_farmer_max, refused=refused)
    stake, holding = _pairs(of_plot, held.of_plot, plots=plots.num_rows)
    of_estimate, of_plot, farmer = of_estimate[stake], of_plot[stake], held.farmer.take(pa.array(holding))
    order = _order(farmer, estimates, of_estimate)
    of_estimate, of_plot, holding = of_estimate[order], of_plot[order], holding[order]
    farmer = farmer.take(pa.array(order))
    seasons = estimates["season"].take(pa.array(of_estimate))
    starts = _starts(farmer, seasons)
    limits, of_limit = None, np.full(len(starts) - 1, NO_ROW, dtype=np.int64)
    if tables.previous is not None:
        limits = limits_in_force(tables.previous, currency=currency, as_of=as_of, refused=refused)
        first = pa.array(starts[:-1])
        of_limit = rows_in_force(limits, farmer=farmer.take(first), season=seasons.take(first))
    return Intake(
        estimates=estimates,
        plots=plots,
        of_estimate=of_estimate,
        of_plot=of_plot,
        farmer=farmer,
        tenure_share=held.tenure_share[holding],
        grade=held.grade.take(pa.array(holding)),
        documented_area_m2=held.documented_area_m2[holding],
        starts=starts,
        finances=None if tables.finances is None else finances_by_farmer(tables.finances, currency, refused),
        in_force=limits,
        of_limit=of_limit,
        crops=tables.crops,
        as_of=as_of,
        refused=tuple(sorted(refused, key=lambda r: (r.code, r.plot_id or "", r.row or 0, r.detail))),
    )


def _pairs(
    of_plot: NDArray[np.int64], holder_of_plot: NDArray[np.int64], *, plots: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each estimate with each holder of its plot: their rows, (stakes,) twice. Holders are sorted by plot."""
    count = np.bincount(holder_of_plot, minlength=plots)
    first = np.cumsum(count) - count
    of_estimate = count[of_plot]
    stake = np.repeat(np.arange(len(of_plot), dtype=np.int64), of_estimate)
    within = np.arange(len(stake), dtype=np.int64) - np.repeat(np.cumsum(of_estimate) - of_estimate, of_estimate)
    holding: NDArray[np.int64] = first[of_plot[stake]] + within
    return stake, holding


def _order(farmer: pa.Array, estimates: pa.Table, of_estimate: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the order of the stakes by farmer, season, crop and plot."""
    names = ("season", "crop", "plot_id")
    taken = estimates.select(names).take(pa.array(of_estimate))
    keys = pa.table({"farmer": farmer, **{name: taken[name] for name in names}})
    order: NDArray[np.int64] = pc.sort_indices(keys, [(name, "ascending") for name in keys.column_names]).to_numpy()
    return order.astype(np.int64)


def _starts(farmer: pa.Array, season: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return where each farmer's season begins among sorted stakes, and their number at the end, (cases + 1,)."""
    whose, when = codes(farmer)[0], codes(season)[0]
    new = (np.diff(whose, prepend=-1) != 0) | (np.diff(when, prepend=-1) != 0)
    return np.append(np.flatnonzero(new), len(whose)).astype(np.int64)


def _as_table(frame: Any) -> pa.Table:  # noqa: ANN401 - see `CaseTables`
    """Return the plot columns of a table or data frame; a geometry column is left behind."""
    names = list(frame.column_names) if isinstance(frame, pa.Table) else [str(name) for name in frame.columns]
    missing = [name for name in _NEEDED_PLOT_COLUMNS if name not in names]
    if missing:
        raise InputUnusableError("column_missing", f"plots: no column {', '.join(missing)}; found {', '.join(names)}")
    if isinstance(frame, pa.Table):
        return frame
    return pa.table({name: pa.array(frame[name], from_pandas=True) for name in PLOTS.names if name in names})
