"""Blocking work, such as SQL, in a few threads with a short queue: what does not fit is told to come again."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from agrocredit.service.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

_Result = TypeVar("_Result")


class Workers:
    """A bounded pool of threads.

    Parameters
    ----------
    threads : int
        Work at once.
    waiting_max : int
        Work accepted and not yet done; beyond it callers are refused at once, so that a slow database does not
        become a long queue.
    """

    def __init__(self, *, threads: int, waiting_max: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="agrocredit-sql")
        self._room = threads + waiting_max
        self._held = 0

    async def run(self, work: Callable[[], _Result]) -> _Result:
        """Return what `work` returns, from a thread.

        Raises
        ------
        Problem
            ``overloaded``.
        """
        if self._held >= self._room:
            raise Problem("overloaded", f"{self._held} requests are waiting already")
        self._held += 1
        # A caller that gives up does not stop the thread: the place is free when the work is done, not before.
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        future.add_done_callback(self._free)
        return await future

    def _free(self, future: asyncio.Future[Any]) -> None:
        self._held -= 1
        if not future.cancelled():
            future.exception()  # whoever waited has it; nobody is to be told of it twice

    def close(self) -> None:
        """Wait for what runs and accept no more."""
        self._pool.shutdown(wait=True)
