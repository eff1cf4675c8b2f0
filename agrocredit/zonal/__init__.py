"""Zonal statistics: exact coverage weights of plots, once a grid; one fused kernel from raw pixels to sums of plots.

``build_weights(geometries, grid=...)``, or ``cover_outlines(pieces, ...)`` for millions of plots, and
``kept_weights(key, folder=..., build=...)`` -> what is reused for every date;
``make_kernel(formulas).accumulate(weights, block, pixels, sums)``, block after block -> `PlotSums` of one scene;
``finish(sums, ...)`` -> rows of the observations table. No index raster ever exists.
"""

from agrocredit.zonal.build import build_weights, cover_outlines, outlines_key, weights_key
from agrocredit.zonal.kernel import Kernel, make_kernel
from agrocredit.zonal.kernel_layout import PixelFormulas
from agrocredit.zonal.outlines import Outlines
from agrocredit.zonal.pixels import BandPixels, BlockPixels, MaskPixels
from agrocredit.zonal.sums import PlotSums, finish
from agrocredit.zonal.weight_files import kept_weights, load_weights, save_weights
from agrocredit.zonal.weights import Block, CoverageWeights

__all__ = [
    "BandPixels",
    "Block",
    "BlockPixels",
    "CoverageWeights",
    "Kernel",
    "MaskPixels",
    "Outlines",
    "PixelFormulas",
    "PlotSums",
    "build_weights",
    "cover_outlines",
    "finish",
    "kept_weights",
    "load_weights",
    "make_kernel",
    "outlines_key",
    "save_weights",
    "weights_key",
]
