"""Runs independent tasks on Dask: threads in this process, or any distributed cluster.

A task writes what it made and returns only a small summary, so nothing large travels, a lost worker costs the task in
hand, and the caller can tell how far the run is. Results come back in the order of the items, however they finished.
"""

from __future__ import annotations

from contextlib import contextmanager
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
    """
    if not items:
        return []
    if client is not None:
        return _on_cluster(task, items, client=client, stage=stage, progress=progress)
    return _on_threads(task, items, workers=workers, stage=stage, progress=progress)


def _on_threads(
    task: Callable[[Item], Result], items: Sequence[Item], *, workers: int | None, stage: str, progress: Progress
) -> list[Result]:
    from dask.base import compute
    from dask.callbacks import Callback
    from dask.delayed import delayed

    done = 0

    def finished(*_: object) -> None:
        nonlocal done
        done += 1
        progress(stage, min(done, len(items)), len(items))

    tasks = [delayed(task, pure=False, traverse=False)(item) for item in items]
    with Callback(posttask=finished):
        return list(compute(*tasks, scheduler="threads", num_workers=workers, optimize_graph=False))


def _on_cluster(
    task: Callable[[Item], Result], items: Sequence[Item], *, client: Client, stage: str, progress: Progress
) -> list[Result]:
    from distributed import as_completed

    futures = client.map(task, items, pure=False)
    for done, _ in enumerate(as_completed(futures, loop=client.loop), start=1):
        progress(stage, done, len(items))
    return list(client.gather(futures))


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
