"""Plots check their own size; areas are geodesic."""

import pytest
from pyproj import Transformer
from shapely import box, transform

from agrocredit.domain.errors import RefusedError
from agrocredit.domain.plot import Holding, Plot, geodesic_area_perimeter


def square_in_degrees(side_m, crs="EPSG:32632", x=500_000.0, y=5_270_000.0):
    to_degrees = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform
    return transform(box(x, y, x + side_m, y + side_m), to_degrees, interleaved=False)


def plot_of(geometry, **fields):
    area_m2, perimeter_m = geodesic_area_perimeter(geometry)
    return Plot(id="p1", geometry=geometry, area_m2=area_m2, perimeter_m=perimeter_m, **fields)


def test_the_area_is_geodesic_and_near_the_projected_one_on_the_central_meridian():
    area_m2, perimeter_m = geodesic_area_perimeter(square_in_degrees(100.0))
    assert area_m2 == pytest.approx(10_000 / 0.9996**2, rel=1e-6)
    assert perimeter_m == pytest.approx(400 / 0.9996, rel=1e-6)


def test_the_edges_of_a_hole_count_as_edges_and_its_area_does_not():
    outer, inner = square_in_degrees(100.0), square_in_degrees(40.0, x=500_030.0, y=5_270_030.0)
    area_m2, perimeter_m = geodesic_area_perimeter(outer.difference(inner))
    assert area_m2 == pytest.approx((10_000 - 1_600) / 0.9996**2, rel=1e-6)
    assert perimeter_m == pytest.approx((400 + 160) / 0.9996, rel=1e-6)


def test_ring_direction_does_not_change_the_area():
    square = square_in_degrees(50.0)
    assert geodesic_area_perimeter(square.reverse())[0] == pytest.approx(geodesic_area_perimeter(square)[0], rel=1e-12)


@pytest.mark.parametrize(
    ("width_m", "height_m", "code"),
    [(9.0, 9.0, "plot_too_small"), (4_000.0, 4_000.0, "plot_too_large"), (1.0, 500.0, "plot_too_narrow")],
)
def test_a_plot_that_cannot_be_a_field_refuses_itself(width_m, height_m, code):
    to_degrees = Transformer.from_crs("EPSG:32632", "EPSG:4326", always_xy=True).transform
    geometry = transform(
        box(500_000, 5_270_000, 500_000 + width_m, 5_270_000 + height_m), to_degrees, interleaved=False
    )
    with pytest.raises(RefusedError, match=code):
        plot_of(geometry)


@pytest.mark.parametrize("declared", [0.0, -5.0, float("nan"), float("inf")])
def test_a_declared_area_is_a_positive_number(declared):
    with pytest.raises(RefusedError, match="declared_area_invalid"):
        plot_of(square_in_degrees(50.0), declared_area_m2=declared)


@pytest.mark.parametrize("share", [0.0, 1.2, float("nan")])
def test_a_share_is_above_zero_and_at_most_one(share):
    with pytest.raises(RefusedError, match="tenure_share_invalid"):
        Holding(farmer_id="f", plot_id="p", tenure_share=share)
