"""Degrees to metres on a grid, for millions of points: a polynomial fitted to PROJ's answers and checked against them.

Over the hundred kilometres of a tile a projection is smooth: in a few dozen terms a polynomial says what PROJ says, to
a few nanometres, in a sixth of the time. PROJ itself answers outside the fitted box, and everywhere where the check
fails (``docs/decisions/0023-projecting-by-polynomial.md``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from pyproj import Transformer

    from agrocredit.domain.grid import Grid

    Floats = NDArray[np.float64]
    Projecting = Callable[[Floats, Floats], tuple[Floats, Floats]]

TOLERANCE_M = 2e-8
"""Largest difference to PROJ: half a unit of a coverage weight, which is 2**-28 of a pixel of 10 m."""
REACH_M = 1_000.0
"""How far beyond the grid the box goes: plots hang over the edge. What reaches further is left to PROJ."""
POINTS_MIN = 50_000
"""Fewer points are projected by PROJ sooner than a polynomial is fitted."""
_DEGREES = range(4, 10)
"""Total degrees tried: 5 serves a quarter of a tile, 6 most tiles, 8 those at 83 degrees north."""
_NODES = 12
_CHECKED = 37
"""Points along each side of the box at which PROJ is asked for the fit and for the check, edges and corners too."""
_CHUNK = 16_384
"""Points at a time: their arrays stay in the second-level cache."""


def projection_onto(grid: Grid, *, n_points: int) -> Projecting:
    """Return what turns longitudes and latitudes in degrees into eastings and northings of a grid in m.

    Parameters
    ----------
    grid : Grid
    n_points : int
        How many there will be about: few are not worth a polynomial.
    """
    from pyproj import Transformer

    exact = Transformer.from_crs("EPSG:4326", grid.crs, always_xy=True)
    fitted = GridProjection.fit(grid, exact) if n_points >= POINTS_MIN else None
    return fitted or exact.transform


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GridProjection:
    """Longitude and latitude to metres by a polynomial inside a box, by PROJ outside."""

    exact: Projecting
    middle_deg: Floats
    """Longitude and latitude of the middle of the box; (2,)."""
    half_deg: Floats
    """Half its sides; (2,)."""
    terms: Floats
    """Metres by powers of longitude and latitude, each from -1 to 1 over the box; (degree + 1, degree + 1, 2)."""

    @classmethod
    def fit(cls, grid: Grid, to_metres: Transformer) -> Self | None:
        """Return the polynomial of lowest degree that agrees with PROJ over a grid's box; None where none does.

        Parameters
        ----------
        grid : Grid
        to_metres : pyproj.Transformer
            From longitude and latitude in degrees to the grid's CRS.
        """
        west, south, east, north = _box_deg(grid, to_metres)
        middle = np.array([(west + east) / 2, (south + north) / 2])
        half = np.array([(east - west) / 2, (north - south) / 2])
        if not (np.isfinite(middle).all() and (half > 0).all()):
            return None  # beyond the projection, or across the antimeridian

        def asked(along: Floats) -> tuple[Floats, Floats]:
            at = np.stack(np.meshgrid(along, along, indexing="ij")).reshape(2, -1)
            return at, np.stack(to_metres.transform(*(middle[:, None] + half[:, None] * at)))

        _, fitted_to = asked(_chebyshev()[:, 1])
        at, checked = asked(np.linspace(-1, 1, _CHECKED))
        for terms in _fits(fitted_to) if np.isfinite(fitted_to).all() else ():
            if np.abs(_values(terms, *at) - checked).max() <= TOLERANCE_M:
                return cls(exact=to_metres.transform, middle_deg=middle, half_deg=half, terms=terms)
        return None

    def __call__(self, lon_deg: Floats, lat_deg: Floats) -> tuple[Floats, Floats]:
        """Return eastings and northings, m; (points,) each."""
        metres = np.empty((2, lon_deg.size))
        for at in range(0, lon_deg.size, _CHUNK):
            chunk = slice(at, at + _CHUNK)
            lon, lat = lon_deg[chunk], lat_deg[chunk]
            u, v = (lon - self.middle_deg[0]) / self.half_deg[0], (lat - self.middle_deg[1]) / self.half_deg[1]
            outside = ~((np.abs(u) <= 1) & (np.abs(v) <= 1))  # not a number is outside
            u[outside] = v[outside] = 0
            metres[:, chunk] = _values(self.terms, u, v)
            if outside.any():
                metres[:, chunk][:, outside] = self.exact(lon[outside], lat[outside])
        return metres[0], metres[1]


def _box_deg(grid: Grid, to_metres: Transformer) -> tuple[float, float, float, float]:
    """Return west, south, east, north of a grid and what reaches beyond it."""
    west, south, east, north = grid.bounds
    reached = (west - REACH_M, south - REACH_M, east + REACH_M, north + REACH_M)
    return to_metres.transform_bounds(*reached, direction="INVERSE")


def _chebyshev() -> Floats:
    """Return Chebyshev's polynomials, by degree, at his nodes, by place; (nodes, nodes).

    From the C library, as what PROJ says is: numpy's cosine is another one on another processor.
    """
    angles = [math.pi * (node + 0.5) / _NODES for node in range(_NODES)]
    return np.array([[math.cos(degree * angle) for degree in range(_NODES)] for angle in angles])


def _fits(metres: Floats) -> Iterator[Floats]:
    """Yield the terms of polynomials through values at pairs of nodes, (2, pairs), by rising total degree.

    Chebyshev's series, cut at a degree, is all but the best polynomial of that degree, and needs sums alone.
    """
    at_nodes = metres.T.reshape(_NODES, _NODES, 2)
    origin = at_nodes[0, 0]  # sums of kilometres keep the digits that thousands of them would cost
    weights = np.array([1.0, *[2.0] * (_NODES - 1)]) / _NODES
    series = _along_both(_chebyshev() * weights, at_nodes - origin)
    powers = np.zeros((_NODES, _NODES))
    powers[0, 0] = powers[1, 1] = 1
    for degree in range(2, _NODES):
        powers[degree, 1:] = 2 * powers[degree - 1, :-1]
        powers[degree] -= powers[degree - 2]
    total = np.add.outer(np.arange(_NODES), np.arange(_NODES))
    for degree in _DEGREES:
        terms = _along_both(powers, np.where((total <= degree)[..., None], series, 0))[: degree + 1, : degree + 1]
        terms[0, 0] += origin
        yield terms


def _along_both(matrix: Floats, values: Floats) -> Floats:
    """Return values, (rows, rows, 2), after a matrix, (rows, columns), along both axes; (columns, columns, 2)."""
    for _ in range(2):
        values = (matrix[:, :, None, None] * values[:, None]).sum(axis=0).swapaxes(0, 1)
    return values


def _values(terms: Floats, u: Floats, v: Floats) -> Floats:
    """Return the polynomial's two values by Horner's rule; (2, points).

    No matrix product, here or in the fit: its library wakes threads, and adds up in another order on another processor.
    """
    degree = terms.shape[0] - 1
    columns = terms[..., None]
    values, inner = np.zeros((2, u.size)), np.empty((2, u.size))
    for i in range(degree, -1, -1):
        inner[:] = columns[i, degree - i]
        for j in range(degree - i - 1, -1, -1):
            inner *= v
            inner += columns[i, j]
        values *= u
        values += inner
    return values
