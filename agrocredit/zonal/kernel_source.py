"""The text of the fused kernel for a set of indices: raw pixels of one block in, sums of plots out.

What it does with the parts of a block, in batches of up to `BATCH` clear pixels that stay in the first-level cache:

1. take a span; find its place in the rasters of each resolution (of any whole factor: it stands in the text, and
   dividing by it is mostly a shift); leave it where no pixel of it is clear, copy raw numbers and weights as vectors
   where all are, and pixel by pixel otherwise - clouds are of one piece, so that is seldom (`kernel_spans`);
2. when the next part might not fit, work the batch off: a pixel without data in any band loses its weight, and each
   index becomes value times weight;
3. add the products of each part up in eight lanes, which are joined in one fixed way; where the sum of an index is
   not finite, some product was not: such products are dropped, and the part is added up again (`kernel_batch`).

A field has some fifty pixels, so a batch holds several, each filled up to whole lanes with pixels of no weight: loops
are long enough for vector code, and what a plot adds up to does not depend on its neighbours. Places within a batch
are unsigned numbers: of a signed one the compiler asks each time whether it counts from the end.

The order of every addition is written down in the text, and numba is asked for no fast-math, so the sums are the same
bytes whatever vectors a machine has. Bands, indices, their arithmetic and the resolutions vary; the text is generated
because a call through a pointer for each pixel would cost ten times the arithmetic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agrocredit.zonal.kernel_batch import LANE_SUMS, add_batch
from agrocredit.zonal.kernel_layout import ABSENT
from agrocredit.zonal.kernel_spans import accumulate

if TYPE_CHECKING:
    from agrocredit.zonal.kernel_layout import PixelFormulas, RasterLayout

_HEAD = """from math import sqrt

import numpy as np

U = np.uint64"""
"""Names that both halves and the values of indices use."""


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
            LANE_SUMS,
            add_batch(wanted, there, formulas, floats=layout.floats),
            accumulate(there, layout),
        ]
    )
