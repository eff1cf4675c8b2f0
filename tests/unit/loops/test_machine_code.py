from __future__ import annotations

import errno
import hashlib
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from agrocredit.loops import Loop, machine_code
from agrocredit.loops.machine_code import cache_folder

SOURCE = """
def times(x):
    return x * {factor}


def scale(numbers, by):
    for k in range(numbers.size):
        numbers[k] = times(numbers[k]) * by
"""
START = """
import sys
import numpy as np
from agrocredit.loops import Loop
numbers = np.array([21, 4])
Loop({source!r}, "scale")(numbers, 1)
print(*numbers, "numba" in sys.modules)
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AGROCREDIT_CACHE", str(tmp_path / "cache"))


def scaled(numbers, by=1, factor=2):
    numbers = np.array(numbers)
    Loop(SOURCE.format(factor=factor), "scale")(numbers, by)
    return numbers.tolist()


def start():
    command = [sys.executable, "-c", START.format(source=SOURCE.format(factor=2))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def files(tmp_path, pattern="*"):
    return sorted((tmp_path / "cache" / "kernels").glob(pattern))


def test_machine_code_is_kept_in_one_file_whole(tmp_path):
    assert scaled([21, 4]) == [42, 8]
    assert [path.suffix for path in files(tmp_path)] == [".code"]


def test_the_next_process_runs_kept_code_without_loading_the_compiler():
    out, error = start().communicate(timeout=60)
    assert (out, error) == ("42 8 True\n", "")
    out, error = start().communicate(timeout=60)
    assert (out, error) == ("42 8 False\n", "")


def test_processes_that_start_together_do_not_disturb_each_other(tmp_path):
    for process in [start(), start(), start()]:
        out, error = process.communicate(timeout=60)
        assert out.startswith("42 8 ")
        assert error == ""
    assert len(files(tmp_path)) == 1


def test_threads_that_start_together_all_run_the_loop():
    found = []
    loop = Loop(SOURCE.format(factor=2), "scale")

    def run():
        numbers = np.array([21])
        loop(numbers, 1)
        found.append(int(numbers[0]))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [42] * 4


def test_other_text_and_other_types_are_other_code(tmp_path):
    assert scaled([21], factor=2) == [42]
    assert scaled([21], factor=3) == [63]
    assert scaled([1.5]) == [3.0]
    assert scaled([1.5], by=0.5) == [1.5]
    assert scaled(np.array([7], np.uint8)) == [14]
    assert len(files(tmp_path)) == 5


def test_another_processor_or_version_is_other_code(tmp_path, monkeypatch):
    scaled([21])
    monkeypatch.setattr(machine_code.llvm, "get_host_cpu_name", lambda: "generic")
    assert scaled([21]) == [42]
    monkeypatch.setattr(machine_code, "_versions", lambda: ["numba of tomorrow"])
    assert scaled([21]) == [42]
    assert len(files(tmp_path)) == 3


@pytest.mark.parametrize("tear", [lambda _: b"", lambda code: code[:40], lambda code: code[:-1] + b"?"])
def test_a_torn_file_is_no_obstacle_and_is_written_again(tmp_path, tear):
    scaled([21])
    (path,) = files(tmp_path)
    torn = tear(path.read_bytes())
    path.write_bytes(torn)
    assert scaled([21]) == [42]
    content = path.read_bytes()
    assert content != torn
    assert content[:32] == hashlib.sha256(content[32:]).digest()


def test_a_cache_that_cannot_be_made_is_no_obstacle(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert scaled([21]) == [42]


def test_a_full_disk_is_no_obstacle_and_nothing_half_written_stays(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert scaled([21]) == [42]
    assert files(tmp_path) == []


def test_the_folder_of_machine_code_is_its_owners_alone(tmp_path):
    scaled([21])
    assert (tmp_path / "cache" / "kernels").stat().st_mode & 0o077 == 0


def test_wrong_text_is_an_error():
    with pytest.raises(SyntaxError):
        Loop("def scale(:", "scale")(np.zeros(1), 1)


def test_a_loop_that_would_allocate_is_an_error_when_it_is_compiled():
    from numba.core.errors import NumbaError

    with pytest.raises((NumbaError, RuntimeError)):
        Loop("import numpy as np\ndef scale(n):\n    n[:] = np.ones(n.size)\n", "scale")(np.zeros(1))


@pytest.mark.parametrize("numbers", [np.zeros(8)[::2], np.zeros(17, np.uint8)[1:].view(np.float64)])
def test_an_array_that_does_not_lie_in_order_is_refused_not_misread(numbers):
    with pytest.raises(ValueError, match="expected aligned C order"):
        Loop(SOURCE.format(factor=2), "scale")(numbers, 1)


def test_the_cache_lies_where_the_platform_wants_it(monkeypatch):
    monkeypatch.delenv("AGROCREDIT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    monkeypatch.setenv("LOCALAPPDATA", "/elsewhere")
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache_folder() == Path("/elsewhere/agrocredit")
    monkeypatch.setattr(sys, "platform", "win32")
    assert cache_folder() == Path("/elsewhere/agrocredit")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder() == Path("/home/someone/Library/Caches/agrocredit")
