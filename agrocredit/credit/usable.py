"""Which rows of plots and estimates can be used; each that cannot is refused with a code and named."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from agrocredit.domain.errors import Refusal
from agrocredit.domain.estimate import QUANTILE_COLUMNS, AbstainReason, EstimateStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

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
_YEARS = (1900, 2200)
_LATITUDE_MAX_DEG = 90.0


def usable_plots(plots: pa.Table, refused: list[Refusal]) -> dict[str, int]:
    """Return the row of each plot that can be used."""
    ids = plots["plot_id"].to_pylist()
    twice = {plot for plot, count in Counter(ids).items() if count > 1}
    areas, declared, latitudes = (plots[name].to_numpy() for name in ("area_m2", "declared_area_m2", "latitude_deg"))
    faults = {
        "area_invalid": (~(np.isfinite(areas) & (areas > 0)), areas, "area_m2 above 0"),
        "declared_area_invalid": (
            ~(np.isnan(declared) | (np.isfinite(declared) & (declared > 0))),
            declared,
            "declared_area_m2 above 0 or none",
        ),
        "latitude_invalid": (~(np.abs(latitudes) <= _LATITUDE_MAX_DEG), latitudes, "latitude_deg in -90 to 90"),
    }
    wrong = set(twice)
    refused += [Refusal(code="id_duplicated", detail=f"plot {p} stands twice in plots", plot_id=p) for p in twice]
    for code, (at_fault, values, expected) in faults.items():
        for row in np.flatnonzero(at_fault).tolist():
            wrong.add(ids[row])
            refused.append(Refusal(code=code, detail=f"found {values[row]}, expected {expected}", plot_id=ids[row]))
    return {plot: row for row, plot in enumerate(ids) if plot not in wrong}


def usable_estimates(
    estimates: pa.Table, row_of_plot: Mapping[str, int], all_plots: Sequence[str], as_of: date, refused: list[Refusal]
) -> list[int]:
    """Return the rows of the estimates that can be used; a plot without any row is refused as well."""
    ids = estimates["plot_id"].to_pylist()
    keys = list(zip(ids, estimates["crop"].to_pylist(), estimates["season"].to_pylist(), strict=True))
    times = Counter(keys)
    known_plots = set(all_plots)
    sound = _sound(estimates)
    dates = estimates["as_of"].to_pylist()
    usable = []
    for row, plot in enumerate(ids):
        fault = None
        if plot not in known_plots:
            fault = ("plot_unknown", f"an estimate of plot {plot}, which is not in plots")
        elif times[keys[row]] > 1:
            fault = ("estimate_duplicated", f"{times[keys[row]]} estimates of plot, crop and season {keys[row]}")
        elif dates[row] > as_of:
            fault = ("date_out_of_range", f"estimate of {dates[row]}, later than the decision of {as_of}")
        elif not sound[row]:
            fault = ("estimate_invalid", "status, reason and quantiles do not fit; expected seven rising yields from 0")
        if fault:
            refused.append(Refusal(code=fault[0], detail=fault[1], plot_id=plot, row=row))
        elif plot in row_of_plot:
            usable.append(row)
    without = sorted(row_of_plot.keys() - set(ids))
    refused += [Refusal(code="estimate_missing", detail=f"no estimate of plot {p}", plot_id=p) for p in without]
    return usable


def _sound(estimates: pa.Table) -> NDArray[np.bool_]:
    """Return True where an estimate is whole: seven rising yields, or none and a known reason; (rows,)."""
    quantiles = np.column_stack([estimates[name].to_numpy() for name in QUANTILE_COLUMNS])
    status = estimates["status"].to_pylist()
    reasons = estimates["reason"].to_pylist()
    years = estimates["harvest_year"].to_numpy()
    estimated = np.array(
        [s == EstimateStatus.ESTIMATED and r is None for s, r in zip(status, reasons, strict=True)], bool
    )
    known = set(AbstainReason)
    abstained = np.array(
        [s == EstimateStatus.ABSTAINED and r in known for s, r in zip(status, reasons, strict=True)], bool
    )
    rising = np.isfinite(quantiles).all(axis=1) & (quantiles[:, 0] >= 0) & (np.diff(quantiles, axis=1) >= 0).all(axis=1)
    clear = estimates["clear_observations"].to_numpy() >= 0
    in_time = (years >= _YEARS[0]) & (years <= _YEARS[1])
    result: NDArray[np.bool_] = (
        clear & in_time & np.where(estimated, rising, abstained & np.isnan(quantiles).all(axis=1))
    )
    return result
