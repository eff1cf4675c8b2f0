"""From a run's tables to rows of the store."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import orjson

from agrocredit.domain.plot import Holding, Plot
from agrocredit.domain.tables import index_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import geopandas as gpd
    import pyarrow as pa


def plot_rows(plots: gpd.GeoDataFrame, *, season_of: Mapping[str, str], now: datetime) -> list[dict[str, Any]]:
    """Return the rows of some plots; a plot without a farmer is its own farmer, as in `agrocredit.credit`."""
    from agrocredit.store.sql.plot_queries import plot_row

    rows = []
    for row in plots.itertuples(index=False):
        values = {name: None if _missing(value) else value for name, value in row._asdict().items()}
        values["farmer_id"] = values["farmer_id"] or values["id"]
        plot = Plot(**values)  # type: ignore[arg-type]  # the columns of an accepted plot are the record's fields
        rows.append(plot_row(plot, season=season_of.get(plot.id), determination="imported", now=now))
    return rows


def holding_rows(
    plots: Sequence[Mapping[str, Any]], holdings: pa.Table | None, *, seasons_of: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """Return who holds the plots of these rows, a row a season that is estimated.

    A plot that no holding names is held by its farmer alone, drawn only, as in `agrocredit.credit`.
    """
    by_id = {plot["id"]: plot for plot in plots}
    held: list[Holding] = []
    named: set[str] = set()
    for values in [] if holdings is None else holdings.to_pylist():
        if values["plot_id"] in by_id:
            held.append(Holding(**{name: value for name, value in values.items() if value is not None}))
            named.add(values["plot_id"])
    held += [Holding(farmer_id=plot["farmer_id"], plot_id=plot["id"]) for plot in plots if plot["id"] not in named]
    return [
        {
            "farmer_id": one.farmer_id,
            "plot_id": one.plot_id,
            "season": season,
            "tenure_share": one.tenure_share,
            "grade": one.grade,
            "documented_area_m2": one.documented_area_m2,
            "region_id": by_id[one.plot_id]["region_id"],
        }
        for one in held
        for season in seasons_of.get(one.plot_id, ())
    ]


def observation_rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield the looks of a table, the indices as a mapping; a value that is no number is null."""
    indices = index_columns(table.column_names)
    for row in table.to_pylist():
        yield {
            **{name: value for name, value in row.items() if name not in indices},
            "indices": {name: None if _missing(row[name]) else row[name] for name in indices},
        }


def snapshot_row(decision: Mapping[str, Any]) -> dict[str, Any]:
    """Return a decision as a row of the published limits, with the ready answer of a look-up."""
    answer = orjson.loads(decision["answer"])
    shown = {
        "farmer_id": decision["farmer_id"],
        "season": decision["season"],
        "as_of": decision["as_of"].isoformat(),
        "outcome": decision["outcome"],
        "limit_minor": decision["limit_minor"],
        "currency": decision["currency"],
        "binding_cap": answer["binding_cap"],
        "reasons": answer["reasons"],
        "due_on": None if decision["due_on"] is None else decision["due_on"].isoformat(),
        "policy": decision["policy"],
        "policy_version": decision["policy_version"],
        "decision_id": decision["id"],
    }
    return {**shown, "answer": orjson.dumps(shown)}


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
