"""Which tiles a window needs, against a look at every pixel."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.scenes.wanted_tiles import ClearWindow, clouded, spans

SIZE = 48


@st.composite
def windows(draw):
    first = draw(st.integers(0, SIZE - 1))
    return first, draw(st.integers(first + 1, SIZE))


@given(
    rows=windows(),
    columns=windows(),
    tile=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    factors=st.sampled_from([(1, 1), (1, 2), (2, 1), (2, 2), (1, 6), (6, 2), (3, 2)]),
    holes=st.lists(st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)), max_size=4),
)
def test_a_tile_is_left_out_only_if_no_clear_pixel_touches_it(rows, columns, tile, factors, holes):
    of_mask, of_band = factors
    clear = np.zeros((-(-SIZE // of_mask), -(-SIZE // of_mask)), bool)
    for row, column in holes:
        clear[row // of_mask, column // of_mask] = True
    seen = clear.repeat(of_mask, 0).repeat(of_mask, 1)[:SIZE, :SIZE]
    cut = clear[rows[0] // of_mask : -(-rows[1] // of_mask), columns[0] // of_mask : -(-columns[1] // of_mask)]
    window = ClearWindow(row0=rows[0], col0=columns[0], factor=of_mask, is_clear=cut)
    of = [(span[0] // of_band, -(-span[1] // of_band)) for span in (rows, columns)]
    left_out = clouded(window, rows=of[0], columns=of[1], tile=tile, factor=of_band)
    covered = np.zeros((of[0][1], of[1][1]), int)
    for one in spans(*of, tile=tile):
        covered[one.row0 : one.row1, one.col0 : one.col1] += 1
        piece = np.zeros_like(seen)
        piece[one.row0 * of_band : one.row1 * of_band, one.col0 * of_band : one.col1 * of_band] = True
        piece[: rows[0]], piece[rows[1] :], piece[:, : columns[0]], piece[:, columns[1] :] = False, False, False, False
        if one in left_out:
            assert not (seen & piece).any()
    assert (covered[of[0][0] :, of[1][0] :] == 1).all()


def test_without_a_clear_pixel_no_tile_is_needed_and_without_a_class_map_all_are():
    dark = ClearWindow(row0=0, col0=0, factor=2, is_clear=np.zeros((24, 24), bool))
    whole = {"rows": (0, SIZE), "columns": (0, SIZE), "tile": (16, 16), "factor": 1}
    assert len(clouded(dark, **whole)) == 9
    assert clouded(None, **whole) == []


def test_a_file_of_many_strips_is_not_asked_about_one_by_one():
    dark = ClearWindow(row0=0, col0=0, factor=1, is_clear=np.zeros((1024, 64), bool))
    assert clouded(dark, rows=(0, 1024), columns=(0, 64), tile=(1, 64), factor=1) == []
