"""How coverage weights lie in memory.

The grid is cut into blocks of `BLOCK` x `BLOCK` pixels. A plot's pixels inside one block are a *part*. The parts of a
block lie together, from its top to its bottom, because what is read together should lie together. A part is made of
*spans*, up to `SPAN` pixels side by side in a row of pixels:

- a span's 32-bit word has the position of its first pixel in the block (row, then column) in the upper 20 bits and its
  length in the lower 12;
- its first ``before`` pixels and its last ``after`` ones are *edges*, which the plot covers partly; those between are
  covered whole. Weights of edges stand in 32 bits each, in the order of their pixels.

Pixels side by side are read as vectors. Most of a field is covered whole, and what those weights save pays for exact
weights at the edges (``docs/decisions/0003-coverage-weights.md`` has the figures).
"""

from __future__ import annotations

BLOCK = 1024
"""Pixels along the side of a block."""
POSITION_BITS = 20
"""Row and column within a block, 10 bits each."""
LENGTH_BITS = 12
"""What is left of 32."""
SPAN = 256
"""Pixels of a span, at most; longer rows are several."""
FULL = 1 << 28
"""The weight of a fully covered pixel; an edge's weight lies between 1 and ``FULL - 1``."""
FORMAT = 3
"""Raise when the layout or the arithmetic of weights changes; kept files of another format are built anew."""
