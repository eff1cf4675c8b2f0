"""The tables of a run as plots and farmers: each plot with its looks and estimate, each farmer with decision and plots.

Everything is sorted by id, so that the order of rows in the tables changes no byte of the page.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from agrocredit.domain.decision import CapName, Decision, Outcome
from agrocredit.domain.errors import AgrocreditError, InputUnusableError
from agrocredit.domain.estimate import QUANTILE_COLUMNS, AbstainReason, EstimateStatus, YieldEstimate
from agrocredit.domain.tables import DECISIONS, ESTIMATES, HOLDINGS
from agrocredit.report.inputs import ReportInputs, checked_frame
from agrocredit.report.looks import NO_LOOKS, Looks, looks_by_plot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotView:
    """One plot with all that the run says about it."""

    id: str
    crop: str | None
    area_m2: float
    declared_area_m2: float | None
    farmer_ids: tuple[str, ...]
    """Who holds it; a plot that names no farmer is its own."""
    looks: Looks
    estimate: YieldEstimate | None
    refusal_code: str | None
    """Code under which the run refused this plot later on, where it did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmerView:
    """One decision with the plots behind it."""

    decision: Decision
    decision_sha256: str
    plots: tuple[int, ...]
    """Positions of the farmer's plots in `Run.plots`."""
    interval_t_ha: tuple[float, float, float] | None
    """q05, q50, q95: area-weighted means over the farmer's estimated plots; None where there is none."""
    estimated: int
    """How many of the plots have an estimate."""
    change: str | None
    """What the decision does to the limit that was in force; None without one before and after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run, joined."""

    plots: tuple[PlotView, ...]
    """By id."""
    geometries: NDArray[np.object_]
    """Outlines in longitude and latitude, one a plot."""
    farmers: tuple[FarmerView, ...]
    """By farmer and season."""
    estimated: bool
    """The run came as far as estimates."""
    decided: bool
    """The run came as far as decisions."""
    window: tuple[int, int] | None
    """First and last day with any look, as days since 1970-01-01."""

    def farmer_of(self) -> dict[str, FarmerView]:
        """Return the latest decision of each farmer."""
        latest = sorted(self.farmers, key=lambda farmer: (farmer.decision.as_of, farmer.decision.season))
        return {farmer.decision.farmer_id: farmer for farmer in latest}


def join_run(inputs: ReportInputs) -> Run:
    """Return the run's plots and farmers.

    Raises
    ------
    InputUnusableError
        Where a table breaks the contract; names the table, and the row's plot or farmer.
    """
    estimates = _estimates(checked_frame(inputs.estimates, ESTIMATES, name="estimates"))
    decisions = checked_frame(inputs.decisions, DECISIONS, name="decisions")
    looks = looks_by_plot(inputs.observations, index=inputs.index)
    farmers_of_plot = _farmers_of_plot(inputs)
    table = inputs.plots.assign(id=inputs.plots["id"].astype(str)).sort_values("id", kind="stable")
    refused = {str(one["plot_id"]): str(one["code"]) for one in inputs.refused if one.get("plot_id")}
    plots = tuple(_plot_views(table, looks=looks, estimates=estimates, farmers=farmers_of_plot, refused=refused))
    # Looks at a plot that is not in the table of plots are no part of this page.
    spans = [(int(plot.looks.days[0]), int(plot.looks.days[-1])) for plot in plots if len(plot.looks)]
    return Run(
        plots=plots,
        geometries=np.asarray(table.geometry.array, dtype=object),
        farmers=_farmer_views(decisions, plots),
        estimated=bool(estimates),
        decided=decisions is not None,
        window=(min(first for first, _ in spans), max(last for _, last in spans)) if spans else None,
    )


def _farmers_of_plot(inputs: ReportInputs) -> dict[str, tuple[str, ...]]:
    pairs: Iterable[tuple[Any, Any]] = ()
    holdings = checked_frame(inputs.holdings, HOLDINGS, name="holdings")
    if holdings is not None:
        pairs = zip(holdings["plot_id"], holdings["farmer_id"], strict=True)
    elif "farmer_id" in inputs.plots.columns:
        pairs = zip(inputs.plots["id"], inputs.plots["farmer_id"], strict=True)
    found: dict[str, set[str]] = {}
    for plot_id, farmer_id in pairs:
        if not pd.isna(farmer_id):
            found.setdefault(str(plot_id), set()).add(str(farmer_id))
    return {plot_id: tuple(sorted(farmers)) for plot_id, farmers in found.items()}


