"""Tasks run on threads and on a cluster alike, and come back in order."""

import threading
import time

import pytest
from distributed import Client, LocalCluster

from agrocredit.domain.errors import InputUnusableError
from pipelines.engine import cluster, run_tasks
from pipelines.progress import silent


def slow_square(number):
    time.sleep(0.02 * (5 - number))
    return number * number


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as local,
        Client(local, set_as_default=False) as client,
    ):
        yield client


def test_threads_give_results_in_the_order_of_the_items():
    steps = []
    results = run_tasks(
        slow_square,
        range(5),
        client=None,
        workers=3,
        stage="square",
        progress=lambda stage, done, total: steps.append((stage, done, total)),
    )
    assert results == [0, 1, 4, 9, 16]
    assert sorted(steps) == [("square", done, 5) for done in range(1, 6)]


def test_a_cluster_gives_the_same(client):
    results = run_tasks(slow_square, range(5), client=client, workers=None, stage="square", progress=silent)
    assert results == [0, 1, 4, 9, 16]


def test_nothing_to_do_is_nothing_done():
    assert run_tasks(slow_square, [], client=None, workers=None, stage="square", progress=silent) == []


def test_threads_really_run_side_by_side():
    barrier = threading.Barrier(2, timeout=20)
    assert run_tasks(
        lambda _: barrier.wait() in (0, 1), [1, 2], client=None, workers=2, stage="meet", progress=silent
    ) == [True, True]


def test_a_scheduler_that_is_not_there_is_named():
    with (
        pytest.raises(InputUnusableError, match=r"scheduler_unreachable: tcp://127\.0\.0\.1:1"),
        cluster("tcp://127.0.0.1:1", connect_seconds=0.5),
    ):
        pass


def test_no_address_means_no_client():
    with cluster(None) as nothing:
        assert nothing is None
