"""A cluster that loses its workers, or its scheduler, in the middle of a run ends in the same bytes."""

import os
import signal
import subprocess
import sys
import time
from functools import partial

import cloudpickle
import dask
import pytest
from distributed import Client, LocalCluster

from agrocredit.domain.errors import InputUnusableError
from pipelines import observe as flow
from pipelines.engine import run_tasks
from pipelines.observe import observe

from .observe_kill_cycles import committed, everything, request_of


def mortal(scene, *, task, deaths, poison):
    """Do a task, or die under it: always under the poison, else as often as `deaths` holds a ticket to take."""
    if scene.scene_id == poison:
        (deaths / f"poisoned-{time.monotonic_ns()}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    for ticket in sorted(deaths.glob("ticket*")):
        ticket.unlink(missing_ok=True)
        os.kill(os.getpid(), signal.SIGKILL)
    return task(scene)


@pytest.fixture
def deaths(tmp_path):
    folder = tmp_path / "deaths"
    folder.mkdir()
    return folder


@pytest.fixture
def dying(deaths, monkeypatch):
    """Let workers die in the middle of a task, as often as there are tickets, or always under the poison."""
    cloudpickle.register_pickle_by_value(sys.modules[__name__])

    def arrange(*, tickets=0, poison=None):
        for number in range(tickets):
            (deaths / f"ticket{number}").touch()
        monkeypatch.setattr(
            flow,
            "run_tasks",
            lambda task, items, **how: run_tasks(
                partial(mortal, task=task, deaths=deaths, poison=poison), items, **how
            ),
        )

    yield arrange
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


@pytest.fixture
def local():
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as local,
    ):
        yield local


def test_a_cluster_whose_workers_are_killed_writes_the_same_bytes(season, tmp_path, local, dying, deaths):
    observe(request_of(*season, tmp_path / "threads"))
    dying(tickets=2)
    killed = []

    def kill_one_from_outside(_stage, done, _total):
        if done == 2 and not killed:
            killed.append(next(nanny.pid for nanny in local.workers.values() if nanny.pid))
            os.kill(killed[0], signal.SIGKILL)

    with Client(local, set_as_default=False) as client:
        observe(request_of(*season, tmp_path / "cluster"), client=client, progress=kill_one_from_outside)
    assert killed
    assert not list(deaths.iterdir())
    assert everything(tmp_path / "cluster") == everything(tmp_path / "threads")
    assert not list(tmp_path.glob(".cluster*"))


def test_a_scene_that_kills_every_worker_is_quarantined_and_the_others_are_used(
    season, catalogue, tmp_path, local, dying, deaths
):
    dying(poison="s2")
    with Client(local, set_as_default=False) as client:
        summary = observe(request_of(*season, tmp_path / "cluster"), client=client)
    assert [(one.code, one.scene_id) for one in summary.refused if one.scene_id == "s2"] == [
        ("scene_quarantined", "s2")
    ]
    assert len(list(deaths.iterdir())) == 4  # two failures of two allowed to kill, twice: among others, then alone
    catalogue.items = [item for item in catalogue.items if item["id"] != "s2"]
    observe(request_of(catalogue.write(), season[1], tmp_path / "without"))
    part = "part-00000.parquet"
    assert (tmp_path / "cluster" / part).read_bytes() == (tmp_path / "without" / part).read_bytes()


CLUSTER = """
import sys, time
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None) as local:
        print(local.scheduler_address, flush=True)
        time.sleep(120)
"""


def test_a_lost_scheduler_is_named_and_the_next_run_goes_on(season, tmp_path):
    observe(request_of(*season, tmp_path / "threads"))
    (tmp_path / "cluster.py").write_text(CLUSTER)
    with subprocess.Popen([sys.executable, tmp_path / "cluster.py"], stdout=subprocess.PIPE, text=True) as other:
        try:
            address = other.stdout.readline().strip()
            request = request_of(*season, tmp_path / "cluster")
            with (
                Client(address, timeout=2, set_as_default=False) as client,
                pytest.raises(InputUnusableError, match="scheduler_lost"),
            ):
                observe(request, client=client, progress=lambda _stage, done, _: other.kill() if done == 1 else None)
        finally:
            other.kill()
    assert not (tmp_path / "cluster").exists()
    assert committed(tmp_path / "cluster")
    observe(request)
    assert everything(tmp_path / "cluster") == everything(tmp_path / "threads")
    assert not list(tmp_path.glob(".cluster*"))
