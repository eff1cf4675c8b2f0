"""From rows to what `agrocredit.credit` decides on: a farmer's plots, shares and newest estimates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import shapely

from agrocredit.domain.estimate import QUANTILE_COLUMNS
from agrocredit.store.sql.decision_queries import owed_minor
from agrocredit.store.sql.plot_queries import farmed_plots, newest_estimates

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from agrocredit.store.sql.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that one decision rests on beside the policy."""

    farmer_id: str
    as_of: date
    """Nothing known later counts."""
    plots: tuple[Mapping[str, Any], ...]
    """Rows of the plots that the farmer holds in the season, with share and grade."""
    estimates: tuple[Mapping[str, Any], ...]
    """Newest row a plot and crop."""
    owed_minor: int | None
    """Owed to this lender; None where there never was a loan."""

    @property
    def missing(self) -> tuple[Mapping[str, Any], ...]:
        """Plots that nobody has estimated."""
        known = {row["plot_id"] for row in self.estimates}
        return tuple(plot for plot in self.plots if plot["id"] not in known)

    def rows(self, *, currency: str) -> dict[str, Any]:
        """Return the rows of `agrocredit.credit.assess_rows`."""
        finances = None
        if self.owed_minor is not None:
            # What is owed here is due with this harvest; what is owed elsewhere this lender does not know.
            finances = {
                "farmer_id": self.farmer_id,
                "currency": currency,
                "off_farm_income_minor": 0,
                "existing_debt_service_minor": self.owed_minor,
                "outstanding_minor": self.owed_minor,
            }
        return {
            "estimates": self.estimates,
            "plots": [_plot(row) for row in self.plots],
            "holdings": [_holding(self.farmer_id, row) for row in self.plots],
            "finances": finances,
        }


def evidence_of(session: Session, farmer_id: str, *, season: str, currency: str, as_of: date) -> Evidence:
    """Return what is known of a farmer's season on a day.

    Parameters
    ----------
    session : Session
    farmer_id, season : str
    currency : str
        Of the policy.
    as_of : date
        Nothing known later counts.
    """
    plots = farmed_plots(session, farmer_id, season=season)
    estimates = newest_estimates(session, [row["id"] for row in plots], season=season, as_of=as_of)
    return Evidence(
        farmer_id=farmer_id,
        as_of=as_of,
        plots=tuple(map(dict, plots)),
        estimates=tuple(estimates),
        owed_minor=owed_minor(session, farmer_id, currency=currency),
    )


def _plot(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "plot_id": row["id"],
        "area_m2": row["area_m2"],
        "declared_area_m2": row["declared_area_m2"],
        "farmer_id": row["farmer_id"],
        "latitude_deg": shapely.from_wkb(row["wkb"]).representative_point().y,
    }


def _holding(farmer_id: str, row: Mapping[str, Any]) -> dict[str, Any]:
    stated = {name: row[name] for name in ("tenure_share", "grade", "documented_area_m2")}
    return {"farmer_id": farmer_id, "plot_id": row["id"], **stated}


def estimate_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of `agrocredit.domain.tables.ESTIMATES` as it stands in its SQL table."""
    names = ("plot_id", "crop", "harvest_year", "as_of", "season", "status", "reason", *QUANTILE_COLUMNS)
    return {name: row[name] for name in (*names, "clear_observations", "release", "evidence_sha256")}
