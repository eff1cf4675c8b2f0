"""What a satellite sees of a canopy: surface reflectance from leaf area, straw, soil and water."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from agrocredit.growth.optics import BandOptics, CanopyOptics
    from agrocredit.growth.parameters import FloatArray

ALBEDO_MAX = 0.99
"""A leaf absorbs something; keeps the square root below away from 0."""


def canopy_reflectance(
    green_lai: npt.ArrayLike,
    *,
    optics: CanopyOptics,
    dead_lai: npt.ArrayLike = 0.0,
    soil_brightness: npt.ArrayLike = 1.0,
    soil_wetness: npt.ArrayLike = 0.0,
    chlorophyll: npt.ArrayLike = 1.0,
    water_stress: npt.ArrayLike = 1.0,
    bands: Sequence[str] | None = None,
) -> dict[str, FloatArray]:
    """Return surface reflectance (0 to 1) a band of a homogeneous canopy over a soil.

    Two-stream solution for a layer of scattering leaves over a reflecting soil (Goudriaan 1977, as in Campbell and
    Norman 1998, eq. 15.7 and 15.8, ISBN 0-387-94937-2): with leaf albedo w, R_inf = (1 - s) / (1 + s),
    s = sqrt(1 - w), x = exp(-2 k s L), eta = (R_inf - R_soil) / (R_inf R_soil - 1):
    R = (R_inf + eta x) / (1 + R_inf eta x). Green and dead leaves are mixed in one layer by their areas.

    Parameters
    ----------
    green_lai, dead_lai : array
        Leaf areas, m2/m2, 0 or more. All arrays broadcast against each other: (N, D) against (N, 1), say.
    optics : CanopyOptics
        Spectra, see `load_optics`.
    soil_brightness : array
        Relative to the table's dry soil.
    soil_wetness : array
        Of the surface, 0 dry to 1 wet.
    chlorophyll, water_stress : array
        1 for a well fed and watered crop, down to 0.
    bands : sequence of str, optional
        Common names; all of the table by default.

    Raises
    ------
    InputUnusableError
        ``band_missing`` for a band without optics; ``canopy_input_invalid`` for negative or missing leaf area.
    """
    names = tuple(optics.bands) if bands is None else tuple(bands)
    unknown = [name for name in names if name not in optics.bands]
    if unknown:
        raise InputUnusableError(
            "band_missing", f"no optics for {', '.join(unknown)}; there are {', '.join(optics.bands)}"
        )
    green, dead = np.asarray(green_lai, dtype=np.float64), np.asarray(dead_lai, dtype=np.float64)
    if not (np.all(green >= 0) and np.all(dead >= 0)):
        raise InputUnusableError("canopy_input_invalid", "leaf area below 0 or not a number, expected 0 or more")
    wetness, pale = np.asarray(soil_wetness, dtype=np.float64), 1 - np.asarray(chlorophyll, dtype=np.float64)
    dry, brightness = 1 - np.asarray(water_stress, dtype=np.float64), np.asarray(soil_brightness, dtype=np.float64)
    result = {}
    for name in names:
        band = optics.bands[name]
        soil = brightness * band.soil_dry * (1 - band.wet_loss * wetness)
        albedo = _mixed_albedo(band, green=green, dead=dead, pale=pale, dry=dry)
        result[name] = _layer_over_soil(albedo, soil, area=green + dead, extinction=optics.extinction)
    return result


def _mixed_albedo(
    band: BandOptics, *, green: FloatArray, dead: FloatArray, pale: FloatArray, dry: FloatArray
) -> FloatArray:
    area = green + dead
    green_share = np.divide(green, area, out=np.ones_like(area), where=area > 0)
    leaf = band.green_leaf + band.chlorophyll_loss * pale + band.drought_gain * dry
    return np.asarray(np.minimum(green_share * leaf + (1 - green_share) * band.dead_leaf, ALBEDO_MAX), dtype=np.float64)


def _layer_over_soil(albedo: FloatArray, soil: FloatArray, *, area: FloatArray, extinction: float) -> FloatArray:
    absorbing = np.sqrt(1 - albedo)
    deep = (1 - absorbing) / (1 + absorbing)
    fading = (deep - soil) / (deep * soil - 1) * np.exp(-2 * extinction * absorbing * area)
    return np.asarray((deep + fading) / (1 + deep * fading), dtype=np.float64)
