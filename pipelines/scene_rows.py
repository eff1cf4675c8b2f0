"""The rows that a scene commits: one record a plot, sorted by plot, so that some plots are one piece of the file.

A piece is read and not mapped: the system counts pages of a mapped file as memory, brings in more of them than are
asked for, and takes ten times as long for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agrocredit.domain.tables import scene_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


def write_rows(rows: NDArray[np.void], path: Path) -> None:
    """Write the rows of a scene atomically.

    Parameters
    ----------
    rows : ndarray of `agrocredit.domain.tables.scene_row`
        Sorted by plot.
    path : Path
    """
    from agrocredit.store.atomic import atomic_file

    with atomic_file(path) as temporary:
        temporary.write_bytes(rows.data)


def read_rows(path: Path, names: Sequence[str], *, first: int, most: int) -> NDArray[np.void]:
    """Return some rows of a scene.

    Parameters
    ----------
    path : Path
        As `write_rows` writes it.
    names : sequence of str
        Columns of the indices.
    first : int
        Position of the first row to return, from 0.
    most : int
        Rows to return; fewer where the file ends.
    """
    kind = scene_row(names)
    return np.fromfile(path, kind, count=most, offset=first * kind.itemsize)


def plots_in(path: Path, names: Sequence[str], *, plots: int, at_a_time: int) -> Iterator[NDArray[np.int64] | slice]:
    """Yield the numbers of the plots that a scene has rows of, piece by piece, or all of them in one slice.

    Parameters
    ----------
    path, names
        As in `read_rows`.
    plots : int
        Of the run.
    at_a_time : int
        Rows that are in memory together.
    """
    if path.stat().st_size == plots * scene_row(names).itemsize:  # none is there twice, so all are there
        yield slice(plots)
        return
    first = 0
    while (rows := read_rows(path, names, first=first, most=at_a_time)).size:
        yield rows["plot"]
        first += rows.size
