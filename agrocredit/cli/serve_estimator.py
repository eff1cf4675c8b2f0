"""The estimator of ``serve``: a process of its own that knows pixels, asked for plots that no flow has seen yet."""

from __future__ import annotations

import asyncio
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import typer

from agrocredit.domain.errors import AgrocreditError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import pyarrow as pa
    import shapely

    from pipelines.estimate_drawn import SeasonSources

ANSWER_SECONDS_MAX = 5.0
ASKED_MAX = 8
"""Plots that the process has or that wait for it; more are left to a flow at once. A longer line would answer nobody in
time: each would wait out its seconds, and those before it would be estimated for nobody."""


class CubeEstimator:
    """Estimates from a season cube; where it cannot, there is no evidence yet, and never a number.

    Parameters
    ----------
    sources : SeasonSources
    """

    def __init__(self, sources: SeasonSources) -> None:
        self._sources = sources
        self._pool = self._start()
        self._asked = 0

    async def __call__(
        self, geometry: shapely.Geometry, *, plot_id: str, crop: str, harvest_year: int, as_of: date
    ) -> pa.Table | None:
        """Return the plot's rows of `agrocredit.domain.tables.ESTIMATES`, None where there is no evidence of it."""
        import pyarrow as pa
        import shapely

        from agrocredit.domain.tables import ESTIMATES
        from pipelines.estimate_drawn import estimate_drawn

        if self._asked >= ASKED_MAX:
            _say("estimator_busy")
            return None
        work = partial(
            estimate_drawn,
            shapely.to_wkb(geometry),
            plot_id=plot_id,
            crop=crop,
            harvest_year=harvest_year,
            as_of=as_of,
            sources=self._sources,
        )
        self._asked += 1
        try:
            rows = await self._answer(work)
        finally:
            self._asked -= 1
        return None if rows is None else pa.Table.from_pylist(rows, schema=ESTIMATES)

    async def _answer(self, work: Callable[[], list[dict[str, Any]] | None]) -> list[dict[str, Any]] | None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except BrokenProcessPool:
            self._pool = self._start()
            _say("estimator_died")
        except TimeoutError:
            _say("estimator_slow")
        except AgrocreditError as error:
            _say(error.code)
        return None

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    @staticmethod
    def _start() -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"), initializer=_warm_up)
        pool.submit(int)  # begins to import now, not at the first farmer
        return pool


def _warm_up() -> None:
    """Load what the first plot would have to wait for, and take one thread: the service has the other cores."""
    import os

    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import torch

    torch.set_num_threads(1)
    import pipelines.estimate
    import pipelines.fresh

    assert pipelines.estimate and pipelines.fresh  # noqa: S101, PT018 - imported for their loading


def _say(code: str) -> None:
    typer.echo(f"estimator: {code}; the application waits for evidence", err=True)
