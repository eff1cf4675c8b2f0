"""Who holds a plot, with what share and evidence; and what is on record of a farmer's money."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from agrocredit.credit.case import Finances
from agrocredit.domain.errors import InputUnusableError, Refusal, RefusedError
from agrocredit.domain.plot import Holding
from agrocredit.domain.tables import HOLDINGS, conform

if TYPE_CHECKING:
    from collections.abc import Mapping

FINANCES = pa.schema(
    [
        pa.field("farmer_id", pa.string(), nullable=False),
        pa.field("currency", pa.string(), nullable=False),
        pa.field("off_farm_income_minor", pa.int64()),
        pa.field("existing_debt_service_minor", pa.int64()),
        pa.field("outstanding_minor", pa.int64()),
    ]
)
"""What the lender knows of farmers' money; a row with an amount missing is no record."""
_SHARE_SLACK = 1e-9
"""Shares such as 1/3 three times may pass 1 by this much."""


def holders_by_plot(
    plots: pa.Table, row_of_plot: Mapping[str, int], holdings: pa.Table | None, refused: list[Refusal]
) -> dict[str, list[Holding]]:
    """Return who holds each usable plot, with share and grade; without a holding it is drawn only, in full."""
    held: dict[str, list[Holding]] = defaultdict(list)
    named: set[str] = set()
    if holdings is not None:
        table = conform(holdings, HOLDINGS, name="holdings")
        for row, values in enumerate(table.to_pylist()):
            named.add(values["plot_id"])
            try:
                held[values["plot_id"]].append(_holding(values, row_of_plot))
            except RefusedError as error:
                refused.append(error.refusal(plot_id=values["plot_id"], row=row))
        _refuse_crowded(held, refused)
    farmers = plots["farmer_id"].to_pylist()
    for plot, row in row_of_plot.items():
        if plot not in named:
            held[plot] = [Holding(farmer_id=farmers[row] or plot, plot_id=plot)]
        held.setdefault(plot, [])
    return held


def _holding(values: Mapping[str, Any], row_of_plot: Mapping[str, int]) -> Holding:
    """Return a row as a holding; what is left open takes the holding's own defaults."""
    if values["plot_id"] not in row_of_plot:
        raise RefusedError(
            "plot_unknown", f"a holding of plot {values['plot_id']}, which is not among the usable plots"
        )
    return Holding(**{key: value for key, value in values.items() if value is not None})


def _refuse_crowded(held: dict[str, list[Holding]], refused: list[Refusal]) -> None:
    """Drop the holdings of plots that one farmer holds twice, or whose shares sum to more than the plot."""
    for plot, holders in held.items():
        shares = sum(holding.tenure_share for holding in holders)
        farmers = {holding.farmer_id for holding in holders}
        if shares > 1 + _SHARE_SLACK or len(farmers) < len(holders):
            detail = (
                f"{len(holders)} holdings of {len(farmers)} farmers with shares of {shares} in all, expected 1 at most"
            )
            refused.append(Refusal(code="tenure_share_invalid", detail=detail, plot_id=plot))
            held[plot] = []


def finances_by_farmer(table: pa.Table, currency: str, refused: list[Refusal]) -> dict[str, Finances]:
    """Return what is on record by farmer; a row with an amount missing is no record."""
    known: dict[str, Finances] = {}
    for row, values in enumerate(conform(table, FINANCES, name="finances").to_pylist()):
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
