"""The same ground says the same wherever a tile, a zone or an overlap cuts it, and once an acquisition."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from pyproj import Transformer
from shapely import box, transform
from shapely.geometry import mapping

from pipelines.observe import ObserveRequest, observe

SIDE = 40
INDEX_STEP = 0.005
"""What a cut may change in NDVI."""
WEST_DEG, SOUTH_DEG = 12.0, 47.6
"""Where zones 32 and 33 meet."""


def ndvi_at(longitude, latitude):
    """A smooth NDVI field: waves of 400 and 500 m, as large as fields, from 0.45 to 0.85."""
    east_m, north_m = (longitude - WEST_DEG) * 75_000, (latitude - SOUTH_DEG) * 111_200
    return 0.65 + 0.12 * np.sin(east_m / 400 * 2 * np.pi / 2) + 0.08 * np.cos(north_m / 500 * 2 * np.pi / 2)


def counts_of(crs, x0, y0):
    """Counts of red and near infrared with the NDVI of each pixel's centre; their sum is 0.5 everywhere."""
    to_degrees = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    centres = (np.arange(SIDE) + 0.5) * 10
    east, north = np.meshgrid(x0 + centres, y0 - centres)
    index = ndvi_at(*to_degrees.transform(east, north))
    red, nir = 0.25 * (1 - index), 0.25 * (1 + index)
    return {"B04": red * 10_000, "B08": nir * 10_000, "B02": (0.49 * red + 0.01) * 10_000}


def tile(catalogue, scene_id, *, crs="EPSG:32632", x0, y0, name, day="2022-05-10", **how):
    return catalogue.add(scene_id, day, counts=counts_of(crs, x0, y0), x0=x0, y0=y0, crs=crs, tile=name, **how)


def observed(catalogue, plots, out):
    request = ObserveRequest(
        scenes=str(catalogue.write()), plots=plots, start=date(2022, 5, 1), end=date(2022, 7, 1), out=out
    )
    summary = observe(request)
    rows = pd.concat([pd.read_parquet(path) for path in sorted(out.glob("*.parquet"))], ignore_index=True)
    return rows, summary


def field(plot_id, *, crs, west, north, width_m=60, height_m=60):
    to_degrees = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform
    square = transform(box(west, north - height_m, west + width_m, north), to_degrees, interleaved=False)
    return {"type": "Feature", "properties": {"id": plot_id}, "geometry": mapping(square)}


@pytest.fixture
def corner():
    """Where the plane of zone 32 meets 12 degrees east: easting and northing of a tile's corner, on the 20 m raster."""
    east, north = Transformer.from_crs("EPSG:4326", "EPSG:32632", always_xy=True).transform(WEST_DEG, SOUTH_DEG)
    return round(east / 20) * 20.0 - 200, round(north / 20) * 20.0 + 200


@pytest.fixture
def strip_of_plots(corner, tmp_path, write_plots):
    """Ten plots side by side across the ground that all tiles of a test show, at odd distances from the raster."""
    x0, y0 = corner
    plots = [
        field(f"p{number}", crs="EPSG:32632", west=x0 + 23 + 33.3 * number, north=y0 - 151.7) for number in range(10)
    ]
    return write_plots(tmp_path / "plots.geojson", *plots)


def test_a_plot_on_the_edge_of_overlapping_tiles_has_the_value_of_one_tile(catalogue, corner, strip_of_plots, tmp_path):
    x0, y0 = corner
    whole = type(catalogue)(catalogue.folder.with_name("whole"))
    tile(whole, "whole", x0=x0, y0=y0, name="32TQT")
    alone, _ = observed(whole, strip_of_plots, tmp_path / "alone")
    tile(catalogue, "west", x0=x0 - 160, y0=y0, name="32TQT")
    tile(catalogue, "east", x0=x0 + 100, y0=y0, name="32TRT")
    both, summary = observed(catalogue, strip_of_plots, tmp_path / "both")
    assert both["plot_id"].tolist() == alone["plot_id"].tolist() == [f"p{number}" for number in range(10)]
    assert set(both["scene_id"]) == {"west", "east"}
    assert summary.counts["acquisitions"] == 1
    assert both["valid_fraction"].to_numpy() == pytest.approx(np.ones(10), abs=1e-3)
    assert both["ndvi"].to_numpy() == pytest.approx(alone["ndvi"].to_numpy(), abs=INDEX_STEP)


def test_a_plot_cut_by_tiles_that_do_not_overlap_says_how_little_of_it_was_seen(
    catalogue, corner, tmp_path, write_plots
):
    x0, y0 = corner
    plots = write_plots(tmp_path / "p.geojson", field("cut", crs="EPSG:32632", west=x0 - 20, north=y0 - 100))
    tile(catalogue, "west", x0=x0 - 400, y0=y0, name="32TQT")
    tile(catalogue, "east", x0=x0, y0=y0, name="32TRT")
    rows, _ = observed(catalogue, plots, tmp_path / "obs")
    assert rows["scene_id"].tolist() == ["east"]
    assert rows["valid_fraction"].tolist() == pytest.approx([2 / 3], abs=1e-3)


def test_a_plot_seen_in_two_zones_has_one_value_and_it_is_that_of_either(catalogue, corner, strip_of_plots, tmp_path):
    x0, y0 = corner
    to_33 = Transformer.from_crs("EPSG:32632", "EPSG:32633", always_xy=True)
    east, north = to_33.transform(x0 + 200, y0 - 200)
    x33, y33 = round(east / 20) * 20.0 - 200, round(north / 20) * 20.0 + 200
    values = {}
    for name, tiles in {"32": ["a"], "33": ["b"], "both": ["a", "b"]}.items():
        source = type(catalogue)(catalogue.folder.with_name(f"zone-{name}"))
        if "a" in tiles:
            tile(source, "a", x0=x0, y0=y0, name="32TQT")
        if "b" in tiles:
            tile(source, "b", crs="EPSG:32633", x0=x33, y0=y33, name="33TUN")
        rows, summary = observed(source, strip_of_plots, tmp_path / name)
        assert summary.counts["acquisitions"] == 1
        assert not rows.duplicated("plot_id").any()
        values[name] = rows[rows["valid_fraction"] > 0.999].set_index("plot_id")["ndvi"]
    assert len(values["32"]) == 10
    shared = values["33"].index
    assert len(shared) >= 8
    assert values["33"].to_numpy() == pytest.approx(values["32"][shared].to_numpy(), abs=INDEX_STEP)
    assert values["both"].to_numpy() == pytest.approx(values["32"].to_numpy(), abs=INDEX_STEP)
    assert np.ptp(values["32"]) > 10 * INDEX_STEP, "the field is too flat for the test to say anything"


def test_of_overlapping_tiles_the_one_without_the_cloud_speaks(catalogue, corner, strip_of_plots, tmp_path):
    x0, y0 = corner
    clouded = np.full((SIDE // 2, SIDE // 2), 4, dtype=np.uint8)
    clouded[:, :10] = 9
    tile(catalogue, "clouded", x0=x0, y0=y0, name="32TQT", classes=clouded)
    tile(catalogue, "clear", x0=x0 - 20, y0=y0, name="32TPT")
    rows, _ = observed(catalogue, strip_of_plots, tmp_path / "obs")
    assert not rows.duplicated("plot_id").any()
    assert rows.set_index("plot_id").loc["p1", "scene_id"] == "clear"
    assert rows["ndvi"].notna().all()
