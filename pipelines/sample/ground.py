"""What a cloudless sky would show: reflectance of every pixel from the pieces of land it covers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rasterio.features import rasterize
from rasterio.transform import from_origin
from scipy.ndimage import gaussian_filter
from scipy.sparse import csr_array

from agrocredit.growth import canopy_reflectance
from pipelines.sample.land import FIELD_COVERS, Cover, LandMap

if TYPE_CHECKING:
    from agrocredit.growth import CanopyOptics
    from agrocredit.growth.parameters import FloatArray
    from pipelines.sample.cropping import Cropping
    from pipelines.sample.settings import Covers, Place

FINE = 5
"""Each 10 m pixel is cut into this many parts both ways to weigh the pieces in it: 2 m, as wide as a field track."""
COARSE_BANDS = ("rededge1", "swir16")
PATCH_SCALE_PX = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Which piece of land fills how much of each pixel, and how patchy the fields are."""

    fine_weights: csr_array
    """Rows are 10 m pixels, columns pieces of land; rows sum to 1."""
    coarse_weights: csr_array
    """The same for 20 m pixels."""
    patch_share: FloatArray
    """Share of a 10 m pixel's crop that is a gap in the stand, (pixels,)."""
    field_columns: np.ndarray[tuple[int], np.dtype[np.int64]]
    """Columns of the weights that are fields, in the order of `Cropping`."""


def survey(land: LandMap, *, place: Place, patchiness: float, rng: np.random.Generator) -> Ground:
    """Return the pieces' shares in the pixels of a square region."""
    step_m = 10.0 / FINE
    transform = from_origin(place.west_m, place.north_m, step_m, step_m)
    size = place.pixels * FINE
    pieces = rasterize(
        ((shape, index) for index, shape in enumerate(land.shapes)),
        out_shape=(size, size),
        transform=transform,
        dtype="int32",
    )
    noise = gaussian_filter(rng.normal(size=(place.pixels, place.pixels)), PATCH_SCALE_PX, mode="wrap")
    patch = np.clip(patchiness * (1 + noise / noise.std()), 0, 0.6)
    return Ground(
        fine_weights=_weights(pieces, parts=FINE, columns=len(land.shapes)),
        coarse_weights=_weights(pieces, parts=2 * FINE, columns=len(land.shapes)),
        patch_share=patch.ravel(),
        field_columns=land.indices(*FIELD_COVERS),
    )


def _weights(pieces: np.ndarray[tuple[int, int], np.dtype[np.int32]], *, parts: int, columns: int) -> csr_array:
    size = pieces.shape[0] // parts
    rows = np.arange(pieces.shape[0]) // parts
    pixel = (rows[:, None] * size + rows[None, :]).ravel()
    share = np.full(pixel.size, 1 / parts**2)
    return csr_array((share, (pixel, pieces.ravel())), shape=(size * size, columns))


def clear_reflectance(
    ground: Ground,
    *,
    land: LandMap,
    cropping: Cropping,
    covers: Covers,
    optics: CanopyOptics,
    day: int,
) -> dict[str, FloatArray]:
    """Return surface reflectance a band on a day, (rows, columns) on the band's own 10 m or 20 m grid."""
    season, soil = cropping.season, cropping.soil
    fields = canopy_reflectance(
        season.green_lai[:, day],
        optics=optics,
        dead_lai=season.dead_lai[:, day],
        soil_brightness=soil.brightness,
        soil_wetness=season.surface_wetness[:, day],
        chlorophyll=cropping.crop.nitrogen,
        water_stress=season.water_stress[:, day],
        bands=covers.bands,
    )
    naked = canopy_reflectance(
        0.0, optics=optics, soil_wetness=season.surface_wetness[:, day].mean(), bands=covers.bands
    )
    size = int(np.sqrt(ground.fine_weights.shape[0]))
    result = {}
    for position, band in enumerate(covers.bands):
        table = np.array([_constant(covers, cover, position) for cover in land.covers])
        table[ground.field_columns] = fields[band]
        is_field = np.zeros(table.size)
        is_field[ground.field_columns] = 1.0
        gap, sides = ground.patch_share, size
        weights = ground.fine_weights
        if band in COARSE_BANDS:
            gap, sides, weights = _halve(gap.reshape(size, size)).ravel(), size // 2, ground.coarse_weights
        crop, other = weights @ (table * is_field), weights @ (table * (1 - is_field))
        gapped = crop * (1 - gap) + gap * (weights @ is_field) * naked[band]
        result[band] = (gapped + other).reshape(sides, sides)
    return result


def _constant(covers: Covers, cover: Cover, position: int) -> float:
    return 0.0 if cover in FIELD_COVERS else float(getattr(covers, cover.value)[position])


def _halve(image: FloatArray) -> FloatArray:
    rows, columns = image.shape
    return np.asarray(image.reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3)), dtype=np.float64)
