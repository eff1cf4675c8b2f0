"""Loops in LLVM's language: run, kept, and loaded without the compiler."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from agrocredit.loops import assembled

DOUBLE = """
define void @loop(ptr %numbers) {
  %before = load i64, ptr %numbers
  %after = mul i64 %before, 2
  store i64 %after, ptr %numbers
  ret void
}
"""
START = f"""
import sys
import numpy as np
from agrocredit.loops import assembled
numbers = np.array([21])
assembled({DOUBLE!r}, arguments=1)(numbers.ctypes.data)
print(numbers[0], "numba" in sys.modules)
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AGROCREDIT_CACHE", str(tmp_path / "cache"))


def test_a_loop_runs_and_its_code_is_kept_once(tmp_path):
    numbers = np.array([21])
    for _ in range(2):
        assembled(DOUBLE, arguments=1)(numbers.ctypes.data)
    assert numbers[0] == 84
    assert len([*(tmp_path / "cache" / "kernels").glob("*.code")]) == 1


def test_it_never_loads_numba():
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "42 False\n"


def test_text_that_is_no_assembly_is_an_error_and_not_kept(tmp_path):
    with pytest.raises(RuntimeError):
        assembled("define void @loop(", arguments=1)
    assert not (tmp_path / "cache").exists()
