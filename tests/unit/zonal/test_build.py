from __future__ import annotations

import numpy as np
import pytest
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, box

from agrocredit.domain.errors import InputUnusableError
from agrocredit.zonal import build_weights, weights_key


def shares(weights, plot):
    """Return one plot's covered shares as a raster."""
    raster = np.zeros((weights.grid.height, weights.grid.width))
    row, col, share = weights.entries(plot)
    raster[row, col] = share
    return raster


def oracle(grid, plot):
    """Return the covered shares as exactextract computes them."""
    west, south, east, north = grid.bounds
    source = NumPyRasterSource(np.ones((grid.height, grid.width)), west, south, east, north)
    feature = {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(plot)}
    (result,) = exact_extract(source, feature, ["cell_id", "coverage"])
    raster = np.zeros(grid.height * grid.width)
    raster[result["properties"]["cell_id"]] = result["properties"]["coverage"]
    return raster.reshape(grid.height, grid.width)


def star(center, radii, angles):
    angle = np.cumsum(angles)
    angle = angle / angle[-1] * 2 * np.pi
    return Polygon(np.column_stack([center[0] + radii * np.cos(angle), center[1] + radii * np.sin(angle)]))


@st.composite
def stars(draw, low=10.0, high=30.0):
    n = draw(st.integers(3, 12))
    numbers = st.floats(0.05, 9, allow_nan=False)
    radii = np.array(draw(st.lists(numbers, min_size=n, max_size=n)))
    angles = np.array(draw(st.lists(st.floats(0.3, 1), min_size=n, max_size=n)))
    drawn = star((draw(st.floats(low, high)), draw(st.floats(low, high))), radii, angles)
    assume(drawn.is_valid)  # a gap of more than half a turn lets sides cross
    return drawn


def test_a_rectangle_on_three_by_three_pixels_covers_what_the_hand_computes(make_grid, in_pixels):
    grid = make_grid(3, 3)
    weights = build_weights(in_pixels([box(0.5, 0.75, 2.5, 2)], grid), grid=grid)
    expected = [[0.125, 0.25, 0.125], [0.5, 1, 0.5], [0, 0, 0]]
    np.testing.assert_allclose(shares(weights, 0), expected, atol=1e-8)
    assert weights.area_px[0] == pytest.approx(2.5)


def test_ring_direction_does_not_matter(make_grid, in_pixels):
    grid = make_grid(3, 3)
    right = Polygon([(0, 0), (2, 0), (2, 2.5)], [[(1.2, 0.2), (1.5, 0.2), (1.5, 0.7)]])
    weights = build_weights(in_pixels([right, shapely.reverse(right)], grid), grid=grid)
    np.testing.assert_array_equal(shares(weights, 0), shares(weights, 1))


SHAPES = {
    "triangle": Polygon([(3.3, 2.1), (17.8, 5.5), (6.2, 21.9)]),
    "hole": box(5, 5, 15.5, 15.25).difference(box(8.1, 8.2, 9.9, 12.4)),
    "two holes": box(5, 5, 15.5, 15.25).difference(box(6.1, 6.2, 6.3, 12.4)).difference(box(9, 9, 10, 10)),
    "two parts": MultiPolygon([box(1, 1, 3.5, 3.5), Polygon([(10, 10), (14.2, 10.3), (11, 13)])]),
    "parts that share a pixel": MultiPolygon([box(1, 1, 3.4, 3), box(3.6, 1, 5, 3)]),
    "inside one pixel": box(4.2, 4.3, 4.6, 4.9),
    "exactly one pixel": box(4, 4, 5, 5),
    "sliver": Polygon([(2, 2.5), (30, 2.5004), (2, 2.5008)]),
    "upright sliver": Polygon([(7.99, 2), (8.01, 2), (8.0, 30)]),
    "diagonal strip": Polygon([(1, 1), (2, 1), (31, 30), (30, 30)]),
    "over the left edge": box(-5.5, 3.2, 2.3, 7.7),
    "over the upper edge": Polygon([(5, -8), (9, 4.3), (1, 3.3)]),
    "over the right edge": Polygon([(45, 5), (61, 9.5), (44, 14)]),
    "over the lower edge": Polygon([(5, 35), (9, 55), (1, 44)]),
    "larger than the grid": box(-10, -10, 60, 60),
    "round the grid": box(-10, -10, 60, 60).difference(box(2.5, 2.5, 47.5, 37.5)),
    "over a corner": Polygon([(-6, 2), (2, -6), (4, 4)]),
}


