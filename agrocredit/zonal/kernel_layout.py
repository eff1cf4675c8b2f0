"""What varies between kernels: the arithmetic of indices, and which rasters share a grid; and the size of a batch."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

from agrocredit.zonal.layout import SPAN

BATCH = 512
"""Clear pixels gathered before the arithmetic starts; a multiple of the lanes."""
LANES = 8
"""Pixels that are copied, worked out and added up side by side."""
ROOM = BATCH + SPAN + LANES
"""Room for a batch: what is written side by side may reach beyond its end."""
ABSENT = -1
"""Stands in a layout for a raster that is not there."""


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
