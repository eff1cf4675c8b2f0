"""Plots and holdings. A plot carries no person; who farms it, and with what share, is a holding."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from agrocredit.domain.errors import RefusedError

if TYPE_CHECKING:
    from pyproj import Geod
    from shapely import MultiPolygon, Polygon

AREA_MIN_M2 = 100.0
AREA_MAX_M2 = 1e7
VERTICES_MAX = 2_000
MEAN_WIDTH_MIN_M = 2.0


@cache
def _wgs84() -> Geod:
    from pyproj import Geod

    return Geod(ellps="WGS84")


def geodesic_area_perimeter(geometry: Polygon | MultiPolygon) -> tuple[float, float]:
    """Return area in m2 and perimeter in m on the WGS 84 ellipsoid (Karney 2013, doi:10.1007/s00190-012-0578-z).

    Parameters
    ----------
    geometry : Polygon or MultiPolygon
        Longitude and latitude in degrees (EPSG:4326), valid, rings in any direction.
    """
    from shapely import orient_polygons

    area_m2, _ = _wgs84().geometry_area_perimeter(orient_polygons(geometry))
    perimeter_m = _wgs84().geometry_length(geometry.boundary)  # holes have edges too
    return abs(area_m2), perimeter_m


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A field, in fiboa's words. Refuses itself at birth if it cannot be a field."""

    id: str
    geometry: Polygon | MultiPolygon
    """Longitude and latitude, EPSG:4326."""
    area_m2: float
    """Geodesic area."""
    perimeter_m: float
    """Geodesic length of all rings."""
    crop: str | None = None
    farmer_id: str | None = None
    declared_area_m2: float | None = None
    region: str | None = None

    def __post_init__(self) -> None:
        if not self.id:
            raise RefusedError("id_missing", "a plot without an id, expected a non-empty unique id")
        self._check_size()

    def _check_size(self) -> None:
        if self.area_m2 < AREA_MIN_M2:
            raise RefusedError("plot_too_small", f"area {self.area_m2:.1f} m2, expected {AREA_MIN_M2:.0f} m2 or more")
        if self.area_m2 > AREA_MAX_M2:
            raise RefusedError(
                "plot_too_large", f"area {self.area_m2 / 1e6:.2f} km2, expected {AREA_MAX_M2 / 1e6:.0f} km2 or less"
            )
        mean_width_m = 2 * self.area_m2 / self.perimeter_m
        if mean_width_m < MEAN_WIDTH_MIN_M:
            raise RefusedError(
                "plot_too_narrow", f"mean width {mean_width_m:.2f} m, expected {MEAN_WIDTH_MIN_M:.0f} m or more"
            )
        if self.declared_area_m2 is not None and not 0 < self.declared_area_m2 < float("inf"):
            raise RefusedError(
                "declared_area_invalid", f"declared_area_m2 is {self.declared_area_m2}, expected above 0"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A farmer's share in a plot."""

    farmer_id: str
    plot_id: str
    tenure_share: float = 1.0
    """Share of the plot's income that is the farmer's, above 0 to 1."""
    grade: str = "C"
    """Evidence of the right to the plot: A document and verified crop, B verified crop, C drawn only."""
    documented_area_m2: float | None = None
    """Area of the whole plot that a title, lease or register states; None without one."""

    def __post_init__(self) -> None:
        if not 0 < self.tenure_share <= 1:
            raise RefusedError("tenure_share_invalid", f"tenure share {self.tenure_share}, expected above 0 to 1")
        if self.grade not in {"A", "B", "C"}:
            raise RefusedError("grade_invalid", f"evidence grade {self.grade!r}, expected A, B or C")
        if self.documented_area_m2 is not None and not 0 < self.documented_area_m2 < float("inf"):
            found = f"documented_area_m2 is {self.documented_area_m2}"
            raise RefusedError("documented_area_invalid", f"{found}, expected above 0 or none")