@pytest.mark.parametrize("name", SHAPES)
def test_coverage_is_that_of_exactextract(make_grid, in_pixels, name):
    grid = make_grid()
    plots = in_pixels([SHAPES[name]], grid)
    weights = build_weights(plots, grid=grid)
    np.testing.assert_allclose(shares(weights, 0), oracle(grid, plots[0]), atol=2e-7)
    assert weights.area_px[0] == pytest.approx(SHAPES[name].area, rel=1e-6)


def test_a_plot_beside_the_grid_has_an_area_and_no_entries(make_grid, in_pixels):
    grid = make_grid()
    weights = build_weights(in_pixels([box(60, 5, 70, 9), box(1, 1, 2, 2), box(50, 0, 51, 1)], grid), grid=grid)
    assert weights.n_plots == 3
    assert weights.plots_on_grid.tolist() == [1]
    assert weights.area_px.tolist() == pytest.approx([40, 1, 1])


def test_overlapping_plots_each_count_in_full(make_grid, in_pixels):
    grid = make_grid()
    weights = build_weights(in_pixels([box(2, 2, 6, 6), box(3, 3, 9, 9), box(2, 2, 6, 6)], grid), grid=grid)
    assert [shares(weights, plot).sum() for plot in range(3)] == pytest.approx([16, 36, 16])


def test_no_plots_make_weights_without_blocks(make_grid):
    weights = build_weights([], grid=make_grid())
    assert weights.blocks == ()
    assert weights.n_plots == 0


def test_plots_across_blocks_keep_every_pixel(make_grid, in_pixels, block_size):
    grid = make_grid(block_size + 30, 2 * block_size + 30)
    corner = Polygon(
        [(block_size - 9.5, block_size - 3), (block_size + 12, block_size - 8), (block_size, block_size + 11)]
    )
    long = Polygon([(3, 5), (2 * block_size + 20, block_size + 20), (2 * block_size + 10, block_size + 25)])
    plots = in_pixels([corner, long], grid)
    weights = build_weights(plots, grid=grid)
    assert [(block.row0, block.col0) for block in weights.blocks][:2] == [(0, 0), (0, block_size)]
    for plot in range(2):
        np.testing.assert_allclose(shares(weights, plot), oracle(grid, plots[plot]), atol=2e-7)


def test_many_plots_give_the_same_weights_as_each_alone(make_grid, in_pixels, monkeypatch):
    monkeypatch.setattr("agrocredit.zonal.build._CHUNK_PLOTS", 7)
    rng = np.random.default_rng(2)
    grid = make_grid()
    drawn = [star(rng.uniform(0, 50, 2), rng.uniform(0.2, 9, 7), rng.uniform(0.3, 1, 7)) for _ in range(40)]
    plots = in_pixels(drawn, grid)
    together = build_weights(plots, grid=grid)
    for plot in range(40):
        np.testing.assert_array_equal(shares(together, plot), shares(build_weights(plots[[plot]], grid=grid), 0))


