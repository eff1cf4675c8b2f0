"""The text of the fused kernel for a set of indices: raw pixels of one block in, sums of plots out.

What it does with each part of a block, in batches of up to `BATCH` clear pixels that stay in the first-level cache:

1. unpack an entry; find its place in the rasters of each resolution by tables (so any whole factor works); copy the raw
   numbers if the class is clear - clouds are of one piece, so this branch is seldom guessed wrong;
2. scale and offset each band; a pixel without data in any band loses its weight;
3. for each index compute value times weight; a product that is not finite is dropped for this index alone;
4. add the products up in eight lanes, which are joined in one fixed way.

Steps 2 and 3 are plain loops that the compiler turns into vector code; what seldom happens there is only counted, and
set right in a second, slow loop.

The order of every addition is written down in the text, and numba is asked for no fast-math, so the sums are the same
bytes whatever vectors a machine has. Bands, indices, their arithmetic and the resolutions vary; the text is generated
because a call through a pointer for each pixel would cost ten times the arithmetic, and because numba keeps compiled
code on disk only for functions of a file.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from agrocredit.zonal.layout import BLOCK, FULL, PAYLOAD_BITS, POSITION_BITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BATCH = 256
"""Clear pixels gathered before the arithmetic starts; a multiple of the lanes."""
LANES = 8
ABSENT = -1
"""Stands in a layout for a raster that is not there."""
_CUT = (1 << PAYLOAD_BITS) - 1
_ROW_SHIFT = POSITION_BITS // 2


class PixelFormulas(Hashable, Protocol):
    """What the kernel needs to know of its indices; ``agrocredit.indices.compile_indices`` returns it."""

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of the indices."""

    @property
    def bands(self) -> tuple[str, ...]:
        """All bands; band ``i`` is called ``b{i}`` in the texts."""

    @property
    def uses(self) -> tuple[tuple[int, ...], ...]:
        """For each index the positions of its bands."""

    @property
    def values(self) -> tuple[str, ...]:
        """For each index its value as an expression over ``b{i}``."""

    @property
    def guards(self) -> tuple[tuple[str, ...], ...]:
        """For each index expressions that must be finite for the value to count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RasterLayout:
    """Which rasters of a scene share a grid. Scenes of one product have the same layout, so one text serves them."""

    bands: tuple[int, ...]
    """For each band the number of its grid, or `ABSENT`."""
    mask: int
    """The grid of the class mask, or `ABSENT`."""
    floats: bool
    """Whether the raw numbers are floats, which may be NaN."""

    @property
    def grids(self) -> range:
        """Numbers of the grids in use."""
        return range(max(*self.bands, self.mask) + 1)


def kernel_source(formulas: PixelFormulas, layout: RasterLayout) -> str:
    """Return the text of a module with the function ``accumulate`` for these indices and rasters.

    Parameters
    ----------
    formulas : PixelFormulas
        Checked arithmetic only: the text becomes code. Indices with an absent band are left out, their sums stay 0.
    layout : RasterLayout
    """
    there = [band for band, grid in enumerate(layout.bands) if grid != ABSENT]
    wanted = [k for k, uses in enumerate(formulas.uses) if set(uses) <= set(there)]
    return "\n\n\n".join(
        [
            _HEAD.replace("IS_NODATA", _IS_NODATA[layout.floats]),
            _add_batch(wanted, there, formulas),
            _accumulate(there, layout),
        ]
    )


_HEAD = f'''"""Written by agrocredit.zonal; may be deleted at any time, it is written again when needed."""

from math import sqrt

import numpy as np
from numba import njit

OPTIONS = dict(nogil=True, error_model="numpy")
INNER = dict(no_cpython_wrapper=True, no_cfunc_wrapper=True, **OPTIONS)


@njit(**INNER)
def lane_sum(product, m):
    for t in range(m, (m // {LANES} + 1) * {LANES}):
        product[t] = 0.0
    for t in range({LANES}, m, {LANES}):
        for lane in range({LANES}):
            product[lane] += product[t + lane]
    low = (product[0] + product[4]) + (product[2] + product[6])
    high = (product[1] + product[5]) + (product[3] + product[7])
    return low + high


@njit(**INNER)
def to_reflectance(raw, b, m, scale, offset, nodata, band, weight):
    without = 0
    for t in range(m):
        v = raw[b, t]
        without += IS_NODATA
        band[b, t] = np.float64(v) * scale + offset
    if without:
        for t in range(m):
            v = raw[b, t]
            if IS_NODATA:
                weight[t] = 0.0


@njit(**INNER)
def drop_lost(product, weight, m):
    lost = 0.0
    for t in range(m):
        if not abs(product[t]) < np.inf:
            product[t] = 0.0
            lost += weight[t]
    return lost'''

_IS_NODATA = {False: "(v == nodata)", True: "((v == nodata) | (not abs(v) < np.inf))"}
"""By whether raw numbers are floats: what a pixel without data looks like."""


def _add_batch(wanted: Sequence[int], there: Sequence[int], formulas: PixelFormulas) -> str:
    """Return the function that adds the gathered pixels to the sums of their plot."""
    lines = [
        "@njit(**INNER)",
        "def add_batch(m, raw, scale, offset, nodata, band, weight, product, out, sums, weights, clear):",
        *(f"    to_reflectance(raw, {b}, m, scale[{b}], offset[{b}], nodata[{b}], band, weight)" for b in there),
        "    for t in range(m):",
        "        product[t] = weight[t]",
        "    seen = lane_sum(product, m)",
        "    clear[out] += seen",
    ]
    for k in wanted:
        lines += _index_lines(k, formulas)
    return "\n".join(lines)


def _index_lines(k: int, formulas: PixelFormulas) -> Iterator[str]:
    """Yield the lines that add one index."""
    yield "    wrong = 0"
    yield "    for t in range(m):"
    for band in formulas.uses[k]:
        yield f"        b{band} = band[{band}, t]"
    yield f"        v = {formulas.values[k]}"
    for guard in formulas.guards[k]:
        yield f"        if not abs({guard}) < np.inf:"
        yield "            v = np.nan"
    yield "        v = v * weight[t]"
    yield "        product[t] = v"
    yield "        wrong += not abs(v) < np.inf"
    yield "    lost = 0.0"
    yield "    if wrong:"
    yield "        lost = drop_lost(product, weight, m)"
    yield f"    sums[out, {k}] += lane_sum(product, m)"
    yield f"    weights[out, {k}] += seen - lost"


def _accumulate(there: Sequence[int], layout: RasterLayout) -> str:
    """Return the function that walks the parts of a block."""
    raws = ", ".join(f"raw{band}" for band in range(len(layout.bands)))
    flush = "add_batch(np.int64(m), raw, scale, offset, nodata, band, weight, product, q - part_from, *out)"
    lines = [
        "@njit(cache=CACHE, **OPTIONS)",
        "def accumulate(edge, low, run, part_edge_at, part_run_at, part_from, part_to, classes, is_clear,",
        f"               row_at, col_at, scale, offset, nodata, {raws}, sums, weights, clear):",
        f"    raw = np.empty(({len(layout.bands)}, {BATCH}), raw0.dtype)",
        f"    band = np.empty(({len(layout.bands)}, {BATCH}))",
        f"    weight = np.empty({BATCH})",
        f"    product = np.empty({BATCH + LANES})",
        "    out = (sums, weights, clear)",
        "    for q in range(part_from, part_to):",
        "        m = np.uint64(0)",
        "        for k in range(part_edge_at[q], part_edge_at[q + 1]):",
        f"            p = edge[k] >> np.uint32({PAYLOAD_BITS})",
        f"            w = np.float64((np.int64(edge[k]) & {_CUT}) << 16 | np.int64(low[k])) * {1 / FULL!r}",
        *_take(there, layout, indent=12),
        f"            if m == np.uint64({BATCH}):",
        f"                {flush}",
        "                m = np.uint64(0)",
        "        for k in range(part_run_at[q], part_run_at[q + 1]):",
        f"            for i in range(run[k] & np.uint32({_CUT})):",
        f"                p = (run[k] >> np.uint32({PAYLOAD_BITS})) + np.uint32(i)",
        "                w = 1.0",
        *_take(there, layout, indent=16),
        f"                if m == np.uint64({BATCH}):",
        f"                    {flush}",
        "                    m = np.uint64(0)",
        "        if m:",
        f"            {flush}",
    ]
    return "\n".join(lines) + "\n"


def _take(there: Sequence[int], layout: RasterLayout, *, indent: int) -> list[str]:
    """Return the lines that read the pixel at position ``p`` and keep it, with weight ``w``, if it is clear."""
    skip = [] if layout.mask == ABSENT else [f"if not is_clear[classes[i{layout.mask}]]:", "    continue"]
    lines = [
        f"row = p >> np.uint32({_ROW_SHIFT})",
        f"col = p & np.uint32({BLOCK - 1})",
        *(f"i{grid} = row_at[{grid}, row] + col_at[{grid}, col]" for grid in layout.grids),
        *skip,
        *(f"raw[{b}, m] = raw{b}[i{layout.bands[b]}]" for b in there),
        "weight[m] = w",
        "m += np.uint64(1)",
    ]
    return [" " * indent + line for line in lines]
