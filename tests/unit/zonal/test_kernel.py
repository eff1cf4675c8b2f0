from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon, box

from agrocredit.domain.errors import InputUnusableError
from agrocredit.indices import compile_indices, load_indices
from agrocredit.zonal import PlotSums, build_weights, make_kernel

FACTORS = {"rededge1": 2, "swir16": 2}


def some_plots(rng, n, *, height, width, size=8.0):
    """Return stars of many sizes, tiny ones and ones over the grid's edge among them."""
    angle = np.linspace(0, 2 * np.pi, 9)[:-1]
    for _ in range(n):
        radius = rng.uniform(0.3, size) * rng.uniform(0.4, 1, 8)
        x, y = rng.uniform(-2, width + 2), rng.uniform(-2, height + 2)
        yield Polygon(np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)]))


def brute_force(weights, scene, definitions, plot):
    """Return clear pixels and index means of one plot, by numpy on whole rasters."""
    row, col, share = weights.entries(plot)
    clear, values = scene.expected_pixels(definitions, weights.grid)
    weight = share * clear[row, col]
    means = {}
    for name, raster in values.items():
        value = raster[row, col]
        good = np.isfinite(value) & (weight > 0)
        means[name] = (value[good] * weight[good]).sum() / weight[good].sum() if good.any() else np.nan
    return weight.sum(), means


def check(weights, scene, definitions, rows):
    for number, plot in enumerate(rows["plot"]):
        clear, means = brute_force(weights, scene, definitions, plot)
        scale = (weights.grid.resolution_m / 10) ** 2
        assert rows["pixel_count"][number] == pytest.approx(clear * scale, abs=1e-9)
        assert rows["valid_fraction"][number] == pytest.approx(min(1, clear / weights.area_px[plot]), abs=1e-9)
        for definition in definitions:
            expected = means.get(definition.column, np.nan) if rows["valid_fraction"][number] >= 0.05 else np.nan
            np.testing.assert_allclose(rows[definition.column][number], expected, rtol=1e-9, atol=1e-9)


def test_a_mean_the_hand_computes(make_grid, in_pixels, make_scene, observe):
    grid = make_grid(3, 3)
    scene = make_scene(grid, ["red", "nir"], mask=False, scale=0.001, offset=0.0, nodata=None)
    scene.bands["red"] = np.array([[100, 100, 100], [100, 300, 100], [9, 9, 9]], np.uint16)
    scene.bands["nir"] = np.array([[300, 300, 300], [300, 300, 900], [9, 9, 9]], np.uint16)
    # Rows 0 and 1, columns 0.5 to 2.5: NDVI .5 .5 .5 / .5 0 .8, weights .5 1 .5 twice.
    rows = observe(build_weights(in_pixels([box(0.5, 0, 2.5, 2)], grid), grid=grid), scene, load_indices(["NDVI"]))
    assert rows["ndvi"][0] == pytest.approx((0.25 + 0.5 + 0.25 + 0.25 + 0 + 0.4) / 4)
    assert rows["pixel_count"][0] == 4
    assert rows["valid_fraction"][0] == 1


@pytest.mark.parametrize(
    ("dtype", "factors", "class_factor"),
    [(np.uint16, {"swir16": 2}, 2), (np.int16, {"nir": 3, "swir16": 6}, 6), (np.float32, {"swir16": 2}, None)],
)
def test_sums_are_those_of_numpy(make_grid, in_pixels, make_scene, observe, dtype, factors, class_factor):
    grid = make_grid(61, 47)
    has_mask = class_factor is not None
    scene = make_scene(
        grid, ["nir", "swir16"], factors=factors, dtype=dtype, class_factor=class_factor or 1, mask=has_mask
    )
    rng = np.random.default_rng(8)
    for dn in scene.bands.values():
        dn[rng.random(dn.shape) < 0.05] = 0  # no data here and there
    if dtype is np.float32:
        scene.bands["nir"][5:9, 5:30] = np.nan
        scene.bands["swir16"][9:12, 5:30] = np.inf
    definitions = load_indices(["NDMI"])
    weights = build_weights(in_pixels([*some_plots(rng, 60, height=61, width=47)], grid), grid=grid)
    check(weights, scene, definitions, observe(weights, scene, definitions))


