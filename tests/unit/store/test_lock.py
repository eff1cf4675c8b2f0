from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from agrocredit.domain.errors import ExitCode, RunInProgressError
from agrocredit.store.lock import hold

HOLDER = (
    "import sys, time; from pathlib import Path; from agrocredit.store.lock import hold\n"
    "with hold(Path(sys.argv[1])):\n"
    "    print('held', flush=True); time.sleep(60)"
)


def test_a_second_holder_is_turned_away_with_the_outputs_name(tmp_path):
    with hold(tmp_path / "obs"), pytest.raises(RunInProgressError, match="obs") as caught, hold(tmp_path / "obs"):
        pass
    assert (caught.value.code, caught.value.exit_code) == ("run_in_progress", ExitCode.RUN_IN_PROGRESS)


def test_other_outputs_beside_it_are_free(tmp_path):
    with hold(tmp_path / "a"), hold(tmp_path / "b"):
        assert sorted(os.listdir(tmp_path)) == [".a.lock", ".b.lock"]  # noqa: PTH208 - hidden names must show


def test_the_lock_is_free_again_after_the_block_and_leaves_no_file(tmp_path):
    for _ in range(2):
        with hold(tmp_path / "deep" / "obs"):
            pass
    assert list((tmp_path / "deep").iterdir()) == []


def test_the_lock_is_released_when_the_block_raises(tmp_path):
    with pytest.raises(ZeroDivisionError), hold(tmp_path / "obs"):
        raise ZeroDivisionError
    with hold(tmp_path / "obs"):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / "obs")], stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(RunInProgressError), hold(tmp_path / "obs"):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with hold(tmp_path / "obs"):
            pass


def test_only_one_of_many_contenders_is_inside_at_a_time(tmp_path):
    code = (
        "import os, sys, time; from pathlib import Path; from agrocredit.store.lock import hold\n"
        "from agrocredit.domain.errors import RunInProgressError\n"
        "inside = Path(sys.argv[1]) / 'inside'; done = 0; end = time.monotonic() + 0.5\n"
        "while time.monotonic() < end:\n"
        "    try:\n"
        "        with hold(Path(sys.argv[1]) / 'obs'):\n"
        "            os.close(os.open(inside, os.O_CREAT | os.O_EXCL)); inside.unlink(); done += 1\n"
        "    except RunInProgressError: pass\n"
        "print(done)"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    done = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert sum(map(int, done)) > 3
