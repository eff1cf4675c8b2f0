from __future__ import annotations

import numpy as np
import pytest
from shapely import box

from agrocredit.domain.errors import InputUnusableError
from agrocredit.zonal import build_weights, kept_weights, load_weights, save_weights
from agrocredit.zonal.layout import FORMAT
from agrocredit.zonal.weights import ARRAYS


@pytest.fixture
def weights(make_grid, in_pixels):
    grid = make_grid()
    return build_weights(in_pixels([box(2.5, 2, 6, 6.1), box(3, 3, 9, 9), box(90, 90, 91, 91)], grid), grid=grid)


def test_what_is_loaded_is_what_was_saved(weights, tmp_path):
    save_weights(weights, tmp_path / "a")
    loaded = load_weights(tmp_path / "a")
    assert (loaded.grid, loaded.key) == (weights.grid, weights.key)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(loaded, name), getattr(weights, name))
        assert not getattr(loaded, name).flags.writeable


def test_saving_twice_gives_the_same_bytes_and_leaves_nothing_else(weights, tmp_path):
    save_weights(weights, tmp_path / "a")
    first = (tmp_path / "a").read_bytes()
    save_weights(weights, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_weights_without_plots_are_kept_too(make_grid, tmp_path):
    save_weights(build_weights([], grid=make_grid()), tmp_path / "a")
    assert load_weights(tmp_path / "a").n_plots == 0


@pytest.mark.parametrize("cut", [0, 4, 8, 200, -1])
def test_a_truncated_file_is_refused(weights, tmp_path, cut):
    path = tmp_path / "a"
    save_weights(weights, path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputUnusableError, match=str(path)) as caught:
        load_weights(path)
    assert caught.value.code == "weights_invalid"


def test_a_flipped_bit_anywhere_is_noticed(weights, tmp_path):
    path = tmp_path / "a"
    save_weights(weights, path)
    whole = path.read_bytes()
    for at in range(0, len(whole), 41):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        try:
            loaded = load_weights(path)
        except InputUnusableError:
            continue
        # The header's blanks and the names in it may differ; what is used may not.
        assert loaded.grid == weights.grid or loaded.key == weights.key


def test_an_absent_file_is_refused_by_name(tmp_path):
    with pytest.raises(InputUnusableError, match="nowhere cannot be read: No such file"):
        load_weights(tmp_path / "nowhere")


def test_another_format_is_refused(weights, tmp_path, monkeypatch):
    save_weights(weights, tmp_path / "a")
    monkeypatch.setattr("agrocredit.zonal.weight_files.FORMAT", 99)
    with pytest.raises(InputUnusableError, match=f"format {FORMAT}, expected 99"):
        load_weights(tmp_path / "a")


def test_kept_weights_are_built_once(weights, tmp_path):
    first = kept_weights(weights.key, folder=tmp_path / "new", build=lambda: weights)
    again = kept_weights(weights.key, folder=tmp_path / "new", build=lambda: 1 / 0)
    assert again.key == first.key == weights.key
    np.testing.assert_array_equal(again.span, weights.span)


def test_kept_weights_that_were_damaged_are_built_anew(weights, tmp_path):
    kept_weights(weights.key, folder=tmp_path, build=lambda: weights)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    assert kept_weights(weights.key, folder=tmp_path, build=lambda: weights).n_plots == weights.n_plots
    assert path.read_bytes() == whole


def test_offsets_that_do_not_fit_are_refused(weights):
    arrays = {name: getattr(weights, name) for name in ARRAYS} | {"part_span_at": weights.part_span_at[:-1]}
    with pytest.raises(InputUnusableError, match="part_span_at has 2 items, expected 3"):
        type(weights)(grid=weights.grid, key=weights.key, **arrays)


def test_arrays_of_another_type_are_refused(weights):
    arrays = {name: getattr(weights, name) for name in ARRAYS} | {"edge": weights.edge.astype(np.int64)}
    with pytest.raises(InputUnusableError, match="edge is int64"):
        type(weights)(grid=weights.grid, key=weights.key, **arrays)
