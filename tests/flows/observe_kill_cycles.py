"""Kills runs that observe, again and again, and reports what they left: a script for `test_observe_kills`.

Run as a script it is a warm process that forks one child a cycle, lets the child observe and ends it with SIGKILL,
either after a random time or at a given call of a commit (fsync, before and after a rename).
AGROCREDIT_KILL_CYCLES sets the number of random kills, 8 without it; from 90 on every call of a commit has its kill.
"""

import json
import os
import random
import signal
import sys
import time
from datetime import date
from pathlib import Path

import dask.threaded  # noqa: F401 - the warm-up runs no thread: children would load Dask, and often die in that

from pipelines import observe as flow
from pipelines import observe_scene as one_scene
from pipelines.observe import ObserveRequest, observe

CYCLES = int(os.environ.get("AGROCREDIT_KILL_CYCLES", "8"))
SEED = 20_220_501


def request_of(scenes, plots, out):
    return ObserveRequest(
        scenes=str(scenes), plots=Path(plots), start=date(2022, 5, 1), end=date(2022, 7, 1), out=Path(out)
    )


def everything(folder):
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


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


if __name__ == "__main__":
    sys.stdout.write(json.dumps(cycles(*sys.argv[1:])))
