"""Whether land is pledged already, to anyone: one answer, and never to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from agrocredit.domain.loan import LoanStatus
from agrocredit.service.problems import Problem
from agrocredit.store.plot_geometry import measure, normal_form
from agrocredit.store.sql.loans import loans_of_farmer
from agrocredit.store.sql.pledge_queries import add_pledges, lock_pledges, pledged_shapes, release_pledges
from agrocredit.store.sql.tables import plots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from agrocredit.domain.loan import Loan
    from agrocredit.service.lending import Stamp
    from agrocredit.service.platform import Platform
    from agrocredit.store.sql.database import Database
    from agrocredit.store.sql.session import Session

_PERCENT = 100


def refuse_pledged(
    geometry: shapely.Geometry,
    *,
    database: Database,
    on: date,
    percent_max: int,
    field: str | None = None,
    but_not_of: tuple[str, str] | None = None,
) -> None:
    """Raise ``plot_already_pledged`` if more of a plot than allowed lies in land pledged on a day.

    Pledges of all lenders count, and their union: slivers of many add up.

    Parameters
    ----------
    geometry : shapely geometry
        Longitude and latitude in degrees.
    database : Database
    on : date
    percent_max : int
        Of the plot, or of a smaller pledged plot inside it.
    field : str, optional
        For the problem.
    but_not_of : tenant and farmer, optional
        Whose own pledges do not count.
    """
    with database.oversee(read_only=True) as connection:
        shapes = pledged_shapes(connection, geometry.bounds, on=on, but_not_of=but_not_of)
    if overlap_share(geometry, shapes) * _PERCENT > percent_max:
        detail = f"more than {percent_max} % of the plot is pledged for a loan already"
        raise Problem("plot_already_pledged", detail, field=field)


def overlap_share(geometry: shapely.Geometry, pledged: Sequence[shapely.Geometry]) -> float:
    """Return the share of a plot that lies in pledged land, or of a pledged plot that lies in it; the larger one.

    Areas are geodesic. The second share keeps a plot drawn around a pledged one from passing for its size.

    Parameters
    ----------
    geometry : shapely geometry
    pledged : sequence of shapely geometries
        Valid, may overlap each other.
    """
    touching = [shape for shape in pledged if geometry.intersects(shape)]
    if not touching:
        return 0.0
    own_m2 = _area_m2(geometry)
    shares = [_area_m2(geometry.intersection(shapely.union_all(touching))) / own_m2]
    for shape in touching:
        smaller_m2 = min(own_m2, _area_m2(shape))
        shares.append(_area_m2(geometry.intersection(shape)) / smaller_m2)
    return max(shares)


def pledge_plots(
    session: Session,
    shares: Mapping[str, float],
    *,
    farmer_id: str,
    season: str,
    until: date,
    stamp: Stamp,
    platform: Platform,
) -> None:
    """Pledge plots for a loan; of two lenders at the same instant one is refused.

    Parameters
    ----------
    session : Session
        Writes; holds the lock on all pledging until its transaction ends.
    shares : mapping of plot id to share
    farmer_id, season : str
    until : date
        First day on which the pledge no longer holds, whatever happens.
    stamp : Stamp
    platform : Platform
    """
    lock_pledges(session)
    for plot_id in shares:
        plot = session.found(plots, plot_id)
        refuse_pledged(
            shapely.from_wkb(plot["wkb"]),
            database=platform.database,
            on=stamp.on,
            percent_max=platform.settings.overlap_percent_max,
            but_not_of=(session.tenant_id, farmer_id),
        )
    release_pledges(session, farmer_id, season=season, at=stamp.at)
    add_pledges(session, shares, farmer_id=farmer_id, season=season, valid_from_on=stamp.on, valid_until_on=until)


def release_when_closed(session: Session, loan: Loan, *, at: datetime) -> None:
    """Release a farmer's plots once none of their loans is open."""
    ended = (LoanStatus.CLOSED, LoanStatus.WRITTEN_OFF)
    if loan.status in ended and all(one.status in ended for one in loans_of_farmer(session, loan.farmer_id)):
        release_pledges(session, loan.farmer_id, season=None, at=at)


def _area_m2(geometry: shapely.Geometry) -> float:
    parts = [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon" and not part.is_empty]
    parts = [inner for part in parts for inner in shapely.get_parts(part)]
    if not parts:
        return 0.0
    areas_m2, _ = measure(normal_form(np.array(parts, dtype=object)))
    return float(areas_m2.sum())
