"""The text of the fused kernel for a set of indices: raw pixels of one block in, sums of plots out.

What it does with the parts of a block, in batches of up to `BATCH` clear pixels that stay in the first-level cache:

1. unpack an entry; find its place in the rasters of each resolution (of any whole factor: it stands in the text, and
   dividing by it is mostly a shift); copy the raw numbers if the class is clear - clouds are of one piece, so this
   branch is seldom guessed wrong;
2. when the next part might not fit, work the batch off: a pixel without data in any band loses its weight, and each
   index becomes value times weight;
3. add the products of each part up in eight lanes, which are joined in one fixed way; where the sum of an index is
   not finite, some product was not: such products are dropped, and the part is added up again.

A field has some fifty pixels, so a batch holds several, each filled up to whole lanes with pixels of no weight: loops
are long enough for vector code, and what a plot adds up to does not depend on its neighbours. Places within a batch
are unsigned numbers: of a signed one the compiler asks each time whether it counts from the end.

The order of every addition is written down in the text, and numba is asked for no fast-math, so the sums are the same
bytes whatever vectors a machine has. Bands, indices, their arithmetic and the resolutions vary; the text is generated
because a call through a pointer for each pixel would cost ten times the arithmetic.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from agrocredit.zonal.layout import BLOCK, FULL, PAYLOAD_BITS, POSITION_BITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BATCH = 512
"""Clear pixels gathered before the arithmetic starts; a multiple of the lanes."""
LANES = 8
_INDICES_A_LOOP = 6
"""Indices worked out in one loop: more share the reading of bands, too many are no longer made vector code."""
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
    factors: tuple[int, ...]
    """Of each grid: pixels of the fine grid along one of its own."""
    floats: bool
    """Whether the raw numbers are floats, which may be NaN."""


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
            _HEAD,
            _add_batch(wanted, there, formulas, is_nodata=_IS_NODATA[layout.floats]),
            _accumulate(there, layout),
        ]
    )


_LANE = range(LANES)
_HEAD = f"""from math import sqrt

import numpy as np


def lane_sum(term, row, first, last):
    row = np.uint64(row)
    {" = ".join(f"lane{lane}" for lane in _LANE)} = 0.0
    for t in range(np.uint64(first), np.uint64(last), np.uint64({LANES})):
        {"; ".join(f"lane{lane} += term[row, t + np.uint64({lane})]" for lane in _LANE)}
    low = (lane0 + lane4) + (lane2 + lane6)
    high = (lane1 + lane5) + (lane3 + lane7)
    return low + high


