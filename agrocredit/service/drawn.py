"""From a request's shape to a geometry: GeoJSON as drawn, or the positions of a walk around the field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agrocredit.domain.errors import RefusedError
from agrocredit.domain.plot import Plot
from agrocredit.service.problems import Problem
from agrocredit.store.plot_drawn import drawn_plot
from agrocredit.store.plot_geojson import feature_geometry

if TYPE_CHECKING:
    from collections.abc import Sequence

TRACK_GAP_MAX_M = 30.0
"""A walk may end so far from where it began: about three times the error of a phone's position under trees."""


def plot_of(geometry: Any, *, plot_id: str, field: str, **facts: Any) -> Plot:  # noqa: ANN401 - JSON
    """Return the plot of a GeoJSON geometry.

    Parameters
    ----------
    geometry : object
        Parsed JSON, longitude and latitude in degrees.
    plot_id : str
    field : str
        JSON pointer of the geometry, for problems.
    **facts
        Further fields of `agrocredit.domain.plot.Plot`.

    Raises
    ------
    Problem
        With the codes of `agrocredit.store.plot_drawn`. Nothing is ever repaired.
    """
    if isinstance(geometry, dict) and "crs" in geometry:
        raise Problem("crs_unsupported", "a crs member, expected WGS 84 without one (RFC 7946)", field=f"{field}/crs")
    try:
        shape = feature_geometry({"type": "Feature", "properties": {}, "geometry": geometry})
        drawn = drawn_plot(shape, plot_id=plot_id)
        return Plot(id=plot_id, geometry=drawn.geometry, area_m2=drawn.area_m2, perimeter_m=drawn.perimeter_m, **facts)
    except RefusedError as error:
        raise Problem(error.code, error.detail, field=field) from None


def ring_of_track(track: Sequence[Any]) -> dict[str, Any]:
    """Return the GeoJSON polygon that a walk around a field encloses.

    Parameters
    ----------
    track : sequence of [longitude, latitude]
        Degrees, in the order walked; the last position need not be the first one again.

    Raises
    ------
    Problem
        ``geometry_invalid`` if the walk ends too far from where it began: the missing side would be invented.
    """
    if track and track[0] != track[-1]:
        gap_m = _distance_m(track[0], track[-1])
        if gap_m > TRACK_GAP_MAX_M:
            detail = f"the walk ends {gap_m:.0f} m from where it began, expected {TRACK_GAP_MAX_M:.0f} m or less"
            raise Problem("geometry_invalid", detail, field="/track")
        track = [*track, track[0]]
    return {"type": "Polygon", "coordinates": [list(track)]}


def _distance_m(first: Any, last: Any) -> float:  # noqa: ANN401 - JSON; points that are none are refused later, by name
    from pyproj import Geod

    points = [point for point in (first, last) if isinstance(point, list) and len(point) >= 2]
    numbers = [value for point in points for value in point[:2] if type(value) in (int, float)]
    if len(numbers) < 4 or not all(abs(value) <= 180 for value in numbers):
        return 0.0
    _, _, distance_m = Geod(ellps="WGS84").inv(*numbers)
    return float(distance_m)