def test_bands_of_unlike_types_are_read_as_what_they_are(make_grid, in_pixels, make_scene, observe):
    grid = make_grid()
    scene = make_scene(grid, ["red", "nir"], dtype=np.uint16)
    scene.bands["red"] = (scene.bands["red"] % 250).astype(np.uint8)
    scene.bands["nir"] = scene.bands["nir"].astype(">i2")
    weights = build_weights(in_pixels([box(2.2, 3.3, 20, 19)], grid), grid=grid)
    check(weights, scene, load_indices(["NDVI"]), observe(weights, scene, load_indices(["NDVI"])))


def test_a_plot_of_thousands_of_pixels_passes_through_many_batches(make_grid, in_pixels, make_scene, observe, defaults):
    grid = make_grid(130, 140)
    scene = make_scene(grid, ["blue", "green", "red", "rededge1", "nir", "swir16"], factors=FACTORS)
    weights = build_weights(in_pixels([box(0, 0, 140, 130), box(1.5, 1.5, 120.2, 110.7)], grid), grid=grid)
    check(weights, scene, defaults, observe(weights, scene, defaults))


def test_indices_agree_with_exactextract_down_to_five_percent_clear(
    make_grid, in_pixels, make_scene, observe, defaults
):
    grid = make_grid(60, 60)
    scene = make_scene(grid, ["blue", "green", "red", "rededge1", "nir", "swir16"], cloud=0.45, factors=FACTORS)
    rng = np.random.default_rng(11)
    drawn = [*some_plots(rng, 150, height=60, width=60, size=2.5), *some_plots(rng, 50, height=60, width=60)]
    plots = in_pixels(drawn, grid)
    rows = observe(build_weights(plots, grid=grid), scene, defaults)
    clear, values = scene.expected_pixels(defaults, grid)
    west, south, east, north = grid.bounds
    features = [
        {"type": "Feature", "properties": {"n": n}, "geometry": shapely.geometry.mapping(plots[n])}
        for n in rows["plot"]
    ]
    for name, raster in values.items():
        source = NumPyRasterSource(np.where(clear, raster, np.nan), west, south, east, north)
        results = exact_extract(source, features, ["mean", "count"], output="pandas")
        enough = rows["valid_fraction"] >= 0.05
        assert enough.sum() > 100
        np.testing.assert_allclose(rows["pixel_count"], results["count"], atol=1e-5)
        difference = np.abs(rows[name] - results["mean"].to_numpy(float))[enough]
        # exactextract's own shares are of single precision; EVI of these random pixels runs to hundreds.
        bound = 1e-4 * np.maximum(1, np.nanmax(np.abs(raster)) / 10) if name == "evi" else 1e-4
        assert np.nanmax(difference) < bound


def test_a_zero_denominator_is_dropped_for_its_index_alone(make_grid, in_pixels, make_scene, observe, own_index):
    grid = make_grid(4, 4)
    scene = make_scene(grid, ["red", "nir"], mask=False, scale=0.001, offset=-1.0, nodata=None)
    scene.bands["red"][:] = 1100
    scene.bands["nir"][:] = 1300
    scene.bands["red"][0, 0], scene.bands["nir"][0, 0] = 1000, 1000  # reflectance 0 and 0
    definitions = [*load_indices(["NDVI"]), own_index("nir - red"), own_index("1 / (1 / nir)", "HIDDEN")]
    rows = observe(build_weights(in_pixels([box(0, 0, 2, 1), box(0, 0, 1, 1)], grid), grid=grid), scene, definitions)
    assert rows["ndvi"].tolist() == pytest.approx([0.5, np.nan], nan_ok=True)
    assert rows["own"].tolist() == pytest.approx([0.1, 0.0], abs=1e-12)
    assert rows["hidden"].tolist() == pytest.approx([0.3, np.nan], nan_ok=True)
    assert rows["valid_fraction"].tolist() == [1, 1]