def drop_lost(term, row, first, last):
    lost = 0.0
    for t in range(first, last):
        if not abs(term[row, t]) < np.inf:
            term[row, t] = 0.0
            lost += term[0, t]
    return lost"""

_IS_NODATA = {
    False: "((raw[{b}, t] == nodata[{b}]) & has_nodata[{b}])",
    True: "(((raw[{b}, t] == nodata[{b}]) & has_nodata[{b}]) | (not abs(raw[{b}, t]) < np.inf))",
}
"""By whether raw numbers are floats: what a pixel without data looks like."""


def _add_batch(wanted: Sequence[int], there: Sequence[int], formulas: PixelFormulas, *, is_nodata: str) -> str:
    """Return the function that adds the gathered pixels to the sums of their plots.

    Pixels ``at[s]`` to ``at[s + 1]`` belong to plot ``out[s]``; row 0 of ``term`` holds weights, row ``k + 1`` becomes
    index ``k`` times weight.
    """
    without = " | ".join(is_nodata.format(b=b) for b in there)
    lines = [
        "def add_batch(n, at, out, raw, scale, offset, nodata, has_nodata, term, sums, weights, clear):",
        "    m = at[n]",
        "    without = 0",
        "    for t in range(m):",
        f"        without += {without}",
        "    if without:",
        "        for t in range(m):",
        f"            if {without}:",
        "                term[0, t] = 0.0",
    ]
    for first in range(0, len(wanted), _INDICES_A_LOOP):
        lines += _index_lines(wanted[first : first + _INDICES_A_LOOP], formulas)
    lines += [
        "    for s in range(n):",
        "        to, first, last = out[s], at[s], at[s + 1]",
        "        seen = lane_sum(term, 0, first, last)",
        "        clear[to] += seen",
    ]
    for k in wanted:
        lines += [
            f"        total = lane_sum(term, {k + 1}, first, last)",
            "        if not abs(total) < np.inf:",
            f"            weights[to, {k}] -= drop_lost(term, {k + 1}, first, last)",
            f"            total = lane_sum(term, {k + 1}, first, last)",
            f"        weights[to, {k}] += seen",
            f"        sums[to, {k}] += total",
        ]
    return "\n".join(lines)


def _index_lines(group: Sequence[int], formulas: PixelFormulas) -> Iterator[str]:
    """Yield the lines that work out some indices for all pixels of a batch."""
    bands = sorted({band for k in group for band in formulas.uses[k]})
    yield from (f"    scale{band}, offset{band} = scale[{band}], offset[{band}]" for band in bands)
    yield "    for t in range(m):"
    yield "        w = term[0, t]"
    yield from (f"        b{band} = np.float64(raw[{band}, t]) * scale{band} + offset{band}" for band in bands)
    for k in group:
        yield f"        v = {formulas.values[k]}"
        for guard in formulas.guards[k]:
            yield f"        if not abs({guard}) < np.inf:"
            yield "            v = np.nan"
        yield f"        term[{k + 1}, t] = v * w"


def _accumulate(there: Sequence[int], layout: RasterLayout) -> str:
    """Return the function that walks the parts of a block."""
    raws = ", ".join(f"raw{band}" for band in range(len(layout.bands)))
    flush = "add_batch(n, at, out, raw, scale, offset, nodata, has_nodata, term, sums, weights, clear)"
    begin = "n, m = 0, np.uint64(0)"  # unsigned: no look whether an index counts from the end
    end_of_part = ["at[n + 1], out[n] = m, q - part_from", "n += 1"]
    full = [f"if m == np.uint64({BATCH}):", *_indented([*end_of_part, flush, begin], 4)]
    lines = [
        "def accumulate(edge, low, run, part_edge_at, part_run_at, part_from, part_to, classes, is_clear,",
        f"               places, scale, offset, nodata, has_nodata, {raws},",
        "               raw, term, at, out, sums, weights, clear):",
        *(
            f"    row{grid}, col{grid}, width{grid} = places[{grid}, 0], places[{grid}, 1], places[{grid}, 2]"
            for grid in range(len(layout.factors))
        ),
        "    at[0] = 0",
        f"    {begin}",
        "    for q in range(part_from, part_to):",
        "        most = np.int64(m) + part_edge_at[q + 1] - part_edge_at[q]",
        "        for k in range(part_run_at[q], part_run_at[q + 1]):",
        f"            most += np.int64(run[k]) & {_CUT}",
        f"        if most > {BATCH} and n:",
        *_indented([flush, begin], 12),
        "        for k in range(part_edge_at[q], part_edge_at[q + 1]):",
        f"            p = edge[k] >> np.uint32({PAYLOAD_BITS})",
        f"            w = np.float64((np.int64(edge[k]) & {_CUT}) << 16 | np.int64(low[k])) * {1 / FULL!r}",
        *_indented([*_take(there, layout), *full], 12),
        "        for k in range(part_run_at[q], part_run_at[q + 1]):",
        f"            for i in range(run[k] & np.uint32({_CUT})):",
        f"                p = (run[k] >> np.uint32({PAYLOAD_BITS})) + np.uint32(i)",
        "                w = 1.0",
        *_indented([*_take(there, layout), *full], 16),
        "        if np.int64(m) > at[n]:",
        f"            while m % np.uint64({LANES}):",
        *_indented([f"raw[{b}, m] = raw[{b}, m - np.uint64(1)]" for b in there], 16),
        "                term[0, m] = 0.0",
        "                m += np.uint64(1)",
        *_indented(end_of_part, 12),
        "    if n:",
        f"        {flush}",
    ]
    return "\n".join(lines) + "\n"


def _indented(lines: Sequence[str], spaces: int) -> list[str]:
    return [" " * spaces + line for line in lines]


def _take(there: Sequence[int], layout: RasterLayout) -> list[str]:
    """Return the lines that read the pixel at position ``p`` and keep it, with weight ``w``, if it is clear."""
    skip = [] if layout.mask == ABSENT else [f"if not is_clear[classes[i{layout.mask}]]:", "    continue"]
    return [
        f"row = p >> np.uint32({_ROW_SHIFT})",
        f"col = p & np.uint32({BLOCK - 1})",
        *(f"i{grid} = {_place(grid, factor)}" for grid, factor in enumerate(layout.factors)),
        *skip,
        *(f"raw[{b}, m] = raw{b}[i{layout.bands[b]}]" for b in there),
        "term[0, m] = w",
        "m += np.uint64(1)",
    ]


def _place(grid: int, factor: int) -> str:
    """Return where the pixel at ``row`` and ``col`` of the block lies in a flat raster."""
    if BLOCK % factor:  # a block begins within a pixel
        by = f"np.uint32({factor})"
        return f"(row + row{grid}) // {by} * width{grid} + (col + col{grid}) // {by}"
    shift = f"np.uint32({factor.bit_length() - 1})"  # blocks are a power of two, so this factor is one
    return f"(row >> {shift}) * width{grid} + (col >> {shift})"
