"""Plots and who farms them: what a lender registered, what was seen of it, and which land is pledged to anyone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import shapely
from sqlalchemy import bindparam

from agrocredit.store.plot_geometry import geometry_sha256
from agrocredit.store.sql.session import prepared
from agrocredit.store.sql.tables import estimates, farmers, holdings, observations, plots

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from sqlalchemy import RowMapping

    from agrocredit.domain.plot import Plot
    from agrocredit.store.sql.session import Session

_FARMED = (
    prepared(plots, plots, holdings.c.tenure_share, holdings.c.grade, holdings.c.documented_area_m2)
    .join(holdings, (holdings.c.tenant_id == plots.c.tenant_id) & (holdings.c.plot_id == plots.c.id))
    .where(holdings.c.farmer_id == bindparam("of_farmer"), holdings.c.season == bindparam("in_season"))
    .order_by(plots.c.id)
)
_KNOWN_ESTIMATES = (
    prepared(estimates)
    .where(
        estimates.c.plot_id.in_(bindparam("plot_ids", expanding=True)),
        estimates.c.season == bindparam("in_season"),
        estimates.c.as_of <= bindparam("until"),
    )
    .order_by(estimates.c.plot_id, estimates.c.crop, estimates.c.as_of)
)
_KNOWN_FARMERS = prepared(farmers, farmers.c.id).where(farmers.c.id.in_(bindparam("farmer_ids", expanding=True)))


def ensure_farmer(session: Session, farmer_id: str, *, region_id: str | None, now: datetime) -> None:
    """Add a farmer who is not there yet; one who is keeps their row."""
    session.add_unless_there(farmers, id=farmer_id, region_id=region_id, created_at=now)


def has_farmer(session: Session, farmer_id: str) -> bool:
    """Say whether this lender knows a farmer."""
    return session.row(session.select(farmers, farmers.c.id).where(farmers.c.id == farmer_id)) is not None


def known_farmers(session: Session, farmer_ids: Sequence[str]) -> set[str]:
    """Return those of the ids that are farmers of this lender."""
    return {row["id"] for row in session.ask(_KNOWN_FARMERS, farmer_ids=list(farmer_ids))}


def plot_row(plot: Plot, *, season: str | None, determination: str, now: datetime) -> dict[str, Any]:
    """Return a plot as it stands in its table; its geometry is in one spelling already."""
    west, south, east, north = plot.geometry.bounds
    return {
        "id": plot.id,
        "farmer_id": plot.farmer_id,
        "wkb": shapely.to_wkb(plot.geometry, byte_order=1),
        "geometry_sha256": geometry_sha256(plot.geometry),
        "west": west,
        "south": south,
        "east": east,
        "north": north,
        "area_m2": plot.area_m2,
        "perimeter_m": plot.perimeter_m,
        "declared_area_m2": plot.declared_area_m2,
        "crop": plot.crop,
        "season": season,
        "region_id": plot.region,
        "determination": determination,
        "created_at": now,
    }


def add_holding(session: Session, *, farmer_id: str, plot_id: str, season: str, tenure_share: float) -> None:
    """Add a farmer's share in a plot for a season, drawn only (grade C)."""
    session.add(holdings, farmer_id=farmer_id, plot_id=plot_id, season=season, tenure_share=tenure_share, grade="C")


def holders_of(session: Session, plot_id: str) -> list[RowMapping]:
    """Return the holdings of a plot by season and farmer."""
    query = session.select(holdings).where(holdings.c.plot_id == plot_id)
    return session.rows(query.order_by(holdings.c.season, holdings.c.farmer_id))


def farmed_plots(session: Session, farmer_id: str, *, season: str) -> list[RowMapping]:
    """Return the plots that a farmer holds in a season, each with its share and grade, by plot."""
    return session.ask(_FARMED, of_farmer=farmer_id, in_season=season)


def newest_estimates(session: Session, plot_ids: Sequence[str], *, season: str, as_of: date) -> list[dict[str, Any]]:
    """Return the newest estimate known on a day, a plot and crop, by plot and crop."""
    known = session.ask(_KNOWN_ESTIMATES, plot_ids=list(plot_ids), in_season=season, until=as_of)
    newest = {(row["plot_id"], row["crop"]): dict(row) for row in known}
    return list(newest.values())


def estimates_of(session: Session, plot_id: str) -> list[RowMapping]:
    """Return all estimates of a plot, newest first."""
    query = session.select(estimates).where(estimates.c.plot_id == plot_id)
    return session.rows(query.order_by(estimates.c.as_of.desc(), estimates.c.crop))


def observations_of(session: Session, plot_id: str) -> list[dict[str, Any]]:
    """Return what was seen of a plot, by time, the indices as a mapping."""
    query = session.select(observations).where(observations.c.plot_id == plot_id)
    rows = session.rows(query.order_by(observations.c.acquired_at, observations.c.scene_id))
    return [{**row, "indices": json.loads(row["indices"])} for row in rows]
