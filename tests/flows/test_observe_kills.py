"""A run that is killed, at whatever moment, loses at most the scenes in hand and ends in the same bytes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.observe import observe

from .conftest import DAYS
from .observe_kill_cycles import CYCLES, everything, request_of

SCRIPT = Path(__file__).with_name("observe_kill_cycles.py")


def test_killed_at_any_moment_a_run_ends_in_the_same_bytes_and_redoes_no_commit(season, tmp_path):
    scenes, plots = season
    scratch = tmp_path / "scratch"
    for folder in (tmp_path / "runs", scratch):
        folder.mkdir()
    done = subprocess.run(
        [sys.executable, SCRIPT, str(scenes), str(plots), str(tmp_path / "runs")],
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
