from __future__ import annotations

import numpy as np
import pytest
from shapely import box

from agrocredit.domain.errors import InputUnusableError
from agrocredit.indices import compile_indices, load_indices
from agrocredit.zonal import BandPixels, BlockPixels, MaskPixels, PlotSums, build_weights, make_kernel


def band(dn, **changes):
    return BandPixels(**({"dn": dn, "factor": 1, "scale": 1e-4, "offset": 0.0, "nodata": 0} | changes))


def nothing_seen(weights):
    return PlotSums.nothing_seen(weights, n_indices=1)


def test_a_raster_of_another_shape_is_refused_by_name(make_grid, in_pixels):
    grid = make_grid()
    weights = build_weights(in_pixels([box(2, 3, 20, 19)], grid), grid=grid)
    kernel = make_kernel(compile_indices(load_indices(["NDVI"])))
    good = band(np.ones((40, 50), np.uint16))
    pixels = BlockPixels(bands={"nir": good, "red": band(np.ones((40, 50), np.uint16), factor=2)}, mask=None)
    with pytest.raises(InputUnusableError, match=r"red of \(40, 50\) pixels, expected \(20, 25\)") as caught:
        kernel.accumulate(weights, weights.blocks[0], pixels, nothing_seen(weights))
    assert caught.value.code == "grid_mismatch"


def test_a_scene_without_one_band_is_refused(make_grid, in_pixels):
    grid = make_grid()
    weights = build_weights(in_pixels([box(2, 3, 20, 19)], grid), grid=grid)
    kernel = make_kernel(compile_indices(load_indices(["NDVI"])))
    pixels = BlockPixels(bands={"blue": band(np.ones((40, 50), np.uint16))}, mask=None)
    with pytest.raises(InputUnusableError, match="none of red, nir; given: blue") as caught:
        kernel.accumulate(weights, weights.blocks[0], pixels, nothing_seen(weights))
    assert caught.value.code == "band_missing"


@pytest.mark.parametrize(
    ("dn", "changes", "code"),
    [
        (np.ones(5, np.uint16), {}, "grid_mismatch"),
        (np.ones((2, 2), np.uint16), {"factor": 0}, "grid_mismatch"),
        (np.ones((2, 2), complex), {}, "band_type_invalid"),
        (np.ones((2, 2), np.uint64), {}, "band_type_invalid"),
        (np.ones((2, 2), np.uint16), {"scale": 0.0}, "band_type_invalid"),
        (np.ones((2, 2), np.uint16), {"offset": np.nan}, "band_type_invalid"),
    ],
)
def test_a_band_that_cannot_be_is_refused(dn, changes, code):
    with pytest.raises(InputUnusableError) as caught:
        band(dn, **changes)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("classes", "is_clear"),
    [(np.ones((2, 2), np.uint16), np.ones(256, bool)), (np.ones((2, 2), np.uint8), np.ones(12, bool))],
)
def test_a_mask_that_cannot_be_is_refused(classes, is_clear):
    with pytest.raises(InputUnusableError) as caught:
        MaskPixels(classes=classes, factor=1, is_clear=is_clear)
    assert caught.value.code == "band_type_invalid"
