"""The land as it is: roads, villages, woods, ponds, and fields in strips, before anyone draws a plot on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import affinity

if TYPE_CHECKING:
    import numpy.typing as npt

    from pipelines.sample.settings import Land, Place

ROAD_M = 6.0
TREES_M = 5.0
STRIPS_A_BLOCK = (2, 3, 4)
GAP_M = 0.6
NARROW_M = (3.5, 6.5)
STRIP_RANGE_M = (8.0, 80.0)


class Cover(StrEnum):
    """What lies on a piece of land; the names of the spectra in the settings, and fields."""

    VERGE = "verge"
    TREES = "trees"
    ROAD = "road"
    VILLAGE = "village"
    FOREST = "forest"
    WATER = "water"
    WHEAT = "winter_wheat"
    GARLIC = "garlic"
    BARE = "bare"


FIELD_COVERS = (Cover.WHEAT, Cover.GARLIC, Cover.BARE)
STANDING_COVERS = (Cover.VILLAGE, Cover.FOREST, Cover.WATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class LandMap:
    """Pieces of land in drawing order: later ones lie on top."""

    covers: tuple[Cover, ...]
    shapes: npt.NDArray[np.object_]
    """Polygons in metres, in the place's projected CRS."""

    def indices(self, *wanted: Cover) -> npt.NDArray[np.int64]:
        """Return where pieces of these covers stand."""
        return np.array([index for index, cover in enumerate(self.covers) if cover in wanted], dtype=np.int64)


def lay_out(land: Land, *, place: Place, rng: np.random.Generator) -> LandMap:
    """Return the pieces of land of a square region.

    Blocks between roads lined with trees; each block a village, a wood, a pond, or columns of field strips. The whole
    pattern is turned by some degrees, so that fields do not lie along pixels.
    """
    margin_m = 0.2 * place.size_m
    ticks = np.arange(-margin_m, place.size_m + margin_m, land.block_m)
    whole = shapely.box(-margin_m, -margin_m, place.size_m + margin_m, place.size_m + margin_m)
    covers, shapes = [Cover.ROAD], [whole]
    inner = [(x, y) for x in ticks for y in ticks if min(x, y) > 0 and max(x, y) + 1.5 * land.block_m < place.size_m]
    # A region without a village, a wood or a pond would have nothing that is no field: one block of each is given.
    given = dict(zip(rng.permutation(len(inner))[: len(STANDING_COVERS)].tolist(), STANDING_COVERS, strict=False))
    certain = {inner[index]: cover for index, cover in given.items()}
    for x in ticks:
        for y in ticks:
            standing = certain.get((x, y)) or _standing(land, rng)
            for cover, shape in _block(land, standing, x=float(x), y=float(y), rng=rng):
                covers.append(cover)
                shapes.append(shape)
    middle = place.size_m / 2
    turned = [affinity.rotate(shape, land.turn_deg, origin=(middle, middle)) for shape in shapes]
    south_m = place.north_m - place.size_m
    placed = [affinity.translate(shape, place.west_m, south_m) for shape in turned]
    return LandMap(covers=tuple(covers), shapes=np.array(placed, dtype=object))


def _standing(land: Land, rng: np.random.Generator) -> Cover | None:
    """Return what fills a block that has no fields; None for one with fields."""
    draw = rng.random() - land.field_blocks
    if draw < 0:
        return None
    if draw < land.village_blocks:
        return Cover.VILLAGE
    return Cover.FOREST if draw < land.village_blocks + land.forest_blocks else Cover.WATER


def _block(
    land: Land, standing: Cover | None, *, x: float, y: float, rng: np.random.Generator
) -> list[tuple[Cover, shapely.Polygon]]:
    half, inner = ROAD_M / 2, ROAD_M / 2 + TREES_M
    trees = shapely.box(x + half, y + half, x + land.block_m - half, y + land.block_m - half)
    floor = (x + inner, y + inner, x + land.block_m - inner, y + land.block_m - inner)
    pieces = [(Cover.TREES, trees), (Cover.VERGE, shapely.box(*floor))]
    return pieces + (_strips(land, floor, rng) if standing is None else [(standing, shapely.box(*floor))])


def _strips(
    land: Land, floor: tuple[float, float, float, float], rng: np.random.Generator
) -> list[tuple[Cover, shapely.Polygon]]:
    west, south, east, north = floor
    columns = int(rng.choice(STRIPS_A_BLOCK))
    inner_edges = west + (east - west) * (np.arange(1, columns) + rng.uniform(-0.15, 0.15, columns - 1)) / columns
    edges = [west, *inner_edges.tolist(), east]
    pieces = []
    for left, right in pairwise(edges):
        y = south
        while y < north - STRIP_RANGE_M[0]:
            top = min(y + _strip_height(land, rng), north)
            shape = shapely.box(left + GAP_M / 2, y + GAP_M / 2, right - GAP_M / 2, top - GAP_M / 2)
            pieces.append((_field_cover(land, rng), shape))
            y = top
    return pieces


def _strip_height(land: Land, rng: np.random.Generator) -> float:
    if rng.random() < land.narrow_share:
        return float(rng.uniform(*NARROW_M))
    return float(np.clip(rng.lognormal(np.log(land.strip_median_m), land.strip_log_sd), *STRIP_RANGE_M))


def _field_cover(land: Land, rng: np.random.Generator) -> Cover:
    draw = rng.random()
    if draw < land.wheat_share:
        return Cover.WHEAT
    return Cover.GARLIC if draw < land.wheat_share + land.garlic_share else Cover.BARE
