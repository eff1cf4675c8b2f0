"""Which stored tiles of a band a window needs: those in which the class map leaves a pixel clear.

What is cloud in whole is never looked at, so decoding it would cost time and could only fail.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

_TILES_MAX = 256
"""In a window; a file of narrow strips has more, and is read whole rather than asked about one by one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClearWindow:
    """The clear pixels of a window of the scene's grid, in the resolution of the class map."""

    row0: int
    col0: int
    """First row and column of the window, in pixels of the scene's grid."""
    factor: int
    """Pixels of the scene's grid along one of the map."""
    is_clear: NDArray[np.bool_]
    """Rows ``row0 // factor`` on, columns alike; not changed any more."""
    _asked: dict[tuple[int, int, int, int], bool] = field(default_factory=dict, init=False)
    """Answers: bands of one resolution ask about the same tiles."""

    def any_clear(self, row0: int, row1: int, col0: int, col1: int) -> bool:
        """Return whether a pixel is clear that touches a window of the scene's grid."""
        window = (row0, row1, col0, col1)
        if window not in self._asked:
            self._asked[window] = self._any_clear(*window)
        return self._asked[window]

    def _any_clear(self, row0: int, row1: int, col0: int, col1: int) -> bool:
        top, left = self.row0 // self.factor, self.col0 // self.factor
        rows = slice(max(row0 // self.factor - top, 0), max(-(-row1 // self.factor) - top, 0))
        columns = slice(max(col0 // self.factor - left, 0), max(-(-col1 // self.factor) - left, 0))
        return bool(self.is_clear[rows, columns].any())


class TileSpan(NamedTuple):
    """The part of one stored tile that lies in a window, in pixels of the band."""

    row0: int
    row1: int
    col0: int
    col1: int

    def part_of(self, window: NDArray[Any], rows: tuple[int, int], columns: tuple[int, int]) -> NDArray[Any]:
        """Return this part of an array that holds a window of the band, as a view."""
        return window[self.row0 - rows[0] : self.row1 - rows[0], self.col0 - columns[0] : self.col1 - columns[0]]


def spans(rows: tuple[int, int], columns: tuple[int, int], *, tile: tuple[int, int]) -> Iterator[TileSpan]:
    """Yield what each stored tile contributes to a window, row by row.

    Parameters
    ----------
    rows, columns : tuple of int
        Half-open window in pixels of the band.
    tile : tuple of int
        Rows and columns of a stored tile.

    >>> [(one.col0, one.col1) for one in spans((0, 10), (5, 40), tile=(16, 16))]
    [(5, 16), (16, 32), (32, 40)]
    """
    down, across = tile
    for row in range(rows[0] // down * down, rows[1], down):
        for column in range(columns[0] // across * across, columns[1], across):
            yield TileSpan(
                row0=max(row, rows[0]),
                row1=min(row + down, rows[1]),
                col0=max(column, columns[0]),
                col1=min(column + across, columns[1]),
            )


def clouded(
    clear: ClearWindow | None, *, rows: tuple[int, int], columns: tuple[int, int], tile: tuple[int, int], factor: int
) -> list[TileSpan]:
    """Return the tiles of a window that need not be decoded.

    Parameters
    ----------
    clear : ClearWindow or None
        None where nothing is known of clouds: then every tile is needed.
    rows, columns, tile
        As in `spans`.
    factor : int
        Pixels of the scene's grid along one of the band.
    """
    count = (-(-rows[1] // tile[0]) - rows[0] // tile[0]) * (-(-columns[1] // tile[1]) - columns[0] // tile[1])
    if clear is None or count > _TILES_MAX:
        return []
    return [
        one
        for one in spans(rows, columns, tile=tile)
        if not clear.any_clear(one.row0 * factor, one.row1 * factor, one.col0 * factor, one.col1 * factor)
    ]
