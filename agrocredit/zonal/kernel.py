"""From the pixels of a block to sums of plots: the fused kernel, ready to call."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from agrocredit.domain.errors import InputUnusableError
from agrocredit.loops import Loop
from agrocredit.zonal.kernel_layout import ABSENT, BATCH, LANES, ROOM, RasterLayout
from agrocredit.zonal.kernel_source import kernel_source

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agrocredit.zonal.kernel_layout import PixelFormulas
    from agrocredit.zonal.pixels import BandPixels, BlockPixels
    from agrocredit.zonal.sums import PlotSums
    from agrocredit.zonal.weights import Block, CoverageWeights

_NO_CLASSES = np.zeros(0, np.uint8)
_ALL_CLEAR = np.ones(256, np.bool_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """Compiled arithmetic of some indices. A plain record: it travels to workers and is compiled there, once."""

    formulas: PixelFormulas

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of the indices."""
        return self.formulas.names

    @property
    def bands(self) -> tuple[str, ...]:
        """Common names of the bands that the indices need."""
        return self.formulas.bands

    def accumulate(self, weights: CoverageWeights, block: Block, pixels: BlockPixels, sums: PlotSums) -> None:
        """Add a block to the sums of the plots that touch it; the interpreter's lock is not held meanwhile.

        A pixel is clear where its class is clear and every band that is there has data. An index also drops pixels
        where its own value is not finite, and has its own sum of weights for that reason. Plots are added up in a fixed
        order, so the answer is the same bytes whoever computes it.

        Parameters
        ----------
        weights : CoverageWeights
        block : Block
            One of ``weights.blocks``.
        pixels : BlockPixels
            Raw numbers over the block; bands the indices do not need are ignored.
        sums : PlotSums
            Of these weights and as many indices; changed.

        Raises
        ------
        InputUnusableError
            ``band_missing`` if not one band of the indices is there, ``grid_mismatch`` if a raster has another shape,
            ``block_repeated`` if blocks do not come in order.
        """
        present = [name for name in self.bands if name in pixels.bands]
        if not present:
            raise InputUnusableError(
                "band_missing", f"none of {', '.join(self.bands)}; given: {', '.join(pixels.bands) or 'none'}"
            )
        pixels.check(block)
        dtype = np.result_type(*(pixels.bands[name].dn.dtype for name in present)).newbyteorder("=")
        layout, rasters = self._rasters(block, pixels, dtype)
        sums.begin(block)
        _loop(self.formulas, layout)(
            *(weights.edge, weights.span, weights.before, weights.after, weights.part_edge_at, weights.part_span_at),
            *(weights.part_plot, block.part_from, block.part_to),
            *rasters,
            *self._batch(dtype),
            *(sums.sums, sums.weights, sums.clear),
        )

    def _batch(self, dtype: np.dtype[Any]) -> tuple[NDArray[Any], ...]:
        """Return room for a batch: raw numbers, weights and products, where parts begin, whose they are."""
        return (
            np.empty((len(self.bands), ROOM), dtype),
            np.empty((len(self.names) + 1, ROOM)),
            np.empty(BATCH // LANES + 1, np.int64),
            np.empty(BATCH // LANES, np.int64),
        )

    def _rasters(self, block: Block, pixels: BlockPixels, dtype: np.dtype[Any]) -> tuple[RasterLayout, tuple[Any, ...]]:
        """Return which rasters share a grid, and the loop's arguments that come from the pixels."""
        bands = [pixels.bands.get(name) for name in self.bands]
        shapes = [None if band is None else (band.factor, *band.dn.shape) for band in bands]
        mask = pixels.mask
        mask_shape = None if mask is None else (mask.factor, *mask.classes.shape)
        kinds = [kind for kind in dict.fromkeys([*shapes, mask_shape]) if kind is not None]
        number = {None: ABSENT} | {kind: number for number, kind in enumerate(kinds)}
        layout = RasterLayout(
            bands=tuple(number[shape] for shape in shapes),
            mask=number[mask_shape],
            factors=tuple(factor for factor, _, _ in kinds),
            floats=dtype.kind == "f",
        )
        return layout, (
            _NO_CLASSES if mask is None else _flat(mask.classes, np.dtype(np.uint8)),
            _ALL_CLEAR if mask is None else mask.is_clear,
            # A pixel of the block is at (row + first row) // factor * width + (column + first column) // factor.
            np.array(
                [(block.row0 % factor, block.col0 % factor, width, rows * width) for factor, rows, width in kinds],
                np.uint64,
            ),
            np.array([1.0 if band is None else band.scale for band in bands]),
            np.array([0.0 if band is None else band.offset for band in bands]),
            np.array([_nodata(band, dtype) or 0 for band in bands], dtype),
            np.array([_nodata(band, dtype) is not None for band in bands]),
            *(np.zeros(0, dtype) if band is None else _flat(band.dn, dtype) for band in bands),
        )


def make_kernel(formulas: PixelFormulas) -> Kernel:
    """Return the kernel that computes these indices.

    Parameters
    ----------
    formulas : PixelFormulas
        From ``agrocredit.indices.compile_indices``.
    """
    return Kernel(formulas=formulas)


@lru_cache(maxsize=256)
def _loop(formulas: PixelFormulas, layout: RasterLayout) -> Loop:
    return Loop(kernel_source(formulas, layout), "accumulate")


def _nodata(band: BandPixels | None, dtype: np.dtype[Any]) -> float | None:
    """Return the raw number that means no data, or None where no number of this type does."""
    if band is None or band.nodata is None or dtype.kind == "f":
        return None if band is None else band.nodata
    info = np.iinfo(dtype)
    return band.nodata if float(band.nodata).is_integer() and info.min <= band.nodata <= info.max else None


def _flat(raster: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the raster as one row of native numbers; no copy where it already lies so."""
    return np.ascontiguousarray(raster, dtype).reshape(-1)
