from __future__ import annotations

import numpy as np
import pytest
from shapely import box

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.tables import VALID_FRACTION_MIN, scene_row
from agrocredit.zonal import PlotSums, build_weights, finish


@pytest.fixture
def weights(make_grid, in_pixels):
    """Four plots: 2 x 2 pixels, half off the grid, off the grid, 5 x 4 pixels."""
    grid = make_grid()
    shapes = [box(1, 1, 3, 3), box(-2, 1, 2, 3), box(90, 90, 92, 92), box(10, 10, 15, 14)]
    return build_weights(in_pixels(shapes, grid), grid=grid)


def sums_of(values, weight, clear):
    return PlotSums(
        sums=np.array(values, float)[:, None], weights=np.array(weight, float)[:, None], clear=np.array(clear)
    )


def test_rows_are_means_of_the_plots_on_the_grid(weights):
    rows = finish(sums_of([2, 1, 0, 9], [4, 2, 0, 18], [4.0, 4, 0, 20]), weights=weights, names=["NDVI"])
    assert rows.dtype == scene_row(["ndvi"])
    assert rows["plot"].tolist() == [0, 1, 3]
    assert rows["valid_fraction"].tolist() == [1.0, 0.5, 1.0]
    assert rows["pixel_count"].tolist() == [4, 4, 20]
    assert rows["ndvi"].tolist() == [0.5, 0.5, 0.5]


def test_under_the_least_share_an_index_has_no_value(weights):
    just_under = 20 * VALID_FRACTION_MIN * 0.999
    rows = finish(sums_of([1, 0, 0, 1], [0.2, 0, 0, just_under], [0.2, 0, 0, just_under]), weights=weights, names=["x"])
    np.testing.assert_array_equal(rows["x"], [5.0, np.nan, np.nan])
    assert rows["valid_fraction"].tolist() == pytest.approx([0.05, 0, 0.04995])


def test_an_index_without_a_value_has_none_where_the_plot_is_clear(weights):
    rows = finish(sums_of([0, 0, 0, 0], [0, 0, 0, 0], [4.0, 4, 0, 20]), weights=weights, names=["x"])
    assert np.isnan(rows["x"]).tolist() == [True, True, True]
    assert rows["valid_fraction"].tolist() == [1.0, 0.5, 1.0]


def test_a_share_never_passes_one(make_grid, in_pixels):
    grid = make_grid()
    weights = build_weights(in_pixels([box(1, 1, 3, 3)], grid), grid=grid, plot_areas_m2=np.array([399.0]))
    assert finish(sums_of([1], [4], [4.0]), weights=weights, names=["x"])["valid_fraction"].tolist() == [1.0]


def test_a_block_given_twice_is_refused(weights):
    (block,) = weights.blocks
    sums = PlotSums.nothing_seen(weights, n_indices=1)
    sums.begin(block)
    with pytest.raises(InputUnusableError, match="parts 0 to 3 after part 2") as caught:
        sums.begin(block)
    assert caught.value.code == "block_repeated"


def test_blocks_that_are_not_given_count_as_not_seen(weights):
    sums = PlotSums.nothing_seen(weights, n_indices=1)
    assert finish(sums, weights=weights, names=["x"])["valid_fraction"].tolist() == [0, 0, 0]


def test_no_plots_are_no_rows(make_grid):
    weights = build_weights([], grid=make_grid())
    rows = finish(PlotSums.nothing_seen(weights, n_indices=2), weights=weights, names=["a", "b"])
    assert (rows.size, len(rows.dtype)) == (0, 5)
