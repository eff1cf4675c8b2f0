"""Plots beyond doubt: rings that keep every rule by so wide a margin that nothing exact need be worked out.

Of a lender's fields nearly all are far from every limit. They are told apart by column, with areas good to one per
cent; the others, and all that are refused, go the exact way. The two ways may differ in cost only: whatever passes here
passes there and gets the same bytes (tested against each other).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import shapely

from agrocredit.domain.plot import AREA_MAX_M2, AREA_MIN_M2, MEAN_WIDTH_MIN_M, VERTICES_MAX
from agrocredit.store.plot_rings import normal_wkb

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray
    from pyproj import Geod

    from agrocredit.store.plot_rings import Rings

_EXTENT_MAX_DEG = 0.1
_LAT_MAX_DEG = 80.0
"""Up to here and for so small an extent, taking the plot for flat is right to one per cent: cos(lat) changes by 0.5 %
from the middle to the edge."""
_MARGIN = 1.05
_TURN_MIN = 1e-9
"""Of the box around a plot: far above what rounding can do to a turn, so that no sign is in doubt."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlainPlots:
    """Those of some rings that are plots beyond doubt."""

    found: NDArray[np.bool_]
    """(rings,)"""
    wkb: pa.LargeBinaryArray
    """Of the found, in `plot_geometry.normal_form`."""


def plain_plots(rings: Rings, *, among: NDArray[np.bool_]) -> PlainPlots:
    """Return the rings that are plots beyond doubt: such as `refuse_geometries` and the size rules of `Plot` keep.

    Parameters
    ----------
    rings : Rings
        Longitude and latitude in degrees (EPSG:4326), as a file has them.
    among : ndarray of bool, shape (rings,)
        The rings to look at.
    """
    formed = among & _well_formed(rings)
    few = rings.only(formed)
    area_m2, perimeter_m = flat_size(few)
    sound = _is_amply_sized(np.abs(area_m2), perimeter_m)
    unsure = sound & ~runs_around_once(few)
    sound[unsure] = shapely.is_valid(few.only(unsure).polygons())
    wkb = normal_wkb(few.only(sound), is_clockwise=area_m2[sound] < 0)
    formed[formed] = sound
    return PlainPlots(found=formed, wkb=wkb)


def flat_size(rings: Rings) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return areas in m2, negative where a ring runs clockwise, and perimeters in m, as if the plots were flat.

    Parameters
    ----------
    rings : Rings
        Finite. One per cent off at most where extents are under 0.1 degrees and latitudes under 80.
    """
    metres_per_lon, metres_per_lat = _metres_per_degree(rings.lat.mean(0))
    x, y = (rings.lon - rings.lon[0]) * metres_per_lon, (rings.lat - rings.lat[0]) * metres_per_lat
    areas_m2: NDArray[np.float64] = (x[:-1] * y[1:] - x[1:] * y[:-1]).sum(0) / 2
    perimeters_m: NDArray[np.float64] = np.hypot(np.diff(x, axis=0), np.diff(y, axis=0)).sum(0)
    return areas_m2, perimeters_m


def runs_around_once(rings: Rings) -> NDArray[np.bool_]:
    """Return which rings, seen from the mean of their points, run once around and never back; such rings are valid.

    Most fields are so, and this costs a tenth of asking GEOS. It says nothing about the others.

    Parameters
    ----------
    rings : Rings
        Finite.
    """
    x, y = rings.lon - rings.lon[:-1].mean(0), rings.lat - rings.lat[:-1].mean(0)
    turn = x[:-1] * y[1:] - x[1:] * y[:-1]
    clearly = _TURN_MIN * np.abs(x).max(0) * np.abs(y).max(0)
    one_way = (turn > clearly).all(0) | (turn < -clearly).all(0)
    # No step is half a turn, so each time around comes up from below exactly once, or goes down.
    times_around = np.where(turn[0] > 0, (y[:-1] < 0) & (y[1:] >= 0), (y[:-1] >= 0) & (y[1:] < 0)).sum(0)
    found: NDArray[np.bool_] = one_way & (times_around == 1)
    return found


@cache
def _wgs84() -> Geod:
    from pyproj import Geod

    return Geod(ellps="WGS84")


def _metres_per_degree(lat_deg: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the radii of curvature across and along the meridian, a degree."""
    geod, lat = _wgs84(), np.radians(lat_deg)
    w2 = 1 - geod.es * np.sin(lat) ** 2
    return np.radians(geod.a / np.sqrt(w2) * np.cos(lat)), np.radians(geod.a * (1 - geod.es) / w2**1.5)


def _well_formed(rings: Rings) -> NDArray[np.bool_]:
    """Return which rings are small, within degrees, of few points and without a point repeated in a row."""
    if rings.lon.shape[0] - 1 > VERTICES_MAX:
        return np.zeros(rings.rows.size, dtype=bool)
    west, south, east, north = rings.bounds.T
    with np.errstate(invalid="ignore"):  # infinite less infinite; no comparison with NaN is true
        small = (east - west < _EXTENT_MAX_DEG) & (north - south < _EXTENT_MAX_DEG)
        placed = (west >= -180) & (east <= 180) & (south > -_LAT_MAX_DEG) & (north < _LAT_MAX_DEG)
    stands = (rings.lon[1:] == rings.lon[:-1]) & (rings.lat[1:] == rings.lat[:-1])
    found: NDArray[np.bool_] = small & placed & ~stands.any(0)
    return found


def _is_amply_sized(area_m2: NDArray[np.float64], perimeter_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (
        (area_m2 > AREA_MIN_M2 * _MARGIN)
        & (area_m2 < AREA_MAX_M2 / _MARGIN)
        & (2 * area_m2 > MEAN_WIDTH_MIN_M * _MARGIN * perimeter_m)
    )
    return found