def _plot_views(
    table: pd.DataFrame,
    *,
    looks: dict[str, Looks],
    estimates: dict[str, YieldEstimate],
    farmers: dict[str, tuple[str, ...]],
    refused: dict[str, str],
) -> Iterator[PlotView]:
    empty = [None] * len(table)
    crops = table["crop"] if "crop" in table.columns else empty
    declared = table["declared_area_m2"] if "declared_area_m2" in table.columns else empty
    for plot_id, area_m2, crop, declared_m2 in zip(table["id"], table["area_m2"], crops, declared, strict=True):
        yield PlotView(
            id=plot_id,
            crop=None if pd.isna(crop) else str(crop),
            area_m2=float(area_m2),
            declared_area_m2=None if pd.isna(declared_m2) else float(declared_m2),
            farmer_ids=farmers.get(plot_id, (plot_id,)),
            looks=looks.get(plot_id, NO_LOOKS),
            estimate=estimates.get(plot_id),
            refusal_code=refused.get(plot_id),
        )


def _estimates(frame: pd.DataFrame | None) -> dict[str, YieldEstimate]:
    """Return one estimate a plot: the latest, where there are several."""
    if frame is None:
        return {}
    frame = frame.sort_values(["harvest_year", "as_of", "crop", "plot_id"], kind="stable")
    return {str(row["plot_id"]): _estimate(row) for row in frame.to_dict("records")}


def _estimate(row: dict[Any, Any]) -> YieldEstimate:
    quantiles = tuple(float(row[column]) for column in QUANTILE_COLUMNS)
    try:
        status = EstimateStatus(row["status"])
        return YieldEstimate(
            plot_id=row["plot_id"],
            crop=row["crop"],
            season=row["season"],
            harvest_year=int(row["harvest_year"]),
            as_of=row["as_of"],
            status=status,
            reason=None if pd.isna(row["reason"]) else AbstainReason(row["reason"]),
            quantiles_t_ha=None if all(map(np.isnan, quantiles)) else quantiles,
            clear_observations=int(row["clear_observations"]),
            release=row["release"],
            evidence_sha256=row["evidence_sha256"],
        )
    except (AgrocreditError, ValueError) as error:
        raise InputUnusableError("estimate_invalid", f"estimates: plot {row['plot_id']}: {error}") from error


def _farmer_views(frame: pd.DataFrame | None, plots: tuple[PlotView, ...]) -> tuple[FarmerView, ...]:
    if frame is None:
        return ()
    plots_of: dict[str, list[int]] = {}
    for position, plot in enumerate(plots):
        for farmer_id in plot.farmer_ids:
            plots_of.setdefault(farmer_id, []).append(position)
    frame = frame.sort_values(["farmer_id", "season", "as_of"], kind="stable")
    return tuple(_farmer(row, plots_of.get(row["farmer_id"], []), plots) for row in frame.to_dict("records"))


def _farmer(row: dict[Any, Any], positions: list[int], plots: tuple[PlotView, ...]) -> FarmerView:
    estimated = [
        (plots[position].area_m2, plots[position].estimate.quantiles_t_ha)  # type: ignore[union-attr]
        for position in positions
        if has_yield(plots[position])
    ]
    interval = None
    if estimated:
        areas_m2 = np.array([area_m2 for area_m2, _ in estimated])
        quantiles = np.array([quantiles for _, quantiles in estimated])[:, [0, 3, 6]]
        low, middle, high = (areas_m2 @ quantiles / areas_m2.sum()).tolist()
        interval = (low, middle, high)
    return FarmerView(
        decision=_decision(row),
        decision_sha256=row["decision_sha256"],
        plots=tuple(positions),
        interval_t_ha=interval,
        estimated=len(estimated),
        change=None if pd.isna(row["limit_change"]) else str(row["limit_change"]),
    )


def has_yield(plot: PlotView) -> bool:
    """Return whether the plot's yield was stated."""
    return plot.estimate is not None and plot.estimate.quantiles_t_ha is not None


def _decision(row: dict[Any, Any]) -> Decision:
    try:
        return Decision(
            farmer_id=row["farmer_id"],
            season=row["season"],
            as_of=row["as_of"],
            outcome=Outcome(row["outcome"]),
            limit_minor=int(row["limit_minor"]),
            currency=row["currency"],
            binding_cap=None if pd.isna(row["binding_cap"]) else CapName(row["binding_cap"]),
            caps={CapName(name): int(amount) for name, amount in json.loads(row["caps"]).items()},
            reasons=tuple(row["reasons"]),
            due_on=None if pd.isna(row["due_on"]) else row["due_on"],
            policy=row["policy"],
            policy_version=row["policy_version"],
        )
    except (AgrocreditError, ValueError, AttributeError) as error:
        raise InputUnusableError("decision_invalid", f"decisions: farmer {row['farmer_id']}: {error}") from error
