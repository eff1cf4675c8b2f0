"""Who holds a plot, with what share and evidence; and what is on record of a farmer's money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from agrocredit.credit.case import Finances
from agrocredit.credit.usable import NO_ROW, codes, rows_of
from agrocredit.domain.errors import InputUnusableError, Refusal, RefusedError
from agrocredit.domain.plot import Holding
from agrocredit.domain.tables import FINANCES, HOLDINGS, conform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_SHARE_SLACK = 1e-9
"""Shares such as 1/3 three times may pass 1 by this much."""
_GRADES = ("A", "B", "C")
_SHARE_ALONE, _GRADE_ALONE = 1.0, "C"
"""Of a holding that leaves them open: the whole plot, drawn only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holders:
    """Who holds the usable plots, sorted by plot; columns of equal length, (holdings,)."""

    of_plot: NDArray[np.int64]
    """Row of the plot."""
    farmer: pa.Array
    tenure_share: NDArray[np.float64]
    """Above 0 to 1."""
    grade: pa.Array
    """A, B or C."""
    documented_area_m2: NDArray[np.float64]
    """NaN where no document states one."""


def holders(
    plots: pa.Table, usable_plot: NDArray[np.bool_], holdings: pa.Table | None, refused: list[Refusal]
) -> Holders:
    """Return who holds each usable plot, with share and grade; without a holding it is drawn only, in full."""
    alone = usable_plot.copy()
    held = _alone(plots, np.empty(0, dtype=np.int64))
    if holdings is not None:
        table = conform(holdings, HOLDINGS, name="holdings")
        of_plot = rows_of(table["plot_id"], among=plots["plot_id"])
        alone[of_plot[of_plot != NO_ROW]] = False
        held = _named(table, of_plot, _usable_holdings(table, of_plot, usable_plot, refused))
    rest = _alone(plots, np.flatnonzero(alone))
    of_plot = np.concatenate([held.of_plot, rest.of_plot])
    order = np.argsort(of_plot, kind="stable")
    taken = pa.array(order)
    return Holders(
        of_plot=of_plot[order],
        farmer=pa.concat_arrays([held.farmer, rest.farmer]).take(taken),
        tenure_share=np.concatenate([held.tenure_share, rest.tenure_share])[order],
        grade=pa.concat_arrays([held.grade, rest.grade]).take(taken),
        documented_area_m2=np.concatenate([held.documented_area_m2, rest.documented_area_m2])[order],
    )


def refuse_crowded_farmers(held: Holders, *, plots_max: int, refused: list[Refusal]) -> Holders:
    """Return the holdings without those of farmers who hold more plots than the policy lets one name hold."""
    farmer, names = codes(held.farmer)
    count = np.bincount(farmer, minlength=len(names))
    refused.extend(
        Refusal(
            code="plots_too_many",
            detail=f"farmer {names[crowded]} holds {count[crowded]} plots, expected {plots_max} at most",
        )
        for crowded in np.flatnonzero(count > plots_max).tolist()
    )
    kept = count[farmer] <= plots_max
    rows = pa.array(np.flatnonzero(kept))
    return Holders(
        of_plot=held.of_plot[kept],
        farmer=held.farmer.take(rows),
        tenure_share=held.tenure_share[kept],
        grade=held.grade.take(rows),
        documented_area_m2=held.documented_area_m2[kept],
    )


def _alone(plots: pa.Table, rows: NDArray[np.int64]) -> Holders:
    """Return plots that no holding names: their farmer's, or their own."""
    farmer = pc.coalesce(plots["farmer_id"], plots["plot_id"]).take(pa.array(rows))
    return Holders(
        of_plot=rows,
        farmer=_one_array(farmer),
        tenure_share=np.full(len(rows), _SHARE_ALONE),
        grade=pa.array([_GRADE_ALONE] * len(rows), pa.string()),
        documented_area_m2=np.full(len(rows), np.nan),
    )


