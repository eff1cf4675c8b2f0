"""Puts the rows of all scenes together, plot by plot: of several tiles of one acquisition, the one that shows most.

The committed tables of the scenes are cut into ranges of plots, and the rows of one range are copied out of each file
while it is mapped, one file at a time: pages of a mapped file count as memory, and the system maps more of them than
are asked for. So memory holds a few hundred thousand rows, however many plots and dates there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from agrocredit.domain.tables import INSTANT, observations

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pipelines.observe_scene import SceneOutcome

ROWS_PER_PART = 150_000
"""Rows in one Parquet part, at most: 6 MB on disk, and ten times that in memory while it is put together."""

FIXED_COLUMNS = ("plot", "valid_fraction", "pixel_count")
"""What a scene's committed rows hold before the indices."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Merged:
    """All rows of a run, ready to be written part by part."""

    outcomes: Sequence[SceneOutcome]
    plot_ids: pa.StringArray
    touched: NDArray[np.bool_]
    """Shape (plots,): whether any scene touches the plot."""
    rows: int
    """Rows after the choice between tiles."""

    def parts(self) -> Iterator[pa.Table]:
        """Yield the rows sorted by plot and time, up to `ROWS_PER_PART` at a time."""
        plots = max(1, ROWS_PER_PART // len({outcome.acquisition for outcome in self.outcomes}))
        for first in range(0, len(self.plot_ids), plots):
            rows = observed_rows(
                [_between(_mapped(outcome), first=first, last=first + plots) for outcome in self.outcomes],
                self.outcomes,
                plot_ids=self.plot_ids,
            )
            if rows.num_rows:
                yield rows


def merge_acquisitions(outcomes: Sequence[SceneOutcome], *, plot_ids: pa.StringArray) -> Merged:
    """Return the rows of several scenes as one table to be.

    Parameters
    ----------
    outcomes : sequence of SceneOutcome
        Scenes with committed rows, in order of time and id.
    plot_ids : pyarrow.StringArray
        Ids by the plot numbers of the committed rows, in the order of the output.
    """
    by_acquisition: dict[str, list[SceneOutcome]] = {}
    for outcome in outcomes:
        by_acquisition.setdefault(outcome.acquisition, []).append(outcome)
    touched, rows = np.zeros(len(plot_ids), dtype=bool), 0
    for tiles in by_acquisition.values():  # one at a time: a flag for every plot and date would grow with the season
        seen = np.zeros(len(plot_ids), dtype=bool)
        for outcome in tiles:
            seen[_mapped(outcome)["plot"].to_numpy()] = True
        touched |= seen
        rows += int(seen.sum())
    return Merged(outcomes=outcomes, plot_ids=plot_ids, touched=touched, rows=rows)


def _mapped(outcome: SceneOutcome) -> pa.Table:
    """Return the rows of a scene, mapped for as long as something refers to them."""
    assert outcome.rows_file is not None  # noqa: S101 - only scenes with rows are merged
    with pa.memory_map(str(outcome.rows_file)) as source:
        return pa.ipc.open_file(source).read_all()


def _between(table: pa.Table, *, first: int, last: int) -> pa.Table:
    """Return a copy of the rows of plots `first` to before `last`, so that the table's file need not stay mapped."""
    low, high = np.searchsorted(table["plot"].to_numpy(), (first, last))
    return table.take(pa.array(np.arange(low, high)))


def observed_rows(
    tables: Sequence[pa.Table], outcomes: Sequence[SceneOutcome], *, plot_ids: pa.StringArray
) -> pa.Table:
    """Return the rows that speak, one a plot and acquisition, sorted by plot and time, with the contract's columns.

    Parameters
    ----------
    tables : sequence of pyarrow.Table
        What each scene says, sorted by ``plot``, a number into `plot_ids`.
    outcomes : sequence of SceneOutcome
        The scenes, in order of time and id.
    plot_ids : pyarrow.StringArray
        Ids by number.
    """
    numbered = [
        table.append_column("scene", pa.array(np.full(table.num_rows, scene, dtype=np.int32)))
        for scene, table in enumerate(tables)
    ]
    rows = pa.concat_tables(numbered)
    return _as_observations(rows.take(pa.array(_speaking(rows, outcomes))), outcomes, plot_ids)


def _speaking(rows: pa.Table, outcomes: Sequence[SceneOutcome]) -> NDArray[np.intp]:
    """Return positions of one row a plot and acquisition, sorted by plot and time.

    The largest share seen clear wins, then the earlier scene: outcomes are sorted by time and id.
    """
    plot, scene = rows["plot"].to_numpy(), rows["scene"].to_numpy()
    by_plot_and_time = np.argsort(plot * len(outcomes) + scene, kind="stable")  # runs that are sorted already: cheap
    names = sorted({outcome.acquisition for outcome in outcomes})
    if len(names) == len(outcomes):
        return by_plot_and_time
    acquisition = np.array([names.index(outcome.acquisition) for outcome in outcomes])[scene]
    best_first = np.lexsort((scene, -rows["valid_fraction"].to_numpy(), acquisition, plot))
    is_first = np.ones(best_first.size, dtype=bool)
    is_first[1:] = (np.diff(plot[best_first]) != 0) | (np.diff(acquisition[best_first]) != 0)
    speaks = np.zeros(best_first.size, dtype=bool)
    speaks[best_first[is_first]] = True
    return by_plot_and_time[speaks[by_plot_and_time]]


def _as_observations(rows: pa.Table, outcomes: Sequence[SceneOutcome], ids: pa.Array) -> pa.Table:
    """Return the rows with the columns of the contract."""
    scene = rows["scene"].to_numpy()
    scene_ids = pa.array([outcome.scene_id for outcome in outcomes], pa.string())
    acquired = pa.array([outcome.acquired_at for outcome in outcomes], INSTANT)
    names = [name for name in rows.column_names if name not in {*FIXED_COLUMNS, "scene"}]
    columns = [
        ids.take(rows["plot"].combine_chunks()),
        scene_ids.take(pa.array(scene)),
        acquired.take(pa.array(scene)),
        rows["valid_fraction"],
        rows["pixel_count"],
        *(rows[name] for name in names),
    ]
    return pa.table(columns, schema=observations(names))
