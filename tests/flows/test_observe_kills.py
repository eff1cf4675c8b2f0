"""A run that is killed, at whatever moment, loses at most the scenes in hand and ends in the same bytes.

The kills are real: this file run as a script is a warm process that forks one child a cycle, lets the child observe and
ends it with SIGKILL, either after a random time or at a given call of a commit (fsync, before and after a rename).
AGROCREDIT_KILL_CYCLES sets the number of random kills, 8 without it; from 90 on every call of a commit has its kill.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import date
from functools import partial
from pathlib import Path

import cloudpickle
import dask
import pytest
from distributed import Client, LocalCluster

from agrocredit.domain.errors import InputUnusableError
from pipelines import observe as flow
from pipelines import observe_scene as one_scene
from pipelines.engine import run_tasks
from pipelines.observe import ObserveRequest, observe

CYCLES = int(os.environ.get("AGROCREDIT_KILL_CYCLES", "8"))
SEED = 20_220_501
DAYS = 6


def request_of(scenes, plots, out):
    return ObserveRequest(
        scenes=str(scenes), plots=Path(plots), start=date(2022, 5, 1), end=date(2022, 7, 1), out=Path(out)
    )


def everything(folder):
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


# --- the process that is killed -------------------------------------------------------------------------------------


def observe_in_child(request, *, log, at_call=None, after_s=None):
    """Fork a child that observes, end it at its `at_call`-th commit call or after a time; return its exit status."""
    child = os.fork()
    if child == 0:
        try:
            _watch(log, at_call)
            observe(request, workers=1)
        except BaseException as error:  # noqa: BLE001 - the parent must see any failure as such
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(70)
        os._exit(0)
    if after_s is not None:
        time.sleep(after_s)
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def _watch(log, at_call):
    """Write down each scene that is worked on, and die at the given call that makes something durable."""
    calls = 0
    work, fsync, replace = one_scene._do, os.fsync, Path.replace

    def step():
        nonlocal calls
        calls += 1
        if calls == at_call:
            os.kill(os.getpid(), signal.SIGKILL)

    def noted(scene, scene_work, **files):
        with open(log, "a") as file:  # noqa: PTH123 - one short line, appended whole
            file.write(f"{files['record_file'].name}\n")
        work(scene, scene_work, **files)

    def fsync_or_die(descriptor):
        step()
        fsync(descriptor)

    def replace_or_die(self, target):
        step()
        found = replace(self, target)
        step()
        return found

    one_scene._do, os.fsync, Path.replace = noted, fsync_or_die, replace_or_die


def committed(out):
    return {path.name for path in Path(out).parent.glob(f".{Path(out).name}.work/*/*.json")}


def _warm_up(request):
    """Observe once in this process without a thread, so that children find everything imported and compiled."""
    threaded, flow.run_tasks = flow.run_tasks, lambda task, items, **_: [task(item) for item in items]
    flow.observe(request)
    flow.run_tasks = threaded


def cycles(scenes, plots, folder):
    """Run all cycles; return what happened, as plain values."""
    folder = Path(folder)
    _warm_up(request_of(scenes, plots, folder / "warm"))
    started = time.monotonic()
    whole = observe_in_child(request_of(scenes, plots, folder / "undisturbed"), log=folder / "log")
    lasts_s = time.monotonic() - started
    chance = random.Random(SEED)  # noqa: S311 - no secret
    moments = [{"after_s": chance.uniform(0, lasts_s * 1.05)} for _ in range(CYCLES)]
    moments += [{"at_call": call} for call in range(1, 200, max(1, 90 // max(CYCLES, 1)))]
    report = {"status": whole, "kills": 0, "redone": [], "different": [], "left": [], "bad_exit": []}
    for number, moment in enumerate(moments):
        out = folder / f"cycle-{number:04d}"
        status = observe_in_child(request_of(scenes, plots, out), log=folder / f"{number}.1", **moment)
        was_killed = os.WIFSIGNALED(status)
        if not was_killed and "at_call" in moment and status == 0:
            break  # past the last call of a run
        report["kills"] += was_killed
        kept = committed(out)
        again = observe_in_child(request_of(scenes, plots, out), log=folder / f"{number}.2")
        log = folder / f"{number}.2"
        done_again = set(log.read_text().split()) if log.exists() else set()
        _note(report, moment, kept & done_again, "redone")
        _note(report, moment, again, "bad_exit")
        _note(report, moment, everything(out) != everything(folder / "undisturbed"), "different")
        _note(report, moment, [path.name for path in folder.glob(".*")], "left")
    return report


def _note(report, moment, found, name):
    if found:
        report[name].append(f"{moment}: {found}")


@pytest.fixture
def season(catalogue, field_of, write_plots, tmp_path):
    """Paths of a catalogue of some dates, one of them with a broken band, and of its plots."""
    for day in range(DAYS):
        catalogue.add(f"s{day}", f"2022-05-{10 + day}")
    (catalogue.folder / "s3" / "B03.tif").unlink()
    plots = write_plots(tmp_path / "plots.geojson", field_of("a", 4, 4, 8, 8), field_of("c", 30, 30, 8, 8))
    return catalogue.write(), plots


def test_killed_at_any_moment_a_run_ends_in_the_same_bytes_and_redoes_no_commit(season, tmp_path):
    scenes, plots = season
    scratch = tmp_path / "scratch"
    for folder in (tmp_path / "runs", scratch):
        folder.mkdir()
    done = subprocess.run(
        [sys.executable, __file__, str(scenes), str(plots), str(tmp_path / "runs")],
        env={**os.environ, "TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300 + 5 * CYCLES,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads(done.stdout)
    assert report["status"] == 0, done.stderr[-2000:]
    assert report["kills"] >= CYCLES, report
    faults = {name: report[name] for name in ("redone", "different", "left", "bad_exit")}
    assert not any(faults.values()), faults
    assert not list(scratch.glob("agrocredit*"))


def stopped_after(request, count):
    """Observe and stop, as by a signal, when some scenes have had their turn."""

    def stop(_stage, done, _total):
        if done == count:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        observe(request, workers=1, progress=stop)


@pytest.mark.parametrize("corrected", ["a file", "the item"])
def test_a_run_that_goes_on_takes_what_was_corrected_meanwhile(season, catalogue, tmp_path, corrected):
    mask = catalogue.folder / "s0" / "SCL.tif"
    good = mask.read_bytes()
    if corrected == "a file":
        mask.write_bytes(good[:60])
    else:
        catalogue.items[0]["assets"]["B04"]["href"] = "./s0/B08.tif"
    request = request_of(catalogue.write(), season[1], tmp_path / "obs")
    stopped_after(request, DAYS)
    mask.write_bytes(good)
    catalogue.items[0]["assets"]["B04"]["href"] = "./s0/B04.tif"
    catalogue.write()
    observe(request)
    observe(request_of(season[0], season[1], tmp_path / "undisturbed"))
    assert everything(tmp_path / "obs") == everything(tmp_path / "undisturbed")


def test_a_record_whose_rows_are_gone_does_not_count(season, tmp_path):
    request = request_of(*season, tmp_path / "obs")
    stopped_after(request, DAYS)
    rows = list(tmp_path.glob(".obs.work/*/*.rows"))
    assert rows
    for file in rows:
        file.unlink()
    observe(request)
    observe(request_of(*season, tmp_path / "undisturbed"))
    assert everything(tmp_path / "obs") == everything(tmp_path / "undisturbed")


# --- clusters that lose workers, and their scheduler -----------------------------------------------------------------


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


if __name__ == "__main__":
    sys.stdout.write(json.dumps(cycles(*sys.argv[1:])))
