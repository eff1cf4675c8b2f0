"""Blocking work, such as SQL, in a few threads with a short queue: what does not fit is told to come again.

Who is calling must be known before a request can even be refused, and a balancer asks whether the process is well: such
work is urgent and has threads of its own, so that it never stands in the queue that it is asked about.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from agrocredit.service.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

_Result = TypeVar("_Result")
URGENT_THREADS = 2


@dataclass(slots=True, kw_only=True)
class _Line:
    """Threads and who waits for them."""

    pool: ThreadPoolExecutor
    room: int
    held: int = 0

    @staticmethod
    def of(threads: int, *, waiting_max: int) -> _Line:
        pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="agrocredit-sql")
        return _Line(pool=pool, room=threads + waiting_max)


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
        self._lines = {
            False: _Line.of(threads, waiting_max=waiting_max),
            True: _Line.of(URGENT_THREADS, waiting_max=waiting_max),
        }
        self._callers: set[asyncio.Future[Any]] = set()
        self._refusal: Callable[[], Exception] | None = None
        self.ended = 0
        """How much work has come back; grows while the database answers anybody."""

    async def run(self, work: Callable[[], _Result], *, urgent: bool = False) -> _Result:
        """Return what `work` returns, from a thread.

        Parameters
        ----------
        work : callable
        urgent : bool
            Short work that everything else waits for.

        Raises
        ------
        Problem
            ``overloaded``.
        Exception
            What `work` raises, or what `refuse` was given.
        """
        if self._refusal is not None:
            raise self._refusal()
        line = self._lines[urgent]
        if line.held >= line.room:
            raise Problem("overloaded", f"{line.held} requests are waiting already")
        line.held += 1
        loop = asyncio.get_running_loop()
        caller: asyncio.Future[_Result] = loop.create_future()
        # A caller that gives up does not stop the thread: the place is free when the work is done, not before.
        loop.run_in_executor(line.pool, work).add_done_callback(lambda done: self._finish(done, caller, line))
        self._callers.add(caller)
        try:
            return await caller
        finally:
            self._callers.discard(caller)

    def refuse(self, error: Callable[[], Exception]) -> None:
        """Raise such an error for everybody who waits, and for everybody who comes, until `welcome`.

        What runs goes on: nobody can tell whether it will take hold.
        """
        self._refusal = error
        for caller in self._callers:
            if not caller.done():
                caller.set_exception(error())

    def welcome(self) -> None:
        """Take work in again."""
        self._refusal = None

    def close(self) -> None:
        """Wait for what runs and accept no more."""
        for line in self._lines.values():
            line.pool.shutdown(wait=True, cancel_futures=True)

    def _finish(self, done: asyncio.Future[_Result], caller: asyncio.Future[_Result], line: _Line) -> None:
        line.held -= 1
        self.ended += 1
        # Asked for in any case: an error that nobody took would be told of once more.
        error = None if done.cancelled() else done.exception()
        if caller.done():
            return
        if done.cancelled():
            caller.cancel()
        elif error is not None:
            caller.set_exception(error)
        else:
            caller.set_result(done.result())
