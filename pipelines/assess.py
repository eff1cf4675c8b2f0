"""Yield estimates to decisions: a limit for every farmer, the cap that sets it, and the reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agrocredit.domain.summary import Summary
from pipelines.known_crops import known_crops
from pipelines.outcome import decision_counts, decision_facts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

    from agrocredit.credit import CreditPolicy
    from agrocredit.domain.crop import Crop
    from agrocredit.domain.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessRequest:
    """What to decide, by which rules, on which day."""

    estimates: Path
    plots: Path
    policy: str
    """Name of a policy that ships, or a TOML file."""
    as_of: date
    out: Path
    holdings: Path | None = None
    """Who farms which plot; without it the plots' ``farmer_id`` says, and a plot without one is its own farmer."""
    id_field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTables:
    """Everything the money side reads."""

    estimates: pa.Table
    plots: pd.DataFrame
    holdings: pa.Table | None
    policy: CreditPolicy
    crops: Mapping[str, Crop]
    refused: tuple[Refusal, ...]
    """Plots and rows that could not be used."""


def assess(request: AssessRequest) -> Summary:
    """Write one row a farmer and season, as `agrocredit.domain.tables.DECISIONS`; return what was counted.

    Raises
    ------
    InputUnusableError
        What readers and the policy raise; nothing is written then.
    """
    from agrocredit.credit import assess as decide
    from agrocredit.store.lock import hold
    from agrocredit.store.tables import write_parquet

    with hold(request.out):
        tables = read_case_tables(request)
        assessment = decide(
            tables.estimates,
            tables.plots,
            holdings=tables.holdings,
            policy=tables.policy,
            crops=tables.crops,
            as_of=request.as_of,
        )
        write_parquet(assessment.decisions, request.out)
    return Summary(
        counts=decision_counts(assessment.decisions),
        refused=(*tables.refused, *assessment.refused),
        facts=decision_facts(assessment.decisions),
    )


def read_case_tables(request: AssessRequest) -> CaseTables:
    """Return the tables of a request; errors are those of their readers."""
    from agrocredit.credit import load_policy
    from agrocredit.domain.tables import ESTIMATES
    from agrocredit.store.farm_tables import read_holdings
    from agrocredit.store.plot_files import read_plots
    from agrocredit.store.tables import read_parquet_table

    plot_set = read_plots(request.plots, id_field=request.id_field)
    holdings = read_holdings(request.holdings) if request.holdings else None
    return CaseTables(
        estimates=read_parquet_table(request.estimates, ESTIMATES, "estimates"),
        plots=_plot_facts(plot_set.plots),
        holdings=None if holdings is None else holdings.table,
        policy=load_policy(request.policy),
        crops=known_crops(),
        refused=(*plot_set.refused, *(() if holdings is None else holdings.refused)),
    )


def _plot_facts(plots: pd.DataFrame) -> pd.DataFrame:
    """Return what the money side may know of a plot: sizes, farmer and latitude, no geometry."""
    import pandas as pd

    return pd.DataFrame(
        {
            "plot_id": plots["id"],
            "area_m2": plots["area_m2"],
            "declared_area_m2": plots["declared_area_m2"],
            "farmer_id": plots["farmer_id"],
            "latitude_deg": plots.geometry.representative_point().y,
        }
    )
