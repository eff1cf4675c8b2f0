"""Runs independent tasks on Dask: threads in this process, or any distributed cluster.

A task writes what it made and returns only a small summary, so nothing large travels, a lost worker costs the task in
hand, and the caller can tell how far the run is. Results come back in the order of the items, however they finished.

Dask gives up on a task when more workers died under it than ``distributed.scheduler.allowed-failures`` allows, guilty
or not: it cannot tell which of the tasks of a dead worker did it. So such a task is tried once more with nothing beside
it, and only if that takes the workers down as well is it given up; the others go on.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from distributed import Client

    from pipelines.progress import Progress

Item = TypeVar("Item")
Result = TypeVar("Result")


def run_tasks(
    task: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    client: Client | None,
    workers: int | None,
    stage: str,
    progress: Progress,
    given_up: Callable[[Item], Result] | None = None,
) -> list[Result]:
    """Return ``[task(item) for item in items]``, computed in parallel.

    Parameters
    ----------
    task : callable
        Pure but for what it writes; picklable where a cluster is used.
    items : sequence
        One task each; at least as small as a path and a few numbers.
    client : distributed.Client or None
        The cluster; None runs Dask threads in this process.
    workers : int or None
        Threads; None lets Dask count the cores.
    stage : str
        Name of this step for the progress display.
    progress : Progress
        Told after each finished task.
    given_up : callable, optional
        What stands for the result of a task that takes down every worker of a cluster; without it that ends the run.

    Raises
    ------
    InputUnusableError
        ``scheduler_lost`` if the cluster's scheduler goes away; what the tasks committed stays.
    """
    if not items:
        return []
    if client is not None:
        return _on_cluster(task, items, client=client, stage=stage, progress=progress, given_up=given_up)
    return _on_threads(task, items, workers=workers, stage=stage, progress=progress)


def _on_threads(
    task: Callable[[Item], Result], items: Sequence[Item], *, workers: int | None, stage: str, progress: Progress
) -> list[Result]:
    from dask.callbacks import Callback
    from dask.threaded import get

    done = 0

    def finished(*_: object) -> None:
        nonlocal done
        done += 1
        progress(stage, min(done, len(items)), len(items))

    # A graph of calls without arguments: of arguments Dask would look into every field for other tasks.
    graph = {position: (partial(task, item),) for position, item in enumerate(items)}
    with Callback(posttask=finished):
        return list(get(graph, list(graph), num_workers=workers))


def _on_cluster(
    task: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    client: Client,
    stage: str,
    progress: Progress,
    given_up: Callable[[Item], Result] | None,
) -> list[Result]:
    from distributed import KilledWorker, as_completed

    with _scheduler_needed():
        futures = client.map(task, items, pure=False)
        position_of = {future.key: position for position, future in enumerate(futures)}
        results: dict[int, Result] = {}
        suspects = []
        for future in as_completed(futures, loop=client.loop):
            position = position_of[future.key]
            try:
                results[position] = future.result()
            except KilledWorker:
                suspects.append(position)
            progress(stage, len(results), len(items))
        for position in sorted(suspects):
            results[position] = _alone(task, items[position], client=client, given_up=given_up)
            progress(stage, len(results), len(items))
    return [results[position] for position in range(len(items))]


def _alone(
    task: Callable[[Item], Result], item: Item, *, client: Client, given_up: Callable[[Item], Result] | None
) -> Result:
    """Return the result of a task that runs with nothing beside it, so that dying workers are its own doing."""
    from distributed import KilledWorker

    try:
        result: Result = client.submit(task, item, pure=False).result()
    except KilledWorker:
        if given_up is None:
            raise
        return given_up(item)
    return result


@contextmanager
def _scheduler_needed() -> Iterator[None]:
    """Turn what distributed raises about a scheduler that went away into one code."""
    from concurrent.futures import CancelledError

    from distributed.client import ClosedClientError
    from distributed.comm.core import CommClosedError

    try:
        yield
    except (CancelledError, ClosedClientError, CommClosedError) as error:
        detail = "the scheduler went away while it had work; run again, what was committed is not done twice"
        raise InputUnusableError("scheduler_lost", detail) from error


@contextmanager
def cluster(address: str | None, *, connect_seconds: float = 10.0) -> Iterator[Client | None]:
    """Yield a client of the scheduler at `address`, or None without an address.

    Raises
    ------
    InputUnusableError
        ``scheduler_unreachable`` if nothing answers there in time.
    """
    if address is None:
        yield None
        return
    from distributed import Client

    try:
        client = Client(address, timeout=connect_seconds, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputUnusableError("scheduler_unreachable", f"{address}: {error}") from error
    with client:
        yield client
