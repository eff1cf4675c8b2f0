"""Yield estimates to decisions: a limit for every farmer, the cap that sets it, and the reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.summary import Summary
from pipelines.known_crops import known_crops
from pipelines.outcome import decision_counts, decision_facts

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import pandas as pd

    from agrocredit.credit import CaseTables
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
    finances: Path | None = None
    """What the lender knows of farmers' money; without it nothing is on record and zeros count."""
    previous: Path | None = None
    """Decisions of an earlier day: the limits in force."""
    id_field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTables:
    """Everything the money side reads."""

    cases: CaseTables
    refused: tuple[Refusal, ...]
    """Plots and rows that could not be used."""


def assess(request: AssessRequest) -> Summary:
    """Write one row a farmer and season, as `agrocredit.domain.tables.DECISIONS`; return what was counted.

    Raises
    ------
    InputUnusableError
        ``no_usable_rows`` if nobody can be decided on, and what readers and the policy raise; nothing is written then.
    """
    from agrocredit.credit import assess as decide
    from agrocredit.store.lock import hold
    from agrocredit.store.tables import write_parquet

    with hold(request.out):
        tables = read_case_tables(request)
        assessment = decide(tables.cases)
        if not assessment.decisions.num_rows:
            refused = (*tables.refused, *assessment.refused)
            first = f"; the first: {refused[0].code}: {refused[0].detail}" if refused else ""
            raise InputUnusableError("no_usable_rows", f"no farmer can be decided on{first}")
        write_parquet(assessment.decisions, request.out)
    return Summary(
        counts=decision_counts(assessment.decisions),
        refused=(*tables.refused, *assessment.refused),
        facts=decision_facts(assessment.decisions),
    )


def read_case_tables(request: AssessRequest) -> ReadTables:
    """Return the tables of a request; errors are those of their readers."""
    from agrocredit.credit import CaseTables, load_policy
    from agrocredit.domain.tables import DECISIONS, ESTIMATES
    from agrocredit.store.farm_tables import read_finances, read_holdings
    from agrocredit.store.plot_files import read_plots
    from agrocredit.store.tables import read_parquet_table

    plot_set = read_plots(request.plots, id_field=request.id_field)
    holdings = read_holdings(request.holdings) if request.holdings else None
    finances = read_finances(request.finances) if request.finances else None
    previous = request.previous and read_parquet_table(request.previous, DECISIONS, "previous decisions")
    checked = [table for table in (holdings, finances) if table is not None]
    cases = CaseTables(
        estimates=read_parquet_table(request.estimates, ESTIMATES, "estimates"),
        plots=_plot_facts(plot_set.plots),
        holdings=None if holdings is None else holdings.table,
        finances=None if finances is None else finances.table,
        previous=previous,
        policy=load_policy(request.policy),
        crops=known_crops(),
        as_of=request.as_of,
    )
    rows_refused = tuple(refusal for table in checked for refusal in table.refused)
    return ReadTables(cases=cases, refused=(*plot_set.refused, *rows_refused))


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
