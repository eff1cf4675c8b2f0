"""Coverage weights of plots on one grid: what was built once and serves every date and index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.domain.errors import InputUnusableError
from agrocredit.zonal.layout import BLOCK, FULL, LENGTH_BITS, POSITION_BITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agrocredit.domain.grid import Grid

ARRAYS: dict[str, type[np.generic]] = {
    "edge": np.uint32,
    "span": np.uint32,
    "before": np.uint16,
    "after": np.uint16,
    "part_plot": np.int32,
    "part_edge_at": np.int64,
    "part_span_at": np.int64,
    "block_part_at": np.int64,
    "area_px": np.float64,
}
"""Arrays of `CoverageWeights` and their types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A window of the grid that at least one plot touches: the unit of reading and of work."""

    index: int
    row0: int
    row1: int
    col0: int
    col1: int
    part_from: int
    """The block's parts are ``part_from`` to ``part_to``, the last not included."""
    part_to: int

    def window(self, factor: int) -> tuple[int, int, int, int]:
        """Return row0, row1, col0, col1 on a grid whose pixels are `factor` times as large: all that the block touches.

        >>> Block(index=0, row0=1024, row1=2048, col0=0, col1=99, part_from=0, part_to=1).window(6)
        (170, 342, 0, 17)
        """
        return self.row0 // factor, -(-self.row1 // factor), self.col0 // factor, -(-self.col1 // factor)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CoverageWeights:
    """Covered shares of pixels for `n_plots` plots on one grid. Layout of the arrays: `agrocredit.zonal.layout`."""

    grid: Grid
    key: str
    """Content hash of plots, grid and format."""
    edge: NDArray[np.uint32]
    """Weights of partly covered pixels, in the order of their spans."""
    span: NDArray[np.uint32]
    """Covered pixels side by side: position of the first, and length."""
    before: NDArray[np.uint16]
    """Partly covered pixels at the beginning of each span."""
    after: NDArray[np.uint16]
    """Partly covered pixels at the end of each span; those between are covered whole."""
    part_plot: NDArray[np.int32]
    """Plot of each part."""
    part_edge_at: NDArray[np.int64]
    """Where each part begins in `edge`, and the end; (parts + 1,)."""
    part_span_at: NDArray[np.int64]
    """Where each part begins in `span`, and the end; (parts + 1,)."""
    block_part_at: NDArray[np.int64]
    """Where each block begins in the parts, and the end; (blocks + 1,), blocks row by row."""
    area_px: NDArray[np.float64]
    """Area of each whole plot in pixels, on the grid or not; (plots,)."""

    def __post_init__(self) -> None:
        for name, dtype in ARRAYS.items():
            array = getattr(self, name)
            if array.ndim != 1 or array.dtype != dtype:
                raise _broken(
                    f"{name} is {array.dtype} with {array.ndim} dimensions, expected {np.dtype(dtype)} with 1"
                )
            # Plain read-only views, mapped or not, as loops want them.
            view = np.asarray(np.require(array, requirements=["C", "A"])).view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)
        self._check_sizes()

    def _check_sizes(self) -> None:
        parts, blocks = self.part_plot.size, self.blocks_down * self.blocks_across
        expected = {
            "part_edge_at": parts + 1,
            "part_span_at": parts + 1,
            "block_part_at": blocks + 1,
            "before": self.span.size,
            "after": self.span.size,
        }
        for name, size in expected.items():
            if getattr(self, name).size != size:
                raise _broken(f"{name} has {getattr(self, name).size} items, expected {size}")
        ends = (self.part_edge_at[-1], self.part_span_at[-1], self.block_part_at[-1])
        if ends != (self.edge.size, self.span.size, parts):
            raise _broken(f"offsets end at {ends}, expected {(self.edge.size, self.span.size, parts)}")

    @property
    def n_plots(self) -> int:
        """Number of plots, those without a pixel on the grid included."""
        return self.area_px.size

    @property
    def blocks_down(self) -> int:
        """Rows of blocks."""
        return -(-self.grid.height // BLOCK)

    @property
    def blocks_across(self) -> int:
        """Columns of blocks."""
        return -(-self.grid.width // BLOCK)

    @property
    def nbytes(self) -> int:
        """Size of all arrays, in memory or on disk."""
        return sum(getattr(self, name).nbytes for name in ARRAYS)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks that hold plots, row by row; the others need not be read."""
        occupied = np.flatnonzero(np.diff(self.block_part_at))
        return tuple(self._block(int(index)) for index in occupied)

    def _block(self, index: int) -> Block:
        row0, col0 = (BLOCK * number for number in divmod(index, self.blocks_across))
        return Block(
            index=index,
            row0=row0,
            row1=min(row0 + BLOCK, self.grid.height),
            col0=col0,
            col1=min(col0 + BLOCK, self.grid.width),
            part_from=int(self.block_part_at[index]),
            part_to=int(self.block_part_at[index + 1]),
        )

    @property
    def plots_on_grid(self) -> NDArray[np.intp]:
        """Numbers of the plots that cover at least a piece of a pixel, rising."""
        on_grid = np.zeros(self.n_plots, np.bool_)
        on_grid[self.part_plot] = True
        return np.flatnonzero(on_grid)

    def entries(self, plot: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Return rows, columns and covered shares of one plot's pixels, by row, then column; slow, for looking."""
        rows, cols, shares = [], [], []
        for block in self.blocks:
            for part in block.part_from + np.flatnonzero(self.part_plot[block.part_from : block.part_to] == plot):
                position, weight = self._unpack(int(part))
                rows.append(block.row0 + (position >> POSITION_BITS // 2))
                cols.append(block.col0 + (position & (BLOCK - 1)))
                shares.append(weight / FULL)
        row, col, share = (np.concatenate([*parts, np.zeros(0)]) for parts in (rows, cols, shares))
        order = np.lexsort((col, row))
        return row[order].astype(np.int64), col[order].astype(np.int64), share[order]

    def _unpack(self, part: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        spans = slice(self.part_span_at[part], self.part_span_at[part + 1])
        edges_to = int(self.part_edge_at[part])
        positions, weights = [], []
        for word, before, after in zip(
            *(array[spans].tolist() for array in (self.span, self.before, self.after)), strict=True
        ):
            length = word & ((1 << LENGTH_BITS) - 1)
            edges, edges_to = self.edge[edges_to : edges_to + before + after], edges_to + before + after
            inside = np.full(length - edges.size, FULL)
            positions.append(np.arange(length) + (word >> LENGTH_BITS))
            weights.append(np.concatenate([edges[:before], inside, edges[before:]]))
        return np.concatenate(positions), np.concatenate(weights)


def _broken(detail: str) -> InputUnusableError:
    return InputUnusableError("weights_invalid", f"coverage weights: {detail}")
