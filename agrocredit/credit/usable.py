"""Which rows of plots and estimates can be used; each that cannot is refused with a code and named."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from agrocredit.domain.errors import Refusal
from agrocredit.domain.estimate import QUANTILE_COLUMNS, AbstainReason, EstimateStatus

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLOTS = pa.schema(
    [
        pa.field("plot_id", pa.string(), nullable=False),
        pa.field("area_m2", pa.float64()),
        pa.field("declared_area_m2", pa.float64()),
        pa.field("farmer_id", pa.string()),
        pa.field("latitude_deg", pa.float64()),
    ]
)
"""What the room may know of a plot: no geometry, no name."""
NO_ROW = -1
YEARS = (1900, 2200)
LATITUDE_MAX_DEG = 90.0
_EPOCH = date(1970, 1, 1)
"""Day 0 of Arrow's dates."""


def codes(column: pa.ChunkedArray | pa.Array) -> tuple[NDArray[np.int64], list[str | None]]:
    """Return a column of texts as whole numbers, (rows,), and the text that each number stands for.

    Comparing and counting numbers takes a tenth of the time of texts, and a text that a million rows share exists once.
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    encoded = array.dictionary_encode(null_encoding="encode")
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), encoded.dictionary.to_pylist()


def rows_of(wanted: pa.ChunkedArray, *, among: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return the first row of each wanted text in another column, `NO_ROW` where there is none, (wanted,)."""
    rows = pc.index_in(wanted, value_set=among)
    found: NDArray[np.int64] = pc.fill_null(rows, NO_ROW).to_numpy().astype(np.int64)
    return found


def usable_plots(plots: pa.Table, refused: list[Refusal]) -> NDArray[np.bool_]:
    """Return True where a plot can be used, (rows,)."""
    areas, declared, latitudes = (plots[name].to_numpy() for name in ("area_m2", "declared_area_m2", "latitude_deg"))
    faults = {
        "area_invalid": (~(np.isfinite(areas) & (areas > 0)), areas, "area_m2 above 0"),
        "declared_area_invalid": (
            ~(np.isnan(declared) | (np.isfinite(declared) & (declared > 0))),
            declared,
            "declared_area_m2 above 0 or none",
        ),
        "latitude_invalid": (~(np.abs(latitudes) <= LATITUDE_MAX_DEG), latitudes, "latitude_deg in -90 to 90"),
    }
    number, ids = codes(plots["plot_id"])
    twice = np.bincount(number, minlength=len(ids)) > 1
    refused.extend(
        Refusal(code="id_duplicated", detail=f"plot {ids[plot]} stands twice in plots", plot_id=ids[plot])
        for plot in np.flatnonzero(twice).tolist()
    )
    usable: NDArray[np.bool_] = ~twice[number]
    for code, (at_fault, values, expected) in faults.items():
        usable &= ~at_fault
        for row in np.flatnonzero(at_fault).tolist():
            plot_id = ids[number[row]]
            refused.append(Refusal(code=code, detail=f"found {values[row]}, expected {expected}", plot_id=plot_id))
    return usable


def usable_estimates(
    estimates: pa.Table, plots: pa.Table, usable_plot: NDArray[np.bool_], as_of: date, refused: list[Refusal]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of the estimates that can be used and the row of each one's plot, (usable,).

    A usable plot without any row is refused as well.
    """
    of_plot = rows_of(estimates["plot_id"], among=plots["plot_id"])
    times = _times(of_plot, estimates)
    days = estimates["as_of"].combine_chunks().cast(pa.int32()).to_numpy()
    faults = (
        ("plot_unknown", of_plot == NO_ROW),
        ("estimate_duplicated", times > 1),
        ("date_out_of_range", days > (as_of - _EPOCH).days),
        ("estimate_invalid", ~_sound(estimates)),
    )
    usable = np.ones(estimates.num_rows, dtype=bool)
    for code, at_fault in faults:
        refused.extend(
            _refusal(code, row, estimates, times=int(times[row]), as_of=as_of)
            for row in np.flatnonzero(usable & at_fault).tolist()
        )
        usable &= ~at_fault
    estimated = np.zeros(len(usable_plot), dtype=bool)
    estimated[of_plot[of_plot != NO_ROW]] = True
    for row in np.flatnonzero(usable_plot & ~estimated).tolist():
        plot = plots["plot_id"][row].as_py()
        refused.append(Refusal(code="estimate_missing", detail=f"no estimate of plot {plot}", plot_id=plot))
    rows = np.flatnonzero(usable & usable_plot[of_plot]) if len(usable_plot) else np.empty(0, dtype=np.int64)
    return rows, of_plot[rows]


def _times(of_plot: NDArray[np.int64], estimates: pa.Table) -> NDArray[np.int64]:
    """Return how many estimates share a row's plot, crop and season, (rows,)."""
    crop, crop_names = codes(estimates["crop"])
    season, season_names = codes(estimates["season"])
    key = (of_plot * len(crop_names) + crop) * len(season_names) + season
    _, place, counts = np.unique(key, return_inverse=True, return_counts=True)
    times: NDArray[np.int64] = counts[place]
    return times


def _refusal(code: str, row: int, estimates: pa.Table, *, times: int, as_of: date) -> Refusal:
    """Return what to say of a faulty row."""
    plot, crop, season, known_on = (estimates[name][row].as_py() for name in ("plot_id", "crop", "season", "as_of"))
    details = {
        "plot_unknown": f"an estimate of plot {plot}, which is not in plots",
        "estimate_duplicated": f"{times} estimates of plot, crop and season {(plot, crop, season)}",
        "date_out_of_range": f"estimate of {known_on}, later than the decision of {as_of}",
        "estimate_invalid": "status, reason and quantiles do not fit; expected seven rising yields from 0",
    }
    return Refusal(code=code, detail=details[code], plot_id=plot, row=row + 1)


def _sound(estimates: pa.Table) -> NDArray[np.bool_]:
    """Return True where an estimate is whole: seven rising yields, or none and a known reason; (rows,)."""
    quantiles = np.column_stack([estimates[name].to_numpy() for name in QUANTILE_COLUMNS])
    status, reason, years = (estimates[name] for name in ("status", "reason", "harvest_year"))
    estimated = _among(status, [EstimateStatus.ESTIMATED]) & pc.is_null(reason).to_numpy()
    abstained = _among(status, [EstimateStatus.ABSTAINED]) & _among(reason, list(AbstainReason))
    rising = np.isfinite(quantiles).all(axis=1) & (quantiles[:, 0] >= 0) & (np.diff(quantiles, axis=1) >= 0).all(axis=1)
    clear = estimates["clear_observations"].to_numpy() >= 0
    in_time = (years.to_numpy() >= YEARS[0]) & (years.to_numpy() <= YEARS[1])
    result: NDArray[np.bool_] = (
        clear & in_time & np.where(estimated, rising, abstained & np.isnan(quantiles).all(axis=1))
    )
    return result


def _among(column: pa.ChunkedArray, words: list[str]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = pc.is_in(column, value_set=pa.array([str(word) for word in words])).to_numpy()
    return found
