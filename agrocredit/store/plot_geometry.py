"""Which geometries can be plots, in one spelling, and how large they are. Nothing is ever repaired.

A repaired ring can be ten times the field, and repairing costs minutes for a few hundred crossing points; a refusal
that names the point costs microseconds and the farmer can act on it. The cheap checks come first, the vertex count
before validity, so that no file makes the program think for long.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import Geod

from agrocredit.domain.errors import RefusedError
from agrocredit.domain.plot import VERTICES_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_COORDINATE_MAX = 1e8
_LON_MAX_DEG, _LAT_MAX_DEG = 180.0, 90.0
_OVER_POLE_MAX_DEG = 1.0
"""What reaches farther past a pole is larger than any field: its numbers are no degrees."""
_DISTINCT_POINTS_MIN = 3
_REASON = re.compile(r"(?P<what>[^\[]*)\[(?P<lon>\S+) (?P<lat>\S+)\]")


def refuse_geometries(geometries: NDArray[np.object_], faults: dict[int, RefusedError]) -> None:
    """Add to `faults` every geometry that cannot be a plot, with a code and the place.

    Parameters
    ----------
    geometries : ndarray
        (n,) shapely geometries or None, longitude and latitude in degrees.
    faults : dict
        Refusals so far, by index from 0; those are not looked at again.
    """
    for check in (
        _find_kinds,
        _find_empty,
        _find_not_finite,
        _find_outside_degrees,
        _find_vertices,
        _find_wide,
        _find_invalid,
    ):
        rest = np.delete(np.arange(len(geometries)), list(faults))
        if rest.size:
            for at, error in check(geometries[rest]):
                faults.setdefault(int(rest[at]), error)


def normal_form(geometries: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the geometries in one spelling: no repeated points, shells counterclockwise, fixed start, parts in order.

    Parameters
    ----------
    geometries : ndarray
        (n,) valid Polygons and MultiPolygons; ring direction, start, repeated points and order of parts are free.

    Returns
    -------
    ndarray
        (n,) geometries, byte-equal for equal plots; a MultiPolygon of one part is a Polygon. Altitudes are dropped.
    """
    plain = shapely.remove_repeated_points(shapely.force_2d(geometries))
    plain = shapely.transform(plain, lambda points: points + 0.0)  # -0.0 is 0.0
    single = shapely.get_num_geometries(plain) == 1
    plain[single] = shapely.get_geometry(plain[single], 0)
    normal: NDArray[np.object_] = shapely.orient_polygons(shapely.normalize(plain))
    return normal


def geometry_sha256(geometry: shapely.Geometry) -> str:
    """Return the plot hash: SHA-256 of the little-endian WKB of a geometry in `normal_form`."""
    return hashlib.sha256(shapely.to_wkb(geometry, byte_order=1)).hexdigest()


