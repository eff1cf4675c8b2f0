"""From longitude and latitude to a flat map in metres, and on to the whole numbers of a drawing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from agrocredit.report.nice_numbers import step_at_most

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTH_UNITS = 100_000
"""Drawing units across the map: over 50 km one unit is half a metre, so whole numbers suffice."""
MARGIN = 0.03
"""Free border, as a share of the map."""
ASPECT_MIN, ASPECT_MAX = 0.45, 0.8
"""Height over width of the map; flatter or taller runs get free space instead of a strip."""
EXTENT_MIN_M = 200.0
"""A map shows at least this much, so that one small plot does not fill it."""
# Semi-axes of the WGS 84 ellipsoid (NGA standard 0036).
_MAJOR_M, _FLATTENING = 6_378_137.0, 1 / 298.257223563


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """An equirectangular map around one latitude, north up.

    True in both directions along its middle latitude; 100 km away from it east-west lengths are off by a few per cent,
    which a picture can bear. Areas and limits never come from here.
    """

    longitude_deg: float
    """Longitude of the left edge's reference; outlines are unrolled around it."""
    latitude_deg: float
    """Middle latitude, where the scale is true."""
    left_m: float
    top_m: float
    width_m: float
    height_m: float

    @property
    def height_units(self) -> int:
        """Height of the drawing; its width is `WIDTH_UNITS`."""
        return round(WIDTH_UNITS * self.height_m / self.width_m)

    @property
    def scale_bar_m(self) -> float:
        """A round length of at most a fifth of the map's width."""
        return step_at_most(self.width_m / 5)

    def drawn(self, outlines_deg: NDArray[np.object_]) -> NDArray[np.object_]:
        """Return outlines in drawing units, y down."""
        units_per_m = WIDTH_UNITS / self.width_m

        def place(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
            metres = _metres(lonlat, self.longitude_deg, self.latitude_deg)
            return (metres - [self.left_m, self.top_m]) * [units_per_m, -units_per_m]

        return np.asarray(shapely.transform(outlines_deg, place), dtype=object)


def plane_around(outlines_deg: NDArray[np.object_]) -> Plane:
    """Return the map that shows all outlines with a margin.

    Parameters
    ----------
    outlines_deg : array of Polygon or MultiPolygon
        Longitude and latitude; at least one.
    """
    points = shapely.get_coordinates(outlines_deg)
    longitude_deg = float(points[0, 0])
    latitude_deg = float((points[:, 1].min() + points[:, 1].max()) / 2)
    metres = _metres(points, longitude_deg, latitude_deg)
    low, high = metres.min(axis=0), metres.max(axis=0)
    middle = (low + high) / 2
    span_x, span_y = np.maximum((high - low) * (1 + 2 * MARGIN), EXTENT_MIN_M).tolist()
    width_m = max(span_x, span_y / ASPECT_MAX)
    height_m = max(span_y, width_m * ASPECT_MIN)
    return Plane(
        longitude_deg=longitude_deg,
        latitude_deg=latitude_deg,
        left_m=float(middle[0] - width_m / 2),
        top_m=float(middle[1] + height_m / 2),
        width_m=width_m,
        height_m=height_m,
    )


def _metres(lonlat: NDArray[np.float64], longitude_deg: float, latitude_deg: float) -> NDArray[np.float64]:
    """Return metres east and north of the reference, with the ellipsoid's radii of curvature at its latitude."""
    phi = math.radians(latitude_deg)
    squared = _FLATTENING * (2 - _FLATTENING)
    curve = 1 - squared * math.sin(phi) ** 2
    east_m = _MAJOR_M / math.sqrt(curve) * math.cos(phi)
    north_m = _MAJOR_M * (1 - squared) / curve**1.5
    # A run on both sides of the date line: the shorter way around.
    unrolled = (lonlat[:, 0] - longitude_deg + 180.0) % 360.0 - 180.0
    return np.column_stack([np.radians(unrolled) * east_m, np.radians(lonlat[:, 1] - latitude_deg) * north_m])
