"""Machine code says what the same text says in Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agrocredit.loops import Loop
from agrocredit.zonal import coverage_loops, layout, outline_loops, sum_loops


def both(module, name, arguments, outputs):
    """Run a loop in Python and as machine code; return what each left in the outputs."""
    left = []
    for run in (getattr(module, name), Loop.of_file(Path(module.__file__), name, vars(layout))):
        copies = [one.copy() if isinstance(one, np.ndarray) else one for one in arguments]
        run(*copies)
        left.append([copies[at] for at in outputs])
    return left


def assert_same(left):
    python, machine = left
    for one, other in zip(python, machine, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture
def numbers():
    return np.random.default_rng(7)


def test_covered_shares(numbers):
    angles = np.sort(numbers.uniform(0, 2 * np.pi, 9))[::-1]
    ring = np.column_stack([6 + 5 * np.cos(angles), 5.5 + 4 * np.sin(angles)])
    xy = np.concatenate([ring, ring[:1]])
    words = [np.zeros(121, kind) for kind in (np.uint32, np.uint32, np.uint16, np.uint16)]
    room = [np.zeros(12 * 12), *words]
    arguments = [xy, np.array([0, 10]), np.array([0, 1]), np.array([[0, 1, 1, 11, 11]]), *room]
    left = both(
        coverage_loops, "cover_windows", [*arguments, np.zeros((1, 3), np.int64), np.array([0, 0, -1])], range(4, 11)
    )
    assert_same(left)
    assert left[0][5][0, 2] > 0


def test_areas(numbers):
    xy = numbers.uniform(0, 9, (40, 2))
    ring_at, plot_at = np.array([0, 10, 25, 40]), np.array([0, 1, 3])
    assert_same(both(outline_loops, "add_areas", [xy, ring_at, plot_at, np.zeros(2)], [3]))


def test_rows_of_plots(numbers):
    weights = numbers.random((4, 2)).round()
    arguments = [np.zeros((3, 5)), np.array([3, 0, 1]), numbers.random((4, 2)), weights, numbers.random(4), np.ones(4)]
    left = both(sum_loops, "fill_rows", [*arguments, 1.0, 0.5], [0])
    assert_same(left)
    assert np.isnan(left[0][0]).any()