def measure(geometries: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return geodesic areas in m2 and perimeters in m on WGS 84, as `agrocredit.domain.plot.geodesic_area_perimeter`.

    Parameters
    ----------
    geometries : ndarray
        (n,) Polygons and MultiPolygons in `normal_form`: shells counterclockwise count up, holes down.

    Returns
    -------
    areas_m2, perimeters_m : ndarray
        (n,) each; perimeters are of all rings.
    """
    geod = Geod(ellps="WGS84")
    rings, owner = _rings(geometries)
    points = shapely.get_coordinates(rings)
    ends = np.cumsum(shapely.get_num_coordinates(rings))
    measured = np.zeros((len(rings), 2))
    start = 0
    for at, end in enumerate(ends.tolist()):
        measured[at] = geod.polygon_area_perimeter(points[start:end, 0], points[start:end, 1])
        start = end
    totals = np.zeros((len(geometries), 2))
    np.add.at(totals, owner, measured)  # ring after ring, so that the sum has one order
    return totals[:, 0], totals[:, 1]


def _find_kinds(geometries: NDArray[np.object_]) -> Iterator[tuple[int, RefusedError]]:
    kinds = shapely.get_type_id(geometries)
    for at in np.flatnonzero(~np.isin(kinds, _POLYGONS)).tolist():
        if geometries[at] is None:
            yield at, RefusedError("coordinate_invalid", "no geometry, expected a Polygon or MultiPolygon")
        else:
            kind = shapely.GeometryType(kinds[at]).name
            yield at, RefusedError("geometry_invalid", f"geometry is {kind}, expected a Polygon or MultiPolygon")


def _find_empty(geometries: NDArray[np.object_]) -> Iterator[tuple[int, RefusedError]]:
    parts, owner = shapely.get_parts(geometries, return_index=True)
    empty = shapely.is_empty(geometries)
    empty[owner[shapely.is_empty(parts)]] = True
    for at in np.flatnonzero(empty).tolist():
        yield at, RefusedError("coordinate_invalid", "an empty geometry or part, expected coordinates")


def _find_not_finite(geometries: NDArray[np.object_]) -> Iterator[tuple[int, RefusedError]]:
    points, owner = shapely.get_coordinates(geometries, return_index=True)
    wrong = ~(np.abs(points) < _COORDINATE_MAX).all(axis=1)  # false for NaN too
    rows, first = np.unique(owner[wrong], return_index=True)
    for at, point in zip(rows.tolist(), points[wrong][first].tolist(), strict=True):
        yield at, RefusedError("coordinate_invalid", f"point {point}, expected finite numbers")


def _find_outside_degrees(geometries: NDArray[np.object_]) -> Iterator[tuple[int, RefusedError]]:
    west, south, east, north = shapely.bounds(geometries).T
    lon, lat = np.maximum(np.abs(west), np.abs(east)), np.maximum(np.abs(south), np.abs(north))
    over_pole = ((south < _LAT_MAX_DEG) & (north > _LAT_MAX_DEG)) | ((south < -_LAT_MAX_DEG) & (north > -_LAT_MAX_DEG))
    over_pole &= (lat < _LAT_MAX_DEG + _OVER_POLE_MAX_DEG) & (lon <= 2 * _LON_MAX_DEG)
    for at in np.flatnonzero((lon > _LON_MAX_DEG) | (lat > _LAT_MAX_DEG)).tolist():
        box = f"x {west[at]:.6g} to {east[at]:.6g}, y {south[at]:.6g} to {north[at]:.6g}"
        if over_pole[at]:
            hint = "over a pole, unless latitude and longitude are swapped; expected latitudes from -90 to 90"
            yield at, RefusedError("geometry_unsupported", f"{box}: {hint}")
        elif lon[at] <= _LAT_MAX_DEG and lat[at] <= _LON_MAX_DEG:
            hint = "latitude and longitude look swapped: expected longitude first"
            yield at, RefusedError("axis_order_suspected", f"{box}; {hint}")
        elif lon[at] <= 2 * _LON_MAX_DEG and lat[at] <= _LAT_MAX_DEG:
            yield at, RefusedError("geometry_unsupported", f"{box}, expected longitudes from -180 to 180")
        else:
            yield at, RefusedError("crs_unsupported", f"{box} are not degrees, expected longitude, latitude (WGS 84)")


def _find_vertices(geometries: NDArray[np.object_]) -> Iterator[tuple[int, RefusedError]]:
    """Count vertices without repeats, so that walking slowly past a post does not matter."""
    rings, owner = _rings(geometries)
    points, ring_of = shapely.get_coordinates(rings, return_index=True)
    moves = (points[1:] != points[:-1]).any(axis=1) & (ring_of[1:] == ring_of[:-1])
    distinct = np.bincount(ring_of[1:][moves], minlength=len(rings))
    vertices = np.bincount(owner, weights=distinct, minlength=len(geometries))
    for at in np.flatnonzero(vertices > VERTICES_MAX).tolist():
        detail = f"{vertices[at]:.0f} vertices, expected {VERTICES_MAX} or fewer"
        yield at, RefusedError("geometry_too_complex", detail)
    for ring in np.flatnonzero(distinct < _DISTINCT_POINTS_MIN).tolist():
        lon, lat = points[np.searchsorted(ring_of, ring)]
        detail = f"a ring of {distinct[ring]} distinct points at longitude {lon}, latitude {lat}, expected 3 or more"
        yield int(owner[ring]), RefusedError("geometry_invalid", detail)


def _find_wide(geometries: NDArray[np.object_]) -> Iterator[tuple[int, RefusedError]]:
    west, _, east, _ = shapely.bounds(geometries).T
    for at in np.flatnonzero(east - west > _LON_MAX_DEG).tolist():
        detail = f"{east[at] - west[at]:.1f} degrees wide, over the antimeridian or a pole; expected under 180"
        yield at, RefusedError("geometry_unsupported", detail)


def _find_invalid(geometries: NDArray[np.object_]) -> Iterator[tuple[int, RefusedError]]:
    for at in np.flatnonzero(~shapely.is_valid(geometries)).tolist():
        reason = shapely.is_valid_reason(geometries[at])
        place = _REASON.fullmatch(reason)
        if place is not None:
            reason = f"{place['what']} at longitude {place['lon']}, latitude {place['lat']}"
        yield at, RefusedError("geometry_invalid", reason)


def _rings(geometries: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Return all rings and the index of the geometry that each belongs to."""
    parts, part_owner = shapely.get_parts(geometries, return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    return rings, part_owner[ring_part]
