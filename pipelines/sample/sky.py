"""What stands between the ground and the satellite: clouds, their shadows, haze, noise, and an imperfect mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter, shift

if TYPE_CHECKING:
    from agrocredit.growth.parameters import FloatArray
    from pipelines.sample.settings import Sky

SCALES_PX = (26.0, 9.0, 3.0)
SCALE_WEIGHTS = (1.0, 0.5, 0.18)
PADDING_PX = 48
"""Clouds beyond the edge throw shadows into the picture."""
SHADOW_PX = (10.0, 34.0)
CLEAR_COVER_MAX = 0.05
EDGE_WIDTH = 0.9
"""From clear to thick cloud, in standard deviations of the noise that shapes it."""
MEDIUM, HIGH = 0.35, 0.7
VEGETATION_NDVI = 0.3
WATER_NDVI = -0.1
BRIGHT_AS_CLOUD = 0.01
"""Share of bright bare pixels that the mask takes for cloud."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weathering:
    """The sky of one picture on the 10 m grid."""

    opacity: FloatArray
    """0 clear to 1 thick cloud."""
    shade: FloatArray
    """0 lit to 1 in full shadow."""


def draw_sky(*, pixels: int, cover: float, rng: np.random.Generator) -> Weathering:
    """Return clouds that cover about a share of the picture, and their shadows displaced to the north-west."""
    size = pixels + 2 * PADDING_PX
    noise = np.zeros((size, size))
    for scale, weight in zip(SCALES_PX, SCALE_WEIGHTS, strict=True):
        layer = gaussian_filter(rng.normal(size=(size, size)), scale, mode="wrap")
        noise += weight * layer / layer.std()
    noise = (noise - noise.mean()) / noise.std()
    distance = rng.uniform(*SHADOW_PX)
    inner = slice(PADDING_PX, PADDING_PX + pixels)
    if cover >= 1:
        return Weathering(opacity=0.85 + 0.15 * _unit(noise)[inner, inner], shade=np.zeros((pixels, pixels)))
    threshold = np.quantile(noise, 1 - cover)
    opacity = np.clip((noise - threshold) / EDGE_WIDTH + 0.15, 0, 1) * (cover > 0)
    # The sun stands in the south-east at the time of the overpass, so shadows fall to the north-west: up and left.
    shade = shift(opacity, (-0.75 * distance, -0.66 * distance), order=1, mode="constant")
    return Weathering(opacity=opacity[inner, inner], shade=(shade * (1 - opacity))[inner, inner])


def cloud_covers(*, pictures: int, overcast: int, clear_share: float, rng: np.random.Generator) -> FloatArray:
    """Return each picture's cloud cover: some overcast, a share nearly clear, the rest anything between."""
    clear = round(clear_share * pictures)
    covers = np.concatenate(
        [
            np.ones(overcast),
            rng.uniform(0, CLEAR_COVER_MAX, clear) * (rng.random(clear) < 0.6),
            rng.uniform(0.08, 0.9, pictures - clear - overcast),
        ]
    )
    return rng.permutation(covers)


def through_the_air(
    ground: FloatArray, *, weathering: Weathering, band: int, sky: Sky, rng: np.random.Generator
) -> FloatArray:
    """Return the reflectance that a product states: shadow, cloud, what the correction leaves, and sensor noise.

    Parameters
    ----------
    ground : array (rows, columns)
        Clear reflectance on the band's grid, whole or half as fine as the sky's.
    band : int
        Position of the band in the settings' spectra.
    """
    opacity, shade = (_fit(layer, ground.shape[0]) for layer in (weathering.opacity, weathering.shade))
    lit = ground * (1 - (1 - sky.shadow) * shade)
    mixed = lit * (1 - opacity) + sky.cloud[band] * opacity
    biased = mixed * rng.normal(1, sky.residual_gain) + rng.normal(0, sky.residual_offset[band])
    spread = sky.noise_floor + sky.noise_share * np.abs(biased)
    return np.asarray(biased + spread * rng.normal(size=biased.shape), dtype=np.float64)


def classify(
    *, weathering: Weathering, red: FloatArray, nir: FloatArray, sky: Sky, rng: np.random.Generator
) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Return Sentinel-2 scene classes on the 20 m grid, as imperfect as they are: thin haze is missed, bright soil not.

    Classes: 3 shadow, 4 vegetation, 5 bare, 6 water, 8 and 9 cloud of medium and high probability, 10 thin cirrus.
    """
    half = red.shape[0] // 2
    opacity, shade, red, nir = (_fit(layer, half) for layer in (weathering.opacity, weathering.shade, red, nir))
    ndvi = (nir - red) / np.maximum(nir + red, 1e-3)
    classes = np.where(ndvi > VEGETATION_NDVI, 4, np.where(ndvi < WATER_NDVI, 6, 5))
    mistaken = (classes == 5) & (rng.random(classes.shape) < BRIGHT_AS_CLOUD)
    classes = np.where(mistaken, 8, classes)
    classes = np.where(shade > sky.unmasked_haze, 3, classes)
    for floor, value in ((sky.unmasked_haze, 10), (MEDIUM, 8), (HIGH, 9)):
        classes = np.where(opacity > floor, value, classes)
    return classes.astype(np.uint8)


def _unit(values: FloatArray) -> FloatArray:
    return np.asarray((values - values.min()) / (values.max() - values.min()), dtype=np.float64)


def _fit(layer: FloatArray, size: int) -> FloatArray:
    """Return a layer on a grid that is as fine, or half as fine."""
    parts = layer.shape[0] // size
    if parts == 1:
        return layer
    return np.asarray(layer.reshape(size, parts, size, parts).mean(axis=(1, 3)), dtype=np.float64)