def test_reflectance_below_zero_is_not_clipped(make_grid, in_pixels, make_scene, observe):
    grid = make_grid(4, 4)
    scene = make_scene(grid, ["red", "nir"], mask=False)
    scene.bands["red"][:] = 900  # -0.01
    scene.bands["nir"][:] = 3000  # 0.2
    rows = observe(build_weights(in_pixels([box(0, 0, 2, 1)], grid), grid=grid), scene, load_indices(["NDVI"]))
    assert rows["ndvi"][0] == pytest.approx(0.21 / 0.19)


def test_a_missing_band_leaves_other_indices_alone(make_grid, in_pixels, make_scene, observe):
    grid = make_grid()
    scene = make_scene(grid, ["red", "nir"])
    weights = build_weights(in_pixels([box(2.2, 3.3, 20, 19)], grid), grid=grid)
    definitions = load_indices(["EVI", "NDVI"])
    rows = observe(weights, scene, definitions)
    assert np.isnan(rows["evi"][0])
    assert not np.isnan(rows["ndvi"][0])
    check(weights, scene, definitions, rows)


def test_a_user_index_runs_in_the_kernel(make_grid, in_pixels, make_scene, observe, own_index):
    grid = make_grid()
    scene = make_scene(grid, ["blue", "red", "nir"])
    weights = build_weights(in_pixels([box(2.2, 3.3, 20, 19)], grid), grid=grid)
    definitions = [own_index("max(nir, red) ** 1.5 - abs(blue - red) / min(2, sqrt(nir)) + (-blue) ** 2")]
    check(weights, scene, definitions, observe(weights, scene, definitions))


def test_all_cloud_is_a_row_without_values(make_grid, in_pixels, make_scene, observe):
    grid = make_grid()
    scene = make_scene(grid, ["red", "nir"])
    scene.classes[:] = 9
    rows = observe(build_weights(in_pixels([box(2, 3, 20, 19)], grid), grid=grid), scene, load_indices(["NDVI"]))
    assert rows["valid_fraction"].tolist() == [0]
    assert np.isnan(rows["ndvi"]).all()


def test_grids_of_other_resolution_count_in_pixels_of_ten_metres(make_grid, in_pixels, make_scene, observe):
    grid = make_grid(resolution_m=30.0)
    scene = make_scene(grid, ["red", "nir"], mask=False)
    rows = observe(build_weights(in_pixels([box(2, 3, 4, 4)], grid), grid=grid), scene, load_indices(["NDVI"]))
    assert rows["pixel_count"].tolist() == [18]


@pytest.fixture(scope="module")
def two_blocks(make_grid, in_pixels, make_scene, block_size):
    grid = make_grid(block_size + 13, block_size + 27)
    rng = np.random.default_rng(21)
    near = [*some_plots(rng, 80, height=30, width=30, size=12)]
    moved = [shapely.transform(plot, lambda xy: xy + block_size - 15) for plot in near]
    scene = make_scene(grid, ["blue", "red", "nir"], factors={"blue": 6, "red": 2}, class_factor=2)
    return build_weights(in_pixels(moved, grid), grid=grid), scene


def test_plots_over_block_borders_are_those_of_numpy(two_blocks, observe):
    weights, scene = two_blocks
    assert len(weights.blocks) == 4
    check(weights, scene, load_indices(["EVI"]), observe(weights, scene, load_indices(["EVI"])))


