from __future__ import annotations

import numpy as np
import pytest
import rasterio

from agrocredit.domain.errors import RefusedError
from agrocredit.domain.grid import Grid
from agrocredit.scenes.grids import grid_of, reference_grid
from agrocredit.scenes.scene import Projection

PIXELS = np.ones((40, 50), np.uint16)
BOX = (8.90, 47.47, 8.92, 47.48)
TRANSFORM = (10.0, 0.0, 492760.0, 0.0, -10.0, 5258660.0)
STATED = Projection(crs="EPSG:32632", transform=TRANSFORM, shape=(40, 50))


def grid(path, projection=STATED, box=BOX):
    with rasterio.open(path) as dataset:
        return grid_of(dataset, projection=projection, bbox_deg=box)


def mismatch(*args, **kwargs):
    with pytest.raises(RefusedError) as raised:
        grid(*args, **kwargs)
    assert raised.value.code == "grid_mismatch"
    return raised.value.detail


def test_a_raster_that_is_what_its_item_says_has_its_own_grid(tiff, tmp_path):
    found = grid(tiff(tmp_path / "a.tif", PIXELS))
    assert found == Grid(crs="EPSG:32632", x0=492760.0, y0=5258660.0, resolution_m=10.0, height=40, width=50)


@pytest.mark.parametrize("changes", [{"x0": 492765.0}, {"y0": 5258655.0}, {"crs": "EPSG:32633"}, {"crs": "EPSG:32732"}])
def test_half_a_pixel_or_a_zone_off_is_refused(tiff, tmp_path, changes):
    mismatch(tiff(tmp_path / "a.tif", PIXELS, **changes))


def test_another_shape_is_refused(tiff, tmp_path):
    assert "40 x 49" in mismatch(tiff(tmp_path / "a.tif", PIXELS[:, :49]))


def test_a_transform_of_another_resolution_speaks_of_other_assets(tiff, tmp_path):
    found = grid(tiff(tmp_path / "a.tif", PIXELS[:20, :25], resolution=20.0))
    assert (found.resolution_m, found.height, found.width) == (20.0, 20, 25)


def test_without_projection_the_box_must_touch_and_with_it_the_raster_counts(tiff, tmp_path):
    path = tiff(tmp_path / "a.tif", PIXELS)
    far = (30.0, -10.0, 31.0, -9.0)
    assert grid(path, Projection()).height == 40
    mismatch(path, Projection(), far)
    mismatch(tiff(tmp_path / "b.tif", PIXELS, crs="EPSG:32633"), Projection())
    assert grid(path, STATED, far).height == 40


@pytest.mark.parametrize(
    "changes",
    [
        {"crs": "EPSG:4326", "transform": rasterio.Affine(1e-4, 0, 8.9, 0, -1e-4, 47.5)},
        {"crs": None},
        {"crs": "EPSG:2225"},  # US survey feet
        {"transform": rasterio.Affine(10, 1, 492760, 1, -10, 5258660)},
        {"transform": rasterio.Affine(10, 0, 492760, 0, -20, 5258660)},
        {"transform": rasterio.Affine(10, 0, 492760, 0, 10, 5258260)},
    ],
)
def test_only_square_north_up_metres_are_accepted(tiff, tmp_path, changes):
    mismatch(tiff(tmp_path / "a.tif", PIXELS, **changes), Projection())


def test_an_unknown_crs_in_the_item_is_a_mismatch(tiff, tmp_path):
    mismatch(tiff(tmp_path / "a.tif", PIXELS), Projection(crs="EPSG:nonsense"))


def test_the_scene_has_the_grid_most_of_its_finest_bands_have():
    def one(x0, resolution_m=10.0):
        return Grid(crs="EPSG:32632", x0=x0, y0=0.0, resolution_m=resolution_m, height=10, width=10)

    assert reference_grid([one(5.0), one(0.0), one(0.0), one(0.0, 20.0)]) == one(0.0)
    assert reference_grid([one(5.0), one(0.0)]) == one(5.0)
