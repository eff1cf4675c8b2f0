"""A plot on a season cube: the chunks it touches, read once, and the pixels of each scene for the fused kernel.

The plot gets a small grid of its own, cut from the season's at whole coarse pixels, so that weights and kernel are
those of the batch on the same pixels. What no chunk of the plot covers stays zero and has no weight.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from agrocredit.domain.errors import RefusedError
from agrocredit.zonal.cube_layout import CHUNK, MASK
from agrocredit.zonal.pixels import BandPixels, BlockPixels, MaskPixels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from agrocredit.domain.grid import Grid
    from agrocredit.zonal.cube import ChunkPlace, SeasonCube
    from agrocredit.zonal.cube_layout import CubeSeason, SeasonArray
    from agrocredit.zonal.weights import Block


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeasonWindow:
    """The part of a season's grid around one plot."""

    season: CubeSeason
    geometry: shapely.Geometry
    """The plot in the CRS of the grid, m."""
    row0: int
    col0: int
    grid: Grid
    """The part as a grid of its own; its first pixel is (`row0`, `col0`) of the season's."""

    def read(self, cube: SeasonCube, block: Block) -> Mapping[ChunkPlace, NDArray[Any]]:
        """Return the chunks that the plot touches in one block of `grid`.

        Raises
        ------
        RefusedError
            ``plot_outside_cube`` if one of them was never written.
        """
        places = list(self._touched(block))
        missing = [place for place in places if (place[0].path, *place[1:]) not in cube.chunks]
        if missing or not self.season.arrays:
            detail = f"{len(missing)} of {len(places)} chunks that the plot touches were not kept on grid"
            raise RefusedError("plot_outside_cube", f"{detail} {self.season.grid.key}; expected all of them")
        return cube.read(places, scenes=len(self.season.scenes))

    def pixels(self, chunks: Mapping[ChunkPlace, NDArray[Any]], block: Block, *, scene: int) -> BlockPixels:
        """Return what one scene shows of a block of `grid`, each layer on its own resolution.

        Parameters
        ----------
        chunks : mapping
            From `read` on the same block.
        block : Block
        scene : int
            Position in the season.
        """
        about = self.season.scenes[scene]
        layers = {}
        for array in self.season.arrays:
            stacked = self._window_of(array, chunks, block, scene=scene)
            for number, name in enumerate(array.layers):
                if about.factors.get(name) == array.factor:
                    layers[name] = (stacked[number], array.factor)
        bands = {
            name: BandPixels(dn=dn, factor=factor, scale=about.scale, offset=about.offset, nodata=about.nodata[name])
            for name, (dn, factor) in layers.items()
            if name != MASK
        }
        if about.clear is None:
            return BlockPixels(bands=bands, mask=None)
        classes, factor = layers[MASK]
        mask = MaskPixels(classes=classes.astype(np.uint8), factor=factor, is_clear=about.clear)
        return BlockPixels(bands=bands, mask=mask)

    def _touched(self, block: Block) -> Iterator[tuple[SeasonArray, int, int]]:
        """Yield the chunks of all arrays whose ground the plot touches within a block."""
        grid = self.season.grid
        side_m = CHUNK * grid.resolution_m
        rows = range((self.row0 + block.row0) // CHUNK, (self.row0 + block.row1 - 1) // CHUNK + 1)
        cols = range((self.col0 + block.col0) // CHUNK, (self.col0 + block.col1 - 1) // CHUNK + 1)
        row, col = (numbers.ravel() for numbers in np.meshgrid(rows, cols, indexing="ij"))
        west, north = grid.x0 + col * side_m, grid.y0 - row * side_m
        touched = shapely.intersects(self.geometry, shapely.box(west, north - side_m, west + side_m, north))
        for at in np.flatnonzero(touched).tolist():
            for array in self.season.arrays:
                yield array, int(row[at]), int(col[at])

    def _window_of(
        self, array: SeasonArray, chunks: Mapping[ChunkPlace, NDArray[Any]], block: Block, *, scene: int
    ) -> NDArray[Any]:
        """Return (layers, rows, columns) of one scene over a block, put together from chunks."""
        row0, row1, col0, col1 = block.window(array.factor)
        down, right = self.row0 // array.factor + row0, self.col0 // array.factor + col0
        pixels = np.zeros((len(array.layers), row1 - row0, col1 - col0), array.dtype)
        for (path, row, col), chunk in chunks.items():
            if path == array.path:
                top, left = row * array.chunk - down, col * array.chunk - right
                to = (slice(max(top, 0), top + array.chunk), slice(max(left, 0), left + array.chunk))
                target = pixels[:, to[0], to[1]]
                cut_top, cut_left = max(-top, 0), max(-left, 0)
                target[...] = chunk[
                    scene, :, cut_top : cut_top + target.shape[1], cut_left : cut_left + target.shape[2]
                ]
        return pixels


def window_of(season: CubeSeason, geometry: shapely.Geometry) -> SeasonWindow | None:
    """Return the part of a season's grid around a plot, or None if the plot's box does not touch the grid.

    Parameters
    ----------
    season : CubeSeason
    geometry : shapely Polygon or MultiPolygon
        In the CRS of the grid, m.
    """
    grid, step = season.grid, season.step
    west, south, east, north = shapely.bounds(geometry)
    row0 = max(int((grid.y0 - north) // (grid.resolution_m * step)) * step, 0)
    col0 = max(int((west - grid.x0) // (grid.resolution_m * step)) * step, 0)
    row1 = min(-int((south - grid.y0) // (grid.resolution_m * step)) * step, grid.height)
    col1 = min(-int((grid.x0 - east) // (grid.resolution_m * step)) * step, grid.width)
    if row0 >= row1 or col0 >= col1:
        return None
    part = replace(
        grid,
        x0=grid.x0 + col0 * grid.resolution_m,
        y0=grid.y0 - row0 * grid.resolution_m,
        height=row1 - row0,
        width=col1 - col0,
    )
    return SeasonWindow(season=season, geometry=geometry, row0=row0, col0=col0, grid=part)
