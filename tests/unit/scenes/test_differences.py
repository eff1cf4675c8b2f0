"""Running sums in vectors against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from agrocredit.scenes.differences import undo_differences

INTEGERS = ["uint8", "int8", "uint16", "int16", "uint32"]


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("shape", [(1, 16), (3, 48), (64, 64), (7, 512)])
def test_sums_run_along_rows_and_wrap_around(dtype, shape):
    info = np.iinfo(dtype)
    packed = np.random.default_rng(5).integers(info.min, info.max, shape, dtype, endpoint=True)
    plain = np.empty_like(packed)
    undo_differences(packed, plain)
    np.testing.assert_array_equal(plain, np.cumsum(packed, axis=1, dtype=dtype))


def test_nothing_beside_the_tile_is_touched():
    packed = np.random.default_rng(5).integers(0, 9000, (32, 32), np.uint16)
    window = np.full((70, 90), 7, np.uint16)
    undo_differences(packed, window[10:42, 21:53])
    np.testing.assert_array_equal(window[10:42, 21:53], np.cumsum(packed, axis=1, dtype=np.uint16))
    window[10:42, 21:53] = 7
    assert (window == 7).all()


@pytest.mark.parametrize(
    ("packed", "plain"),
    [
        (np.zeros((0, 16), np.uint16), np.zeros((0, 16), np.uint16)),
        (np.zeros((4, 20), np.uint16), np.zeros((4, 20), np.uint16)),
        (np.zeros((4, 16), np.uint16), np.zeros((3, 16), np.uint16)),
        (np.zeros((4, 16), np.uint16), np.zeros((4, 16), np.int16)),
        (np.zeros((4, 32), np.uint16)[:, ::2], np.zeros((4, 16), np.uint16)),
        (np.zeros((4, 16), np.uint16), np.zeros((4, 32), np.uint16)[:, ::2]),
        (np.zeros((4, 16), ">u2"), np.zeros((4, 16), ">u2")),
        (np.zeros((4, 16), np.float32), np.zeros((4, 16), np.float32)),
    ],
)
def test_arrays_that_are_no_tiles_alike_are_refused(packed, plain):
    with pytest.raises(ValueError, match="expected tiles alike"):
        undo_differences(packed, plain)
