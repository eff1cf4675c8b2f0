"""What farmers say they farm: plots drawn on the land, most of them rightly."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import Transformer
from shapely import affinity

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.plot import geodesic_area_perimeter
from pipelines.sample.land import STANDING_COVERS, Cover, LandMap

if TYPE_CHECKING:
    import numpy.typing as npt

    from pipelines.sample.settings import PlotSettings, SampleSettings

SMALL_M2 = 667.0
"""One mu."""
EDGE_M = 20.0
SHIFT_M = (6.0, 16.0)
STANDING_SIDE_M = (35.0, 80.0)
OVERSTATED = (1.2, 1.8)
HONEST_SCATTER = 0.04
DEGREE_DIGITS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One plot as its farmer drew it, and what is true about it."""

    plot_id: str
    farmer_id: str
    crop: str
    shape: shapely.Polygon
    """Projected, metres; its ring may cross itself."""
    lonlat: shapely.Polygon
    """The same in degrees, rounded as the file states it."""
    area_m2: float
    """Geodesic; of the ring before it was crossed."""
    declared_area_m2: float
    field: int | None
    """Index of the piece of land it means; None where there is no field."""
    kind: str
    """``plain``, ``overlapping``, ``crossing``, ``not_a_field``, ``other_crop``."""


def draw_claims(land: LandMap, *, settings: SampleSettings, rng: np.random.Generator) -> list[Claim]:
    """Return the plots of all farmers, in the order of their ids.

    Raises
    ------
    InputUnusableError
        ``sample_settings_invalid`` if the land has too few fields for the plots wanted.
    """
    chosen = _choose(land, settings=settings, rng=rng)
    order = rng.permutation(len(chosen))
    farmers = _farmers(len(chosen), settings.plots.plots_a_farmer_max, rng)
    to_degrees = Transformer.from_crs(settings.place.epsg, 4326, always_xy=True)
    overstated = set(rng.choice(len(chosen), size=settings.plots.area_overstated, replace=False).tolist())
    claims = []
    for position, index in enumerate(order.tolist()):
        field, shape, kind = chosen[index]
        lonlat = _to_lonlat(shape, to_degrees)
        area_m2 = geodesic_area_perimeter(lonlat)[0]
        factor = rng.uniform(*OVERSTATED) if position in overstated else rng.normal(1, HONEST_SCATTER)
        claim = Claim(
            plot_id=f"P{position + 1:04d}",
            farmer_id=f"F{farmers[position]:04d}",
            crop=settings.plots.other_crop_name if kind == "other_crop" else settings.season.crop,
            shape=shape,
            lonlat=lonlat,
            area_m2=area_m2,
            declared_area_m2=round(area_m2 * max(factor, 0.9), 1),
            field=field,
            kind=kind,
        )
        claims.append(_cross(claim) if kind == "crossing" else claim)
    return claims


Chosen = tuple[int | None, shapely.Polygon, str]


def _choose(land: LandMap, *, settings: SampleSettings, rng: np.random.Generator) -> list[Chosen]:
    plots, place = settings.plots, settings.place
    south_m, east_m = place.north_m - place.size_m, place.west_m + place.size_m
    inside = shapely.box(place.west_m + EDGE_M, south_m + EDGE_M, east_m - EDGE_M, place.north_m - EDGE_M)
    wheat = _within(land, land.indices(Cover.WHEAT), inside)
    garlic = _within(land, land.indices(Cover.GARLIC), inside)
    standing = _within(land, land.indices(*STANDING_COVERS), inside)
    wanted = plots.count - plots.not_fields - plots.other_crop
    if wheat.size < wanted or garlic.size < plots.other_crop or standing.size == 0:
        raise InputUnusableError(
            "sample_settings_invalid",
            f"{wheat.size} wheat and {garlic.size} garlic fields, {standing.size} other blocks; expected "
            f"{wanted}, {plots.other_crop} and 1 or more: a larger place or fewer plots",
        )
    picked = _pick_fields(land, wheat, wanted=wanted, plots=plots, rng=rng)
    kinds = ["overlapping"] * plots.overlapping + ["crossing"] * plots.crossing
    kinds += ["plain"] * (wanted - len(kinds))
    chosen: list[Chosen] = []
    for field, kind in zip(picked.tolist(), kinds, strict=True):
        shape = land.shapes[field]
        chosen.append((field, _shift(shape, rng) if kind == "overlapping" else shape, kind))
    others = rng.choice(garlic, size=plots.other_crop, replace=False).tolist()
    chosen += [(field, land.shapes[field], "other_crop") for field in others]
    blocks = rng.choice(standing, size=plots.not_fields).tolist()
    drawn = [_box_within(land.shapes[block].intersection(inside), rng) for block in blocks]
    return chosen + [(None, shape, "not_a_field") for shape in drawn]


