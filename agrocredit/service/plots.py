"""Plots: registered as drawn or walked, refused where they cannot be a field, and read back with what was seen."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from agrocredit.domain.crop_facts import resolve_crop
from agrocredit.domain.estimate import QUANTILE_COLUMNS
from agrocredit.service.drawn import plot_of, ring_of_track
from agrocredit.service.fields import Answer, Body, DeclaredArea, Id, Season, Share, Word
from agrocredit.service.platform import CallerDep, PlatformDep
from agrocredit.service.pledged import refuse_pledged
from agrocredit.service.problems import Problem
from agrocredit.service.strict_route import StrictRoute
from agrocredit.store.plot_geometry import geometry_sha256
from agrocredit.store.sql.events import Event, record
from agrocredit.store.sql.ids import new_id
from agrocredit.store.sql.plot_queries import (
    add_holding,
    ensure_farmer,
    estimates_of,
    holders_of,
    observations_of,
    plot_row,
)
from agrocredit.store.sql.tables import plots

if TYPE_CHECKING:
    from agrocredit.domain.plot import Plot
    from agrocredit.service.caller import Caller
    from agrocredit.service.platform import Platform
    from agrocredit.store.sql.session import Session

router = APIRouter(route_class=StrictRoute, tags=["plots"])


class NewPlot(Body):
    """A plot to register: its shape, either drawn or walked, and who farms it."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["geometry"]}, {"required": ["track"]}]}  # merged with the parent's
    )

    farmer_id: Id
    crop: Word
    season: Season
    tenure_share: Share = 1.0
    """The farmer's share of the plot's income."""
    declared_area_m2: DeclaredArea | None = None
    region_id: Id | None = None
    geometry: Annotated[dict[str, Any] | None, Field(description="GeoJSON Polygon or MultiPolygon, WGS 84 degrees")] = (
        None
    )
    track: Annotated[
        list[Any] | None, Field(description="positions [longitude, latitude] of a walk around the field, degrees")
    ] = None


class Holder(Answer):
    """Who farms it."""

    farmer_id: str
    season: str
    tenure_share: float
    grade: Literal["A", "B", "C"]


class PlotAnswer(Answer):
    """A registered plot."""

    id: str
    farmer_id: str | None
    crop: str | None
    season: str | None
    region_id: str | None
    area_m2: float
    perimeter_m: float
    declared_area_m2: float | None
    determination: Literal["drawn", "walked", "imported"]
    geometry_sha256: str
    holders: list[Holder]


class SeenOnce(Answer):
    """One look at a plot."""

    acquired_at: datetime
    scene_id: str
    valid_fraction: float
    pixel_count: float
    indices: dict[str, float | None]


class Observations(Answer):
    """What was seen of a plot."""

    plot_id: str
    observations: list[SeenOnce]


class EstimateAnswer(Answer):
    """What a plot is expected to bring, or why nobody can say."""

    crop: str
    season: str
    as_of: date
    status: Literal["estimated", "abstained"]
    reason: str | None
    quantiles_t_ha: dict[str, float | None]
    clear_observations: int
    release: str
    evidence_sha256: str


class Estimates(Answer):
    """Estimates of a plot, newest first."""

    plot_id: str
    estimates: list[EstimateAnswer]


@router.post("/v1/plots", status_code=201)
async def register_plot(body: NewPlot, platform: PlatformDep, caller: CallerDep) -> PlotAnswer:
    """Register a plot; one that cannot be a field, or that is pledged already, is refused."""
    return await platform.workers.run(lambda: _register(body, platform, caller))


@router.get("/v1/plots/{plot_id}")
async def read_plot(plot_id: str, platform: PlatformDep, caller: CallerDep) -> PlotAnswer:
    """Read a plot back."""

    def work() -> PlotAnswer:
        with platform.database.read(caller.tenant_id) as session:
            return _visible(session, plot_id, caller)

    return await platform.workers.run(work)


@router.get("/v1/plots/{plot_id}/observations")
async def read_observations(plot_id: str, platform: PlatformDep, caller: CallerDep) -> Observations:
    """Read what was seen of a plot, by time."""

    def work() -> Observations:
        with platform.database.read(caller.tenant_id) as session:
            _visible(session, plot_id, caller)
            seen = [SeenOnce.model_validate(row) for row in observations_of(session, plot_id)]
            return Observations(plot_id=plot_id, observations=seen)

    return await platform.workers.run(work)


@router.get("/v1/plots/{plot_id}/estimate")
async def read_estimate(plot_id: str, platform: PlatformDep, caller: CallerDep) -> Estimates:
    """Read what a plot is expected to bring."""

    def work() -> Estimates:
        with platform.database.read(caller.tenant_id) as session:
            _visible(session, plot_id, caller)
            rows = estimates_of(session, plot_id)
        found = [
            EstimateAnswer.model_validate({**row, "quantiles_t_ha": {name: row[name] for name in QUANTILE_COLUMNS}})
            for row in rows
        ]
        return Estimates(plot_id=plot_id, estimates=found)

    return await platform.workers.run(work)


def _register(body: NewPlot, platform: Platform, caller: Caller) -> PlotAnswer:
    if not caller.owns(body.farmer_id):
        raise Problem("not_found", "no such farmer, expected one of your own", field="/farmer_id")
    plot = _plot(body, platform)
    on = platform.business_on(caller.tenant_id)
    percent_max = platform.settings.overlap_percent_max
    field = "/track" if body.geometry is None else "/geometry"
    refuse_pledged(plot.geometry, database=platform.database, on=on, percent_max=percent_max, field=field)
    determination = "walked" if body.geometry is None else "drawn"
    now = platform.now()
    with platform.database.write(caller.tenant_id) as session:
        ensure_farmer(session, body.farmer_id, region_id=body.region_id, now=now)
        session.add(plots, **plot_row(plot, season=body.season, determination=determination, now=now))
        add_holding(
            session,
            farmer_id=body.farmer_id,
            plot_id=plot.id,
            season=body.season,
            tenure_share=body.tenure_share,
        )
        registered = {"geometry_sha256": geometry_sha256(plot.geometry), "area_m2": plot.area_m2}
        event = Event(kind="plot.registered", subject_id=plot.id, payload=registered)
        record(session, [event], actor=caller.subject, at=now)
        return _visible(session, plot.id, caller)


def _plot(body: NewPlot, platform: Platform) -> Plot:
    """Return the plot of a request, checked."""
    if (body.geometry is None) == (body.track is None):
        raise Problem("field_missing", "expected either a geometry or a track", field="/geometry")
    crop = resolve_crop(body.crop, platform.crops)
    if crop is None:
        raise Problem("crop_unknown", f"found {body.crop!r}, expected one of the crops known here", field="/crop")
    return plot_of(
        body.geometry if body.track is None else ring_of_track(body.track),
        plot_id=new_id("plot"),
        field="/geometry" if body.track is None else "/track",
        crop=crop.name,
        farmer_id=body.farmer_id,
        declared_area_m2=body.declared_area_m2,
        region=body.region_id,
    )


def _visible(session: Session, plot_id: str, caller: Caller) -> PlotAnswer:
    """Return a plot that the caller may see; any other is not there."""
    row = session.found(plots, plot_id)
    holders = holders_of(session, plot_id)
    if not any(caller.owns(farmer_id) for farmer_id in (row["farmer_id"], *(h["farmer_id"] for h in holders))):
        session.found(plots, "")  # the same answer as for an id that is not there
    shown = [Holder.model_validate(holder) for holder in holders if caller.owns(holder["farmer_id"])]
    return PlotAnswer.model_validate({**row, "holders": shown})
