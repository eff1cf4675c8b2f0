"""Pixels of one block as they were read: raw numbers, each band on its own resolution, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from agrocredit.zonal.weights import Block

_CLASSES = 256
_TYPES = (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.float32, np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BandPixels:
    """One band over one block. Reflectance is ``dn * scale + offset``."""

    dn: NDArray[Any]
    """Raw numbers, (rows, columns) of ``block.window(factor)``. A float that is not finite means no data."""
    factor: int
    """Pixels of the fine grid along one pixel of this band: 1, 2, 6 ..."""
    scale: float
    offset: float
    nodata: float | None
    """The raw number that means no data, or None."""

    def __post_init__(self) -> None:
        _check_raster(self.dn, factor=self.factor, name="band")
        if self.dn.dtype.type not in _TYPES:
            expected = ", ".join(one.__name__ for one in _TYPES)
            raise InputUnusableError("band_type_invalid", f"band of {self.dn.dtype}, expected {expected}")
        if not (isfinite(self.scale) and isfinite(self.offset)) or self.scale == 0:
            raise InputUnusableError(
                "band_type_invalid",
                f"scale {self.scale} and offset {self.offset}, expected finite and a scale that is not 0",
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskPixels:
    """The class of each pixel over one block, and which classes are clear."""

    classes: NDArray[np.uint8]
    """(rows, columns) of ``block.window(factor)``."""
    factor: int
    is_clear: NDArray[np.bool_]
    """(256,): True where pixels of the class may be used."""

    def __post_init__(self) -> None:
        _check_raster(self.classes, factor=self.factor, name="class mask")
        if self.classes.dtype != np.uint8:
            raise InputUnusableError("band_type_invalid", f"class mask of {self.classes.dtype}, expected uint8")
        if self.is_clear.shape != (_CLASSES,) or self.is_clear.dtype != np.bool_:
            raise InputUnusableError(
                "band_type_invalid",
                f"{self.is_clear.size} clear flags of {self.is_clear.dtype}, expected {_CLASSES} of bool",
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlockPixels:
    """All that was read of one scene over one block."""

    bands: Mapping[str, BandPixels]
    """By common name. A band that the scene lacks is left out; indices that need it get no value."""
    mask: MaskPixels | None
    """None where the scene has no mask: every pixel with data is then clear."""

    def check(self, block: Block) -> None:
        """Raise unless every raster has the shape of the block.

        Raises
        ------
        InputUnusableError
            ``grid_mismatch``, naming the band and both shapes.
        """
        rasters = {name: (band.dn, band.factor) for name, band in self.bands.items()}
        if self.mask is not None:
            rasters["class mask"] = (self.mask.classes, self.mask.factor)
        for name, (raster, factor) in rasters.items():
            row0, row1, col0, col1 = block.window(factor)
            if raster.shape != (row1 - row0, col1 - col0):
                raise InputUnusableError(
                    "grid_mismatch",
                    f"{name} of {raster.shape} pixels, expected {(row1 - row0, col1 - col0)} in block {block.index}",
                )


def _check_raster(raster: NDArray[Any], *, factor: int, name: str) -> None:
    if raster.ndim != 2 or factor < 1:
        raise InputUnusableError(
            "grid_mismatch",
            f"{name} with {raster.ndim} dimensions and factor {factor}, expected rows, columns and 1 or more",
        )
