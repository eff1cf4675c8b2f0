"""The half of the kernel's text that walks the parts of a block and gathers their clear pixels into batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agrocredit.zonal.kernel_layout import ABSENT, BATCH, LANES
from agrocredit.zonal.layout import BLOCK, FULL, LENGTH_BITS, POSITION_BITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from agrocredit.zonal.kernel_layout import RasterLayout

_IN_VECTORS: dict[int, Callable[[int], str]] = {
    1: lambda lane: f"j + U({lane})",
    2: lambda lane: f"(j >> U(1)) + U({lane // 2})" + (" + (col & U(1))" if lane % 2 else ""),
}
"""Factors of rasters that are copied whole lanes at a time: where each lane comes from."""
_DENSE_PARTS = 2048
"""Parts of a block from which on its rows are read ahead; for few, the pixels between them cost more than it saves."""
_ROWS_AHEAD = 24
_TOUCH_PIXELS = 32
"""16-bit pixels in a line of the cache."""
_CUT = (1 << LENGTH_BITS) - 1
_LANE = range(LANES)


def accumulate(there: Sequence[int], layout: RasterLayout) -> str:
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
        f"i{grid} + (length + U({LANES})) // U({factor}) < size{grid}"
        for grid, factor in enumerate(layout.factors)
        if factor in _IN_VECTORS
    ]
    return " and ".join([*clear, f"edges_to + U({LANES}) <= U(edge.size)", *ends])


def _take_span(there: Sequence[int], layout: RasterLayout) -> Iterator[str]:
    """Yield the lines that keep a span of clear pixels.

    What they write beyond its end is overwritten, or not used. Spans are short, so the first lanes of a loop are
    copied without asking how many there are: a wrong guess of the processor costs more than copying them.
    """
    yield from _edges("first", start="edges_from + j", to="m + j")
    ones = _copy("term[0, m + first + j", ["1.0"] * LANES)
    bands = {band: layout.bands[band] for band in there}
    vectors = {band: grid for band, grid in bands.items() if layout.factors[grid] in _IN_VECTORS}
    copied = [
        _copy(f"raw[{band}, m + j", [f"raw{band}[i{grid} + {_IN_VECTORS[layout.factors[grid]](at)}]" for at in _LANE])
        for band, grid in vectors.items()
    ]
    yield "j = U(0)"
    yield "while True:"
    yield from _indented([line for lines in (ones, *copied) for line in lines], 4)
    yield f"    j += U({LANES})"
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
