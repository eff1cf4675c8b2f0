"""The half of the kernel's text that works a batch off: values of indices, and their sums by plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agrocredit.zonal.kernel_layout import LANES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agrocredit.zonal.kernel_layout import PixelFormulas

_INDICES_A_LOOP = 6
"""Indices worked out in one loop: more share the reading of bands, too many are no longer made vector code."""
_LANE = range(LANES)
LANE_SUMS = f"""def lane_sum(term, row, first, last):
    row = U(row)
    {" = ".join(f"lane{lane}" for lane in _LANE)} = 0.0
    for t in range(U(first), U(last), U({LANES})):
        {"; ".join(f"lane{lane} += term[row, t + U({lane})]" for lane in _LANE)}
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
"""Functions that add up, and mend, the products of one part."""
_IS_NODATA = {
    False: "((raw[{b}, t] == nodata[{b}]) & has_nodata[{b}])",
    True: "(((raw[{b}, t] == nodata[{b}]) & has_nodata[{b}]) | (not abs(raw[{b}, t]) < np.inf))",
}
"""By whether raw numbers are floats: what a pixel without data looks like."""


def add_batch(wanted: Sequence[int], there: Sequence[int], formulas: PixelFormulas, *, floats: bool) -> str:
    """Return the function that adds the gathered pixels to the sums of their plots.

    Pixels ``at[s]`` to ``at[s + 1]`` belong to plot ``out[s]``; row 0 of ``term`` holds weights, row ``k + 1`` becomes
    index ``k`` times weight.
    """
    without = " | ".join(_IS_NODATA[floats].format(b=b) for b in there)
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