def _within(land: LandMap, indices: npt.NDArray[np.int64], inside: shapely.Polygon) -> npt.NDArray[np.int64]:
    """Return the fields that lie inside; of larger pieces those whose middle does."""
    shapes = shapely.centroid(land.shapes[indices])
    margin_m = np.sqrt(shapely.area(land.shapes[indices]))
    kept = shapely.dwithin(shapes, inside, 0) & (shapely.distance(shapes, inside.exterior) > margin_m)
    return np.asarray(indices[kept], dtype=np.int64)


def _pick_fields(
    land: LandMap, wheat: npt.NDArray[np.int64], *, wanted: int, plots: PlotSettings, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Return fields in random order, among them at least so many small ones; the first are of middling size."""
    shuffled = rng.permutation(wheat)
    small = shapely.area(land.shapes[shuffled]) < SMALL_M2
    few = shuffled[small][: plots.smallest]
    rest = shuffled[~small][: wanted - few.size]
    return np.concatenate([rest, few])


def _shift(shape: shapely.Polygon, rng: np.random.Generator) -> shapely.Polygon:
    """Return the field drawn some metres beside itself, over the neighbour's."""
    west, south, east, north = shape.bounds
    distance_m = min(rng.uniform(*SHIFT_M), 0.3 * (north - south), 0.3 * (east - west))
    return affinity.translate(shape, 0.0, distance_m * rng.choice([-1.0, 1.0]))


def _box_within(block: shapely.Polygon, rng: np.random.Generator) -> shapely.Polygon:
    west, south, east, north = block.bounds
    width_m, height_m = rng.uniform(*STANDING_SIDE_M, size=2)
    x = west + rng.uniform(0.15, 0.85) * max(east - west - width_m, 0.0)
    y = south + rng.uniform(0.15, 0.85) * max(north - south - height_m, 0.0)
    return shapely.box(x, y, x + width_m, y + height_m)


def _farmers(plots: int, most: int, rng: np.random.Generator) -> list[int]:
    """Return a farmer's number for each plot: 1 to `most` plots each, more often few."""
    numbers: list[int] = []
    farmer = 0
    shares = 1 / np.arange(1, most + 1) ** 0.7
    while len(numbers) < plots:
        farmer += 1
        numbers += [farmer] * int(rng.choice(np.arange(1, most + 1), p=shares / shares.sum()))
    return [int(number) for number in rng.permutation(numbers[:plots])]


def _to_lonlat(shape: shapely.Polygon, to_degrees: Transformer) -> shapely.Polygon:
    x, y = shapely.get_coordinates(shape).T
    lon, lat = to_degrees.transform(x, y)
    ring = np.column_stack([np.round(lon, DEGREE_DIGITS), np.round(lat, DEGREE_DIGITS)])
    return shapely.orient_polygons(shapely.Polygon(ring), exterior_cw=False)


def _cross(claim: Claim) -> Claim:
    """Return the plot with two corners swapped, as a walk that doubled back would draw it."""
    ring = shapely.get_coordinates(claim.lonlat)
    return replace(claim, lonlat=shapely.Polygon(ring[[0, 2, 1, 3, 0]]))
