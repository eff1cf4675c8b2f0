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

from agrocredit.zonal.layout import BLOCK, FULL, LENGTH_BITS, POSITION_BITS, SPAN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

BATCH = 512
"""Clear pixels gathered before the arithmetic starts; a multiple of the lanes."""
LANES = 8
_INDICES_A_LOOP = 6
"""Indices worked out in one loop: more share the reading of bands, too many are no longer made vector code."""
STRIDE = 8
"""Pixels of a span that are copied at once."""
ROOM = BATCH + SPAN + STRIDE
"""Room for a batch: what is written at once may reach beyond its end."""
_IN_VECTORS: dict[int, Callable[[int], str]] = {
    1: lambda lane: f"j + U({lane})",
    2: lambda lane: f"(j >> U(1)) + U({lane // 2})" + (" + (col & U(1))" if lane % 2 else ""),
}
"""Factors of rasters that are copied whole lanes at a time: where each lane comes from."""
ABSENT = -1
"""Stands in a layout for a raster that is not there."""
_DENSE_PARTS = 2048
"""Parts of a block from which on its rows are read ahead; for fewer the pixels between them would cost more."""
_ROWS_AHEAD = 24
_TOUCH_PIXELS = 32
"""16-bit pixels in a line of the cache."""
_CUT = (1 << LENGTH_BITS) - 1


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
_STRIDE = range(STRIDE)
_HEAD = f"""from math import sqrt

import numpy as np

U = np.uint64


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
    begin = "n, m = 0, U(0)"
    end_of_part = [
        f"while m % U({LANES}):",
        *_indented([f"raw[{b}, m] = raw[{b}, m - U(1)]" for b in there], 4),
        "    term[0, m] = 0.0",
        "    m += U(1)",
        "at[n + 1], out[n] = m, part_plot[q]",
        "n += 1",
    ]
    lines = [
        "def accumulate(edge, span, before, after, part_edge_at, part_span_at, part_plot, part_from, part_to,",
        f"               classes, is_clear, places, scale, offset, nodata, has_nodata, {raws},",
        "               raw, term, at, out, sums, weights, clear):",
        *(
            f"    row{grid}, col{grid}, width{grid}, size{grid} = "
            f"places[{grid}, 0], places[{grid}, 1], places[{grid}, 2], places[{grid}, 3]"
            for grid in range(len(layout.factors))
        ),
        f"    {begin}",
        "    at[0] = 0",
        "    ahead, touched = U(0), 0",
        "    for q in range(part_from, part_to):",
        "        most = np.int64(m)",
        "        for k in range(part_span_at[q], part_span_at[q + 1]):",
        f"            most += np.int64(span[k]) & {_CUT}",
        f"        if most > {BATCH} and n:",
        *_indented([flush, begin], 12),
        *_indented(_read_ahead(there, layout), 8),
        "        edges_to = U(part_edge_at[q])",
        "        for k in range(U(part_span_at[q]), U(part_span_at[q + 1])):",
        f"            length = U(span[k]) & U({_CUT})",
        f"            row = U(span[k]) >> U({LENGTH_BITS + POSITION_BITS // 2})",
        f"            col = U(span[k]) >> U({LENGTH_BITS}) & U({BLOCK - 1})",
        "            first, last = U(before[k]), U(after[k])",
        "            edges_from, edges_to = edges_to, edges_to + first + last",
        *(f"            i{grid} = {_place(grid, factor)}" for grid, factor in enumerate(layout.factors)),
        *_indented(_whether_clear(layout), 12),
        f"            if m + length > U({BATCH}):",
        *_indented([*end_of_part, flush, begin], 16),
        f"            if {_is_vector(layout)}:",
        *_indented(_take_span(there, layout), 16),
        "            else:",
        "                for j in range(length):",
        *_indented(_take_pixel(there, layout), 20),
        "        if np.int64(m) > at[n]:",
        *_indented(end_of_part, 12),
        "    if n:",
        f"        {flush}",
        "    at[0] = touched",  # so that no compiler leaves the reading out
    ]
    return "\n".join(lines) + "\n"


def _read_ahead(there: Sequence[int], layout: RasterLayout) -> Iterator[str]:
    """Yield the lines that touch the next rows of pixels, so that they are in the second-level cache when they count.

    Parts come from the top of a block to its bottom. Each reads short pieces of many rows, which no processor foresees;
    whole rows it does.
    """
    yield f"if part_to - part_from >= {_DENSE_PARTS}:"
    first_row = f"U(span[part_span_at[q]]) >> U({LENGTH_BITS + POSITION_BITS // 2})"
    yield f"    reach = min(({first_row}) + U({_ROWS_AHEAD}), U({BLOCK}))"
    yield "    while ahead < reach:"
    for band in there:
        grid = layout.bands[band]
        factor = layout.factors[grid]
        yield f"        if ahead % U({factor}) == U(0):"
        yield f"            i = {_place(grid, factor, row='ahead', col='U(0)')}"
        yield f"            row_to = min(i + width{grid}, U(raw{band}.size))"
        yield "            while i < row_to:"
        yield f"                touched += raw{band}[i] > 0"
        yield f"                i += U({_TOUCH_PIXELS})"
    yield "        ahead += U(1)"


def _indented(lines: Iterable[str], spaces: int) -> list[str]:
    return [" " * spaces + line for line in lines]


def _whether_clear(layout: RasterLayout) -> list[str]:
    """Return the lines that count the clear pixels of the class map along a span, and leave a span without any."""
    if layout.mask == ABSENT:
        return []
    end = _place(layout.mask, layout.factors[layout.mask], col="(col + length - U(1))")
    return [
        "seen = U(0)",
        f"classes_to = {end} + U(1)",
        f"for i in range(i{layout.mask}, classes_to):",
        "    seen += U(is_clear[classes[i]])",
        "if seen == U(0):",
        "    continue",
    ]


def _is_vector(layout: RasterLayout) -> str:
    """Return whether a span may be copied whole lanes at a time: it is clear, and nothing behind an array is read."""
    clear = [] if layout.mask == ABSENT else [f"seen == classes_to - i{layout.mask}"]
    ends = [
        f"i{grid} + (length + U({STRIDE})) // U({factor}) < size{grid}"
        for grid, factor in enumerate(layout.factors)
        if factor in _IN_VECTORS
    ]
    return " and ".join([*clear, f"edges_to + U({LANES}) <= U(edge.size)", *ends])


def _take_span(there: Sequence[int], layout: RasterLayout) -> Iterator[str]:
    """Yield the lines that keep a span of clear pixels.

    What they write beyond its end is overwritten, or not used. Most spans are shorter than `STRIDE`, and the first
    stride of a loop is taken without asking, because a wrong guess costs more than the stride.
    """
    yield from _edges("first", start="edges_from + j", to="m + j")
    ones = _copy("term[0, m + first + j", ["1.0"] * STRIDE)
    bands = {band: layout.bands[band] for band in there}
    vectors = {band: grid for band, grid in bands.items() if layout.factors[grid] in _IN_VECTORS}
    copied = [
        _copy(f"raw[{band}, m + j", [f"raw{band}[i{grid} + {_IN_VECTORS[layout.factors[grid]](at)}]" for at in _STRIDE])
        for band, grid in vectors.items()
    ]
    yield "j = U(0)"
    yield "while True:"
    yield from _indented([line for lines in (ones, *copied) for line in lines], 4)
    yield f"    j += U({STRIDE})"
    yield "    if j >= length:"
    yield "        break"
    yield from _edges("last", start="edges_from + first + j", to="m + length - last + j")
    for band in bands.keys() - vectors.keys():
        grid = bands[band]
        yield "for j in range(length):"
        yield f"    raw[{band}, m + j] = raw{band}[{_place(grid, layout.factors[grid], col='(col + j)')}]"
    yield "m += length"


def _edges(count: str, *, start: str, to: str) -> Iterator[str]:
    """Yield the lines that copy weights of edges."""
    yield "j = U(0)"
    yield "while True:"
    yield from _indented(_copy(f"term[0, {to}", [_edge_weight(f"{start} + U({lane})") for lane in _LANE]), 4)
    yield f"    j += U({LANES})"
    yield f"    if j >= {count}:"
    yield "        break"


def _copy(to: str, values: Sequence[str]) -> list[str]:
    """Return lines that read some values, then write them: read together and written together, they are vectors."""
    return [
        "; ".join(f"v{at} = {value}" for at, value in enumerate(values)),
        "; ".join(f"{to} + U({at})] = v{at}" for at in range(len(values))),
    ]


def _edge_weight(at: str) -> str:
    return f"np.float64(edge[{at}]) * {1 / FULL!r}"


def _take_pixel(there: Sequence[int], layout: RasterLayout) -> list[str]:
    """Return the lines that keep pixel ``j`` of a span if it is clear."""
    places = [f"p{grid} = {_place(grid, factor, col='(col + j)')}" for grid, factor in enumerate(layout.factors)]
    skip = [] if layout.mask == ABSENT else [f"if not is_clear[classes[p{layout.mask}]]:", "    continue"]
    return [
        *places,
        *skip,
        "w = 1.0",
        "if j < first:",
        f"    w = {_edge_weight('edges_from + j')}",
        "elif j + last >= length:",
        f"    w = {_edge_weight('edges_to + j - length')}",
        *(f"raw[{b}, m] = raw{b}[p{layout.bands[b]}]" for b in there),
        "term[0, m] = w",
        "m += U(1)",
    ]


def _place(grid: int, factor: int, *, row: str = "row", col: str = "col") -> str:
    """Return where the pixel at a row and column of the block lies in a flat raster."""
    if BLOCK % factor:  # a block begins within a pixel
        return f"({row} + row{grid}) // U({factor}) * width{grid} + ({col} + col{grid}) // U({factor})"
    shift = f"U({factor.bit_length() - 1})"  # blocks are a power of two, so this factor is one
    return f"({row} >> {shift}) * width{grid} + ({col} >> {shift})"
