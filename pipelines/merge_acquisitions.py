"""Puts the rows of all scenes together, plot by plot: of several tiles of one acquisition, the one that shows most.

The committed rows of the scenes are taken in ranges of plots. What they say of one range goes into arrays with a line a
plot and a column an acquisition: read line by line these are the output, so nothing is sorted. Memory holds a few
hundred thousand rows, however many plots and dates there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from agrocredit.domain.tables import INSTANT, observations
from pipelines.scene_rows import plots_in, read_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from pipelines.observe_scene import SceneOutcome

ROWS_PER_PART = 150_000
"""Rows in one Parquet part, at most: 6 MB on disk, and ten times that in memory while it is put together."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Merged:
    """All rows of a run, ready to be written part by part."""

    outcomes: Sequence[SceneOutcome]
    plot_ids: pa.StringArray
    names: Sequence[str]
    """Columns of the indices."""
    touched: NDArray[np.bool_]
    """Shape (plots,): whether any scene touches the plot."""
    rows: int
    """Rows after the choice between tiles."""

    def parts(self) -> Iterator[pa.Table]:
        """Yield the rows sorted by plot and time, up to `ROWS_PER_PART` at a time."""
        at_a_time = max(1, ROWS_PER_PART // len({outcome.acquisition for outcome in self.outcomes}))
        done = [0] * len(self.outcomes)
        for first in range(0, len(self.plot_ids), at_a_time):
            plots = range(first, min(first + at_a_time, len(self.plot_ids)))
            said = self._said(plots, done)
            rows = observed_rows(said, self.outcomes, names=self.names, plot_ids=self.plot_ids, plots=plots)
            if rows.num_rows:
                yield rows

    def _said(self, plots: range, done: list[int]) -> Iterator[NDArray[np.void]]:
        """Yield the rows that each scene has of some plots; `done` counts the rows of each that came before."""
        for scene, outcome in enumerate(self.outcomes):
            assert outcome.rows_file is not None  # noqa: S101 - only scenes with rows are merged
            rows = read_rows(outcome.rows_file, self.names, first=done[scene], most=len(plots))
            rows = rows[: np.searchsorted(rows["plot"], plots.stop)]
            done[scene] += rows.size
            yield rows


def merge_acquisitions(outcomes: Sequence[SceneOutcome], *, plot_ids: pa.StringArray, names: Sequence[str]) -> Merged:
    """Return the rows of several scenes as one table to be.

    Parameters
    ----------
    outcomes : sequence of SceneOutcome
        Scenes with committed rows, in order of time and id.
    plot_ids : pyarrow.StringArray
        Ids by the plot numbers of the committed rows, in the order of the output.
    names : sequence of str
        Columns of the indices.
    """
    by_acquisition: dict[str, list[SceneOutcome]] = {}
    for outcome in outcomes:
        by_acquisition.setdefault(outcome.acquisition, []).append(outcome)
    touched, rows = np.zeros(len(plot_ids), dtype=bool), 0
    for tiles in by_acquisition.values():  # one at a time: a flag for every plot and date would grow with the season
        seen = np.zeros(len(plot_ids), dtype=bool)
        for outcome in tiles:
            assert outcome.rows_file is not None  # noqa: S101 - as above
            for plots in plots_in(outcome.rows_file, names, plots=len(plot_ids), at_a_time=ROWS_PER_PART):
                seen[plots] = True
        touched |= seen
        rows += int(seen.sum())
    return Merged(outcomes=outcomes, plot_ids=plot_ids, names=names, touched=touched, rows=rows)


def observed_rows(
    said: Iterable[NDArray[np.void]],
    outcomes: Sequence[SceneOutcome],
    *,
    names: Sequence[str],
    plot_ids: pa.StringArray,
    plots: range,
) -> pa.Table:
    """Return the rows that speak, one a plot and acquisition, sorted by plot and time, with the contract's columns.

    Parameters
    ----------
    said : iterable of ndarray of `agrocredit.domain.tables.scene_row`
        What each scene says of the plots, sorted by plot; taken one by one.
    outcomes : sequence of SceneOutcome
        The scenes, in order of time and id.
    names : sequence of str
        Columns of the indices.
    plot_ids : pyarrow.StringArray
        Ids by number.
    plots : range
        Numbers of the plots.
    """
    looks = _Looks(plots=plots, outcomes=outcomes, names=names)
    for scene, rows in enumerate(said):
        looks.add(rows, scene=scene)
    return looks.rows(plot_ids)


class _Looks:
    """What the acquisitions say of some plots."""

    def __init__(self, *, plots: range, outcomes: Sequence[SceneOutcome], names: Sequence[str]) -> None:
        acquisitions = list(dict.fromkeys(outcome.acquisition for outcome in outcomes))
        self._plots, self._outcomes, self._names = plots, outcomes, names
        self._look = [acquisitions.index(outcome.acquisition) for outcome in outcomes]
        self._scene = np.full((len(plots), len(acquisitions)), -1, np.int32)
        """Which scene speaks, -1 where none does; (plots, acquisitions)."""
        self._values = np.empty((2 + len(names), *self._scene.shape))
        """Columns of the rows but for the plot; (columns, plots, acquisitions)."""
        self._values[0] = -1  # less than any share

    def add(self, rows: NDArray[np.void], *, scene: int) -> None:
        """Let a scene speak where no earlier one of its acquisition shows as large a share clear."""
        look, place = self._look[scene], rows["plot"] - self._plots.start
        speaks = rows["valid_fraction"] > self._values[0, place, look]
        every = speaks.sum() == len(self._plots)  # the rule, and done in a third of the time
        at, chosen = (slice(None), slice(None)) if every else (place[speaks], speaks)
        self._scene[at, look] = scene
        records = rows[chosen].view(np.float64).reshape(-1, 1 + len(self._values))
        self._values[:, at, look] = records[:, 1:].T  # the first is the plot

    def rows(self, plot_ids: pa.StringArray) -> pa.Table:
        """Return the rows that speak, with the columns of the contract."""
        order = self._order()
        plot = np.repeat(np.arange(self._plots.start, self._plots.stop), self._scene.shape[1])[order]
        scene = pa.array(self._scene.ravel()[order])
        scene_ids = pa.array([outcome.scene_id for outcome in self._outcomes], pa.string())
        acquired = pa.array([outcome.acquired_at for outcome in self._outcomes], INSTANT)
        values = [column.ravel()[order] for column in self._values]
        numbers = [pa.array(column, mask=np.isnan(column)) for column in values]
        columns = [plot_ids.take(pa.array(plot)), scene_ids.take(scene), acquired.take(scene), *numbers]
        return pa.table(columns, schema=observations(self._names))

    def _order(self) -> NDArray[np.int64] | slice:
        """Return which entries, counted line by line, are the rows, by plot and time."""
        scene = self._scene.ravel()
        if self._look != sorted(self._look):  # satellites took their tiles in turns: the order differs by plot
            by_time = np.lexsort((scene, np.arange(scene.size) // self._scene.shape[1]))
            return by_time[scene[by_time] >= 0]
        return slice(None) if (scene >= 0).all() else np.flatnonzero(scene >= 0)