@pytest.mark.parametrize("factors", [{"red": 2}, {"red": 3, "blue": 6}])
def test_plots_so_many_that_rows_are_read_ahead_are_those_of_numpy(make_grid, in_pixels, make_scene, observe, factors):
    grid = make_grid(200, 90)
    corners = np.random.default_rng(4).uniform((-1, -1), (90, 200), (2_100, 2))
    weights = build_weights(in_pixels([shapely.box(x, y, x + 2.3, y + 1.7) for x, y in corners], grid), grid=grid)
    assert weights.blocks[0].part_to > 2_048
    scene = make_scene(grid, ["blue", "red", "nir"], factors=factors, cloud=0.2)
    check(weights, scene, load_indices(["EVI"]), observe(weights, scene, load_indices(["EVI"])))


@pytest.mark.parametrize("cloud", [0.0, 0.002, 0.4])
def test_a_plot_wider_than_a_span_and_larger_than_a_batch_is_that_of_numpy(
    make_grid, in_pixels, make_scene, observe, cloud
):
    grid = make_grid(60, 800)
    shapes = [box(3.5, 2.5, 700.2, 40.7), shapely.Point(650, 30).buffer(29.3), box(0, 0, 800, 60), box(9, 9, 10, 10)]
    weights = build_weights(in_pixels(shapes, grid), grid=grid)
    scene = make_scene(grid, ["red", "nir"], factors={"red": 2}, cloud=cloud)
    if not cloud:
        scene.classes[:] = 4
    check(weights, scene, load_indices(["NDVI"]), observe(weights, scene, load_indices(["NDVI"])))


def summed(kernel, weights, blocks, read):
    sums = PlotSums.nothing_seen(weights, n_indices=len(kernel.names))
    for block in blocks:
        kernel.accumulate(weights, block, read(block), sums)
    return sums


def test_blocks_out_of_order_are_refused(two_blocks):
    weights, scene = two_blocks
    kernel = make_kernel(compile_indices(load_indices(["EVI"])))
    with pytest.raises(InputUnusableError) as caught:
        summed(kernel, weights, [weights.blocks[k] for k in (2, 0)], scene.read)
    assert caught.value.code == "block_repeated"


def test_pixels_that_may_not_be_written_to_give_the_same_sums(two_blocks):
    weights, scene = two_blocks
    kernel = make_kernel(compile_indices(load_indices(["EVI"])))

    def read(block):
        locked = scene.read(block)
        for band in locked.bands.values():
            band.dn.setflags(write=False)
        locked.mask.classes.setflags(write=False)
        return locked

    expected = summed(kernel, weights, weights.blocks, scene.read)
    assert np.array_equal(summed(kernel, weights, weights.blocks, read).sums, expected.sums)


def test_threads_give_the_same_bytes(two_blocks):
    weights, scene = two_blocks
    kernel = make_kernel(compile_indices(load_indices(["EVI"])))
    expected = summed(kernel, weights, weights.blocks, scene.read)
    found = [None] * 4

    def work(k):
        found[k] = summed(kernel, weights, weights.blocks, scene.read)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in found:
        assert one.sums.tobytes() == expected.sums.tobytes()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), cloud=st.sampled_from([0.0, 0.4]))
def test_any_plots_and_clouds_agree_with_numpy(make_grid, in_pixels, make_scene, observe, seed, cloud):
    grid = make_grid()
    scene = make_scene(grid, ["red", "nir"], seed=seed, cloud=cloud)
    drawn = [*some_plots(np.random.default_rng(seed), 8, height=40, width=50)]
    weights = build_weights(in_pixels(drawn, grid), grid=grid)
    check(weights, scene, load_indices(["NDVI"]), observe(weights, scene, load_indices(["NDVI"])))


def test_a_kernel_travels_to_another_process(two_blocks):
    weights, scene = two_blocks
    kernel = make_kernel(compile_indices(load_indices(["EVI"])))
    other = pickle.loads(pickle.dumps(kernel))  # noqa: S301 - our own bytes
    assert other == kernel
    found, expected = (summed(one, weights, weights.blocks, scene.read) for one in (other, kernel))
    assert found.sums.tobytes() == expected.sums.tobytes()
