"""Zonal statistics: exact coverage weights of plots, once a grid; one fused kernel from raw pixels to sums of plots.

``build_weights(geometries, grid=...)``, or ``kept_weights(..., folder=...)`` -> what is reused for every date;
``make_kernel(formulas).accumulate(weights, block, pixels)`` -> sums of one block of one scene;
``combine(...)`` and ``finish(...)`` -> rows of the observations table. No index raster ever exists.
"""

from agrocredit.zonal.build import build_weights, weights_key
from agrocredit.zonal.kernel import Kernel, make_kernel
from agrocredit.zonal.kernel_source import PixelFormulas
from agrocredit.zonal.pixels import BandPixels, BlockPixels, MaskPixels
from agrocredit.zonal.sums import BlockSums, PlotSums, combine, finish
from agrocredit.zonal.weight_files import kept_weights, load_weights, save_weights
from agrocredit.zonal.weights import Block, CoverageWeights

__all__ = [
    "BandPixels",
    "Block",
    "BlockPixels",
    "BlockSums",
    "CoverageWeights",
    "Kernel",
    "MaskPixels",
    "PixelFormulas",
    "PlotSums",
    "build_weights",
    "combine",
    "finish",
    "kept_weights",
    "load_weights",
    "make_kernel",
    "save_weights",
    "weights_key",
]
