from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from numba import types

from agrocredit.zonal.generated import cache_folder, compiled_function

SOURCE = """from numba import njit


@njit(cache=CACHE)
def double(x):
    return x * {factor}
"""
START = """
import numba, sys
from agrocredit.zonal.generated import compiled_function
function = compiled_function({source!r}, "double", (numba.types.int64,))
print(function(21), sum(function.stats.cache_hits.values()))
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AGROCREDIT_CACHE", str(tmp_path / "cache"))
    compiled_function.cache_clear()


def double(factor=2):
    return compiled_function(SOURCE.format(factor=factor), "double", (types.int64,))


def start():
    command = [sys.executable, "-c", START.format(source=SOURCE.format(factor=2))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def files(tmp_path, pattern):
    return sorted((tmp_path / "cache" / "kernels").rglob(pattern))


def test_the_text_and_its_machine_code_are_kept(tmp_path):
    assert double()(21) == 42
    assert len(files(tmp_path, "kernel_*.py")) == 1
    assert len(files(tmp_path, "*.nbc")) == 1
    assert len(files(tmp_path, "*.tmp")) == 0


def test_the_next_process_finds_the_machine_code():
    double()
    out, error = start().communicate(timeout=60)
    assert (out, error) == ("42 1\n", "")


def test_processes_that_start_together_do_not_disturb_each_other():
    for process in [start(), start(), start()]:
        out, error = process.communicate(timeout=60)
        assert out.startswith("42 ")
        assert error == ""


def test_threads_that_start_together_all_get_the_function():
    found = []
    threads = [threading.Thread(target=lambda: found.append(double()(21))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [42] * 4


def test_other_text_is_another_function():
    assert [double(2)(21), double(3)(21)] == [42, 63]


@pytest.mark.parametrize("pattern", ["*.nbi", "*.nbc", "kernel_*.py"])
@pytest.mark.parametrize("content", [b"", b"x = ("])
def test_a_torn_cache_is_no_obstacle(tmp_path, pattern, content):
    double()
    for path in files(tmp_path, pattern):
        path.write_bytes(content)
    compiled_function.cache_clear()
    assert double()(21) == 42


def test_a_cache_that_cannot_be_made_is_no_obstacle(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert double()(21) == 42


def test_wrong_text_is_still_an_error():
    with pytest.raises(SyntaxError):
        compiled_function("def double(:", "double", (types.int64,))


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