def _named(table: pa.Table, of_plot: NDArray[np.int64], usable: NDArray[np.bool_]) -> Holders:
    """Return the usable rows of a holdings table; what a row leaves open takes a holding's own defaults."""
    rows = pa.array(np.flatnonzero(usable))
    share = pc.fill_null(table["tenure_share"], _SHARE_ALONE)
    grade = pc.fill_null(table["grade"], _GRADE_ALONE)
    return Holders(
        of_plot=of_plot[usable],
        farmer=_one_array(table["farmer_id"].take(rows)),
        tenure_share=share.to_numpy()[usable],
        grade=_one_array(grade.take(rows)),
        documented_area_m2=table["documented_area_m2"].to_numpy()[usable],
    )


def _one_array(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return pa.concat_arrays([pa.array([], pa.string()), *column.chunks]) if hasattr(column, "chunks") else column


def _usable_holdings(
    table: pa.Table, of_plot: NDArray[np.int64], usable_plot: NDArray[np.bool_], refused: list[Refusal]
) -> NDArray[np.bool_]:
    """Return True where a holding can be used, (rows,); all holdings of a plot fall where they crowd it."""
    share = pc.fill_null(table["tenure_share"], _SHARE_ALONE).to_numpy()
    known = (of_plot != NO_ROW) & np.append(usable_plot, False)[of_plot]  # NO_ROW points at the place after the last
    sound_share = (share > 0) & (share <= 1)
    sound_grade = pc.is_in(pc.fill_null(table["grade"], _GRADE_ALONE), value_set=pa.array(_GRADES)).to_numpy()
    documented = table["documented_area_m2"].to_numpy()
    sound_area = pc.is_null(table["documented_area_m2"]).to_numpy() | (np.isfinite(documented) & (documented > 0))
    usable: NDArray[np.bool_] = known & sound_share & sound_grade & sound_area
    refused.extend(
        _refusal(table.slice(row, 1).to_pylist()[0], row, known=bool(known[row]))
        for row in np.flatnonzero(~usable).tolist()
    )
    farmer, _ = codes(table["farmer_id"])
    plots, place = np.unique(of_plot[usable], return_inverse=True)
    shares = np.bincount(place, weights=share[usable], minlength=len(plots))
    count = np.bincount(place, minlength=len(plots))
    pairs = np.unique(np.column_stack([place, farmer[usable]]), axis=0)
    farmers = np.bincount(pairs[:, 0], minlength=len(plots))
    crowded = (shares > 1 + _SHARE_SLACK) | (farmers < count)
    for plot in np.flatnonzero(crowded).tolist():
        first = int(np.flatnonzero(of_plot == plots[plot])[0])
        of_farmers = f"{count[plot]} holdings of {farmers[plot]} farmers"
        detail = f"{of_farmers} with shares of {shares[plot]} in all, expected 1 at most"
        refused.append(Refusal(code="tenure_share_invalid", detail=detail, plot_id=table["plot_id"][first].as_py()))
    usable[usable] = ~crowded[place]
    return usable


def _refusal(values: Mapping[str, Any], row: int, *, known: bool) -> Refusal:
    """Return what to say of a faulty holding: a plot that is not there, or what the holding itself says."""
    plot = values["plot_id"]
    if not known:
        detail = f"a holding of plot {plot}, which is not among the usable plots"
        return Refusal(code="plot_unknown", detail=detail, plot_id=plot)
    try:
        Holding(**{key: value for key, value in values.items() if value is not None})
    except RefusedError as error:
        return error.refusal(plot_id=plot, row=row + 1)
    msg = f"holding {row} is sound"
    raise AssertionError(msg)


def finances_by_farmer(table: pa.Table, currency: str, refused: list[Refusal]) -> dict[str, Finances]:
    """Return what is on record by farmer; a row with an amount missing is no record."""
    known: dict[str, Finances] = {}
    for row, values in enumerate(conform(table, FINANCES, name="finances").to_pylist(), start=1):
        farmer = values.pop("farmer_id")
        if values["currency"] != currency:
            detail = f"finances: row {row} is in {values['currency']}, the policy in {currency}"
            raise InputUnusableError("currency_mismatch", detail)
        del values["currency"]
        if farmer in known:
            raise InputUnusableError("id_duplicated", f"finances: row {row}: a second record of one farmer")
        if None in values.values():
            continue
        try:
            known[farmer] = Finances(**values)
        except RefusedError as error:
            refused.append(error.refusal(row=row))
    return known
