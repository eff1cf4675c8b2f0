"""What relief a season's yields allow to be proposed; a person confirms, and nothing acts on it."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from agrocredit.domain.errors import Refusal
from agrocredit.domain.estimate import AbstainReason
from agrocredit.domain.summary import Summary
from pipelines.region_history import read_region_history

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    import pyarrow as pa

    from agrocredit.credit import ReliefTerms

DECIMALS = 6
"""Yields are compared as decimals of so many places: grams a square metre, finer than any harvest is known."""


def propose_relief(estimates: Path, *, normal: Path, rules: str, as_of: date, out: Path) -> Summary:
    """Write what may be proposed for each plot with an estimate, by its crop's normal yield.

    Parameters
    ----------
    estimates : Path
        As `estimate` writes them; the median counts.
    normal : Path
        The region's earlier years, CSV or Parquet: ``crop``, ``harvest_year``, ``yield_t_ha``; their mean is normal.
    rules : str
        Name of a relief pack that ships, or a TOML file.
    as_of : date
        Day whose rules hold.
    out : Path
        Parquet file.

    Raises
    ------
    InputUnusableError
        ``policy_missing``, ``policy_invalid``, and what readers raise; nothing is written then.
    """
    from agrocredit.credit import load_relief
    from agrocredit.domain.tables import ESTIMATES
    from agrocredit.store.lock import hold
    from agrocredit.store.tables import read_parquet_table, write_parquet

    with hold(out):
        terms = load_relief(rules, on=as_of)
        history = read_region_history(normal)
        table = read_parquet_table(estimates, ESTIMATES, "estimates")
        means = _normal_t_ha(history.table, before=table["harvest_year"].to_pylist())
        refused: list[Refusal] = []
        proposals = _proposals(table, means, terms, as_of, refused)
        write_parquet(proposals, out)
    proposed = sum(years > 0 for years in proposals["reschedule_years_max"].to_pylist())
    return Summary(
        counts={"plots": proposals.num_rows, "proposed": proposed, "not_proposed": proposals.num_rows - proposed},
        refused=(*history.refused, *refused),
        facts={"rules": f"{terms.name} {terms.version}", "needs_confirmation": True},
    )


def _normal_t_ha(history: pa.Table, *, before: list[int]) -> Mapping[str, Decimal]:
    """Return the mean yield of each crop over the years before all that are asked about."""
    years: dict[str, list[Decimal]] = {}
    first = min(before, default=0)
    for row in history.to_pylist():
        if row["harvest_year"] < first:
            years.setdefault(row["crop"], []).append(_decimal(row["yield_t_ha"]))
    return {crop: round(sum(found, Decimal(0)) / len(found), DECIMALS) for crop, found in years.items()}


def _decimal(yield_t_ha: float) -> Decimal:
    return round(Decimal(str(yield_t_ha)), DECIMALS)


def _proposals(
    estimates: pa.Table, normal_t_ha: Mapping[str, Decimal], terms: ReliefTerms, as_of: date, refused: list[Refusal]
) -> pa.Table:
    """Return one row a plot with an estimate and a normal yield."""
    import pyarrow as pa

    from agrocredit.credit import RELIEF, propose_relief

    rows: list[dict[str, Any]] = []
    for number, row in enumerate(estimates.to_pylist(), start=1):
        fault = None
        if row["as_of"] > as_of:
            fault = ("date_out_of_range", f"estimate of {row['as_of']}, later than {as_of}")
        elif row["q50"] is None:
            code = row["reason"] if row["reason"] in set(AbstainReason) else "estimate_invalid"
            fault = (code, "no estimate, so no loss can be read; a crop cut or a visit would show it")
        elif not 0 <= row["q50"] < math.inf:
            fault = ("estimate_invalid", f"q50 is {row['q50']}, expected a yield from 0")
        elif not normal_t_ha.get(row["crop"]):
            fault = ("history_invalid", f"no normal yield of {row['crop']}: no year before {row['harvest_year']}")
        if fault:
            refused.append(Refusal(code=fault[0], detail=fault[1], plot_id=row["plot_id"], row=number))
            continue
        found = propose_relief(_decimal(row["q50"]), normal_t_ha=normal_t_ha[row["crop"]], terms=terms)
        keys = {name: row[name] for name in ("plot_id", "crop", "season")}
        rows.append(
            {
                **keys,
                "yield_t_ha": row["q50"],
                "normal_t_ha": float(normal_t_ha[row["crop"]]),
                "loss_share": float(found.loss_share),
                "reschedule_years_max": found.reschedule_years_max,
                "moratorium_years": found.moratorium_years,
                "fresh_crop_loan": found.fresh_crop_loan,
                "policy": found.policy,
                "policy_version": found.policy_version,
                "needs_confirmation": found.needs_confirmation,
            }
        )
    return pa.Table.from_pylist(rows, schema=RELIEF)
