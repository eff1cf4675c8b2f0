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
    bounds: NDArray[np.float64]
    """Of the found: west, south, east, north in degrees; (found, 4)."""
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
    bounds = rings.bounds
    found = among & _well_formed(rings, bounds)
    few = rings.only(found)
    seen = SeenRings.of(few)
    area_m2, perimeter_m = seen.flat_size()
    sound = _is_amply_sized(np.abs(area_m2), perimeter_m)
    unsure = sound & ~seen.run_around_once()
    if unsure.any():
        sound[unsure] = shapely.is_valid(few.only(unsure).polygons())
    wkb = normal_wkb(few.only(sound), is_clockwise=area_m2[sound] < 0)
    found[found] = sound
    return PlainPlots(found=found, bounds=bounds[found], wkb=wkb)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeenRings:
    """Finite rings seen from the mean of their points."""

    lat: NDArray[np.float64]
    """Of the mean, in degrees; (rings,)."""
    x: NDArray[np.float64]
    """Degrees east of the mean; (points, rings)."""
    y: NDArray[np.float64]
    """Degrees north of the mean; (points, rings)."""
    turn: NDArray[np.float64]
    """Twice the area that each step passes over, above 0 counterclockwise; (points - 1, rings)."""

    @classmethod
    def of(cls, rings: Rings) -> SeenRings:
        """Return rings as seen from the mean of their points."""
        lat = rings.lat[:-1].mean(0)
        x, y = rings.lon - rings.lon[:-1].mean(0), rings.lat - lat
        return cls(lat=lat, x=x, y=y, turn=x[:-1] * y[1:] - x[1:] * y[:-1])

    def flat_size(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return areas in m2, negative where a ring runs clockwise, and perimeters in m, as if the plots were flat.

        One per cent off at most where extents are under 0.1 degrees and latitudes under 80.
        """
        metres_per_lon, metres_per_lat = _metres_per_degree(self.lat)
        areas_m2 = self.turn.sum(0) * (metres_per_lon * metres_per_lat / 2)
        east_m, north_m = np.diff(self.x, axis=0) * metres_per_lon, np.diff(self.y, axis=0) * metres_per_lat
        return areas_m2, np.sqrt(east_m * east_m + north_m * north_m).sum(0)

    def run_around_once(self) -> NDArray[np.bool_]:
        """Return which rings run once around and never back; such rings are valid.

        Most fields are so, and this costs a tenth of asking GEOS. It says nothing about the others.
        """
        clearly = _TURN_MIN * np.abs(self.x).max(0) * np.abs(self.y).max(0)
        one_way = (self.turn.min(0) > clearly) | (self.turn.max(0) < -clearly)
        # No step is half a turn, so each time around passes from below to above once, and once back.
        below = self.y < 0
        found: NDArray[np.bool_] = one_way & ((below[1:] != below[:-1]).sum(0, dtype=np.int16) == 2)
        return found


@cache
def _wgs84() -> Geod:
    from pyproj import Geod

    return Geod(ellps="WGS84")


def _metres_per_degree(lat_deg: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the radii of curvature across and along the meridian, a degree."""
    geod, lat = _wgs84(), np.radians(lat_deg)
    w2 = 1 - geod.es * np.sin(lat) ** 2
    return np.radians(geod.a / np.sqrt(w2) * np.cos(lat)), np.radians(geod.a * (1 - geod.es) / (w2 * np.sqrt(w2)))


def _well_formed(rings: Rings, bounds: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which rings are small, within degrees, of few points and without a point repeated in a row."""
    if rings.lon.shape[0] - 1 > VERTICES_MAX:
        return np.zeros(rings.rows.size, dtype=bool)
    west, south, east, north = bounds.T
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