@settings(max_examples=60, deadline=None)
@given(plot=stars())
def test_weights_add_up_to_the_area(make_grid, in_pixels, plot):
    grid = make_grid()
    weights = build_weights(in_pixels([plot], grid), grid=grid)
    assert shares(weights, 0).sum() == pytest.approx(plot.area, rel=1e-6, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(plot=stars(low=-4, high=48))
def test_coverage_of_any_star_is_that_of_exactextract(make_grid, in_pixels, plot):
    grid = make_grid()
    plots = in_pixels([plot], grid)
    np.testing.assert_allclose(shares(build_weights(plots, grid=grid), 0), oracle(grid, plots[0]), atol=3e-7)


@settings(max_examples=40, deadline=None)
@given(plot=stars(), x=st.floats(0, 30))
def test_the_pieces_of_a_plot_cover_what_the_plot_covers(make_grid, in_pixels, plot, x):
    grid = make_grid()
    halves = (plot.intersection(box(-99, -99, x, 99)), plot.intersection(box(x, -99, 99, 99)))
    pieces = [part for part in halves if part.geom_type in {"Polygon", "MultiPolygon"} and part.area > 0]
    weights = build_weights(in_pixels([plot, *pieces], grid), grid=grid)
    together = sum(shares(weights, 1 + number) for number in range(len(pieces)))
    np.testing.assert_allclose(shares(weights, 0), together, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(plot=stars(), rows=st.integers(0, 10), cols=st.integers(0, 20))
def test_moving_a_plot_by_whole_pixels_moves_its_weights(make_grid, in_pixels, plot, rows, cols):
    grid = make_grid()
    moved = shapely.transform(plot, lambda xy: xy + np.array([cols, rows]))
    weights = build_weights(in_pixels([plot, moved], grid), grid=grid)
    expected = np.zeros((grid.height, grid.width))
    expected[rows:, cols:] = shares(weights, 0)[: grid.height - rows, : grid.width - cols]
    inside = moved.within(box(0, 0, grid.width, grid.height)) and plot.within(box(0, 0, grid.width, grid.height))
    if inside:
        np.testing.assert_allclose(shares(weights, 1), expected, atol=1e-7)


def test_an_edge_that_is_all_but_level_is_no_overflow(make_grid):
    grid = make_grid(4, 4, x0=0.0, y0=0.0)
    plot = Polygon([(0, 0), (40, -5e-324), (40, -20), (0, -20)])
    np.testing.assert_allclose(shares(build_weights([plot], grid=grid), 0)[:2], 1)


def from_wkt(text):
    with np.errstate(invalid="ignore"):
        return shapely.from_wkt(text)


@pytest.mark.parametrize(
    ("plot", "message"),
    [
        (shapely.Point(1, 2), "is no polygon"),
        (None, "is no polygon"),
        (Polygon(), "is empty or has coordinates that are not finite"),
        (from_wkt("POLYGON ((0 0, NaN 1, 1 1, 0 0))"), "not finite"),
        (from_wkt("POLYGON ((0 0, Inf 1, 1 1, 0 0))"), "not finite"),
        (Polygon([(0, 0), (1, 1), (2, 2)]), "has no area"),
        (Polygon([(5, 5), (25, 6), (5, 15), (20, 30)]), "cross or overlap"),
        (MultiPolygon([box(2, 2, 9, 9), box(4, 4, 12, 12)]), "cross or overlap"),
        (Polygon(box(5, 5, 9, 9).exterior, [box(20, 20, 23, 23).exterior]), "cross or overlap"),
    ],
)
def test_what_bounds_no_area_is_refused_by_number(make_grid, in_pixels, plot, message):
    grid = make_grid()
    plots = in_pixels([box(1, 1, 2, 2), plot], grid)
    with pytest.raises(InputUnusableError, match=f"plot number 1 .*{message}") as caught:
        build_weights(plots, grid=grid)
    assert caught.value.code == "geometry_invalid"


def test_areas_must_be_as_many_as_plots(make_grid, in_pixels):
    grid = make_grid()
    with pytest.raises(InputUnusableError, match="2 areas for 1 plots"):
        build_weights(in_pixels([box(1, 1, 2, 2)], grid), grid=grid, plot_areas_m2=np.ones(2))


def test_given_areas_are_used(make_grid, in_pixels):
    grid = make_grid()
    weights = build_weights(in_pixels([box(1, 1, 3, 2)], grid), grid=grid, plot_areas_m2=np.array([400.0]))
    assert weights.area_px[0] == 4


def test_a_plot_on_the_grid_is_exactly_as_large_as_its_weights(make_grid, in_pixels):
    grid = make_grid()
    weights = build_weights(in_pixels([SHAPES["triangle"]], grid), grid=grid)
    assert weights.area_px[0] == weights.entries(0)[2].sum()


def test_the_key_changes_with_plots_grid_and_areas(make_grid, in_pixels):
    grid, plots = make_grid(), in_pixels([box(1, 1, 3, 2), box(5, 5, 6, 6)], make_grid())
    key = weights_key(plots, grid=grid)
    assert key == weights_key(plots.copy(), grid=make_grid()) == build_weights(plots, grid=grid).key
    others = [
        weights_key(plots[::-1], grid=grid),
        weights_key(plots[:1], grid=grid),
        weights_key(plots, grid=make_grid(41)),
        weights_key(plots, grid=grid, plot_areas_m2=np.array([200.0, 100.0])),
    ]
    assert len({key, *others}) == 5


def test_a_million_plots_would_take_under_350_bytes_each(make_grid):
    rng = np.random.default_rng(4)
    grid = make_grid(900, 900)
    side = np.sqrt(rng.uniform(600, 11_200, 2000))  # 0.06 to 1.12 ha, mean 0.59
    center = rng.uniform(300, 8700, (2000, 2)) * [1, -1] + [grid.x0, grid.y0]
    turned = [
        shapely.affinity.rotate(box(x - s / 2, y - s / 2, x + s / 2, y + s / 2), angle)
        for (x, y), s, angle in zip(center, side, rng.uniform(0, 90, 2000), strict=True)
    ]
    assert build_weights(turned, grid=grid).nbytes / 2000 < 350
