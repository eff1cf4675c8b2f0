"""The pixel grid of a raster: what the scene side and the zonal side agree on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from agrocredit.domain.errors import RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A north-up grid of square pixels in a projected CRS measured in metres."""

    crs: str
    """``EPSG:32632`` or, where there is no code, WKT2."""
    x0: float
    """Easting of the upper left corner, m."""
    y0: float
    """Northing of the upper left corner, m; rows run down."""
    resolution_m: float
    height: int
    """Rows."""
    width: int
    """Columns."""

    def __post_init__(self) -> None:
        if not self.resolution_m > 0 or self.height < 1 or self.width < 1:
            raise RefusedError(
                "grid_mismatch",
                f"{self.height} x {self.width} pixels of {self.resolution_m} m, expected above 0",
            )

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in m."""
        return (
            self.x0,
            self.y0 - self.height * self.resolution_m,
            self.x0 + self.width * self.resolution_m,
            self.y0,
        )

    @property
    def key(self) -> str:
        """Short content hash: equal grids have equal keys on every machine."""
        text = f"{self.crs}|{self.x0!r}|{self.y0!r}|{self.resolution_m!r}|{self.height}|{self.width}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def factor_of(self, coarse: Grid) -> int:
        """Return how many pixels of this grid lie along one of `coarse`, which must share its corner and CRS.

        Raises
        ------
        RefusedError
            ``grid_mismatch`` where the two grids do not nest.
        """
        factor = round(coarse.resolution_m / self.resolution_m)
        nests = (
            coarse.crs == self.crs
            and factor >= 1
            and abs(coarse.resolution_m - factor * self.resolution_m) < 1e-6
            and abs(coarse.x0 - self.x0) < 1e-3
            and abs(coarse.y0 - self.y0) < 1e-3
            and coarse.height == -(-self.height // factor)
            and coarse.width == -(-self.width // factor)
        )
        if not nests:
            raise RefusedError("grid_mismatch", f"{coarse} does not nest in {self}")
        return factor
