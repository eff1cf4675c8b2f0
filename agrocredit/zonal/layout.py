"""How coverage weights lie in memory.

The grid is cut into blocks of `BLOCK` x `BLOCK` pixels. A plot's pixels inside one block are a *part*; the parts are
sorted by block, then by plot, so that one block's parts lie together. A part holds two kinds of 32-bit words, both with
the pixel's position in the block (row, then column) in the upper 20 bits:

- an *edge*: a pixel that the plot covers partly. Its lower 12 bits are the upper bits of a 28-bit weight, whose lower
  16 bits stand in an array beside it;
- a *run*: fully covered pixels along a row. Its lower 12 bits are their number.

Most pixels of a field are inside it, so runs pay for the wide weights of the edges
(``docs/decisions/0003-coverage-weights.md`` has the figures).
"""

from __future__ import annotations

BLOCK = 1024
"""Pixels along the side of a block."""
POSITION_BITS = 20
"""Row and column within a block, 10 bits each."""
PAYLOAD_BITS = 12
"""What is left of 32."""
FULL = 1 << 28
"""The weight of a fully covered pixel; an edge's weight lies between 1 and ``FULL - 1``."""
FORMAT = 2
"""Raise when the layout or the arithmetic of weights changes; kept files of another format are built anew."""
