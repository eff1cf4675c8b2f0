"""Imagery that is broken or lies: refused by code, never a fill value, and the other scenes do not notice."""

import hashlib
import json
import resource
import shutil
from datetime import date

import numpy as np
import pandas as pd
import pytest
import rasterio
from rasterio.transform import from_origin
from shapely.geometry import shape

from agrocredit.domain.errors import InputUnusableError
from pipelines.fresh import fresh
from pipelines.observe import ObserveRequest, observe

GREEN, RED, NIR = 0.09, 0.07, 0.45


def observed(catalogue, plots, out, **changes):
    fields = {"scenes": str(catalogue.write()), "plots": plots, "start": date(2022, 5, 1), "end": date(2022, 7, 1)}
    return observe(ObserveRequest(**{**fields, "out": out, **changes}))


def rows_of(out):
    return pd.concat([pd.read_parquet(path) for path in sorted(out.glob("*.parquet"))], ignore_index=True)


def manifest_of(out):
    return json.loads((out / "manifest.json").read_text())


def bytes_of(out):
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


@pytest.fixture
def plots(tmp_path, field_of, write_plots):
    return write_plots(
        tmp_path / "plots.geojson",
        field_of("a", 4, 4, 8, 8),
        field_of("b", 20.5, 10.25, 6.5, 4),
        field_of("c", 30, 30, 8, 8),
    )


@pytest.fixture
def two(catalogue):
    """A catalogue of a scene to be spoiled and one that stays good."""
    return catalogue.add("bad", "2022-05-10").add("good", "2022-05-15")


def rewritten(path, *, pixels=None, **changes):
    """Write a raster again with other pixels, or something else in its header."""
    with rasterio.open(path) as src:
        profile, old = src.profile, src.read(1)
    pixels = old if pixels is None else pixels
    with rasterio.open(path, "w", **{**profile, "dtype": pixels.dtype, **changes}) as dst:
        dst.write(pixels, 1)


def cut_in_the_middle(path, _):
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])


def pixels_overwritten(path, _):
    """Leave header and size alone and wipe the bytes of the pixels."""
    with rasterio.open(path) as src:
        at, size = (int(src.get_tag_item(f"BLOCK_{what}_0_0", "TIFF", bidx=1)) for what in ("OFFSET", "SIZE"))
    data = bytearray(path.read_bytes())
    data[at : at + size] = bytes(size)
    path.write_bytes(bytes(data))


def absent(path, _):
    path.unlink()


def empty(path, _):
    path.write_bytes(b"")


def error_page(path, _):
    path.write_text("<!DOCTYPE html><html><body>503 Slow Down</body></html>")


def vrt_to_a_neighbour(path, _):
    """A text that GDAL would follow to the pixels of another file."""
    shutil.copy(path, path.with_name("other.tif"))
    path.write_text(
        '<VRTDataset rasterXSize="40" rasterYSize="40"><VRTRasterBand dataType="UInt16" band="1"><SimpleSource>'
        f"<SourceFilename>{path.with_name('other.tif')}</SourceFilename><SourceBand>1</SourceBand>"
        "</SimpleSource></VRTRasterBand></VRTDataset>"
    )


def bomb(path, _):
    """Some hundred kilobytes that declare 20 GB."""
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=100_000,
        height=100_000,
        count=1,
        dtype="uint16",
        crs="EPSG:32632",
        transform=from_origin(500_000, 5_270_000, 10, 10),
        tiled=True,
        blockxsize=512,
        blockysize=512,
        sparse_ok=True,
        compress="deflate",
    ):
        pass
    assert path.stat().st_size < 1_000_000


def eight_bit_copy(path, _):
    with rasterio.open(path) as src:
        pixels = (src.read(1) // 40).astype(np.uint8)
    rewritten(path, pixels=pixels)


def another_zone(path, _):
    rewritten(path, crs="EPSG:32633")


def half_a_pixel_aside(path, _):
    rewritten(path, transform=from_origin(500_005, 5_270_000, 10, 10))


def another_hemisphere(path, _):
    rewritten(path, crs="EPSG:32732")


def one_bit_flipped(path, asset):
    data = bytearray(path.read_bytes())
    asset["file:checksum"] = "1220" + hashlib.sha256(data).hexdigest()
    data[-5] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (cut_in_the_middle, "asset_unreadable"),
        (pixels_overwritten, "asset_unreadable"),
        (absent, "asset_unreadable"),
        (empty, "asset_unreadable"),
        (error_page, "asset_unreadable"),
        (vrt_to_a_neighbour, "format_not_allowed"),
        (bomb, "raster_too_large"),
        (eight_bit_copy, "band_type_invalid"),
        (another_zone, "grid_mismatch"),
        (another_hemisphere, "grid_mismatch"),
        (half_a_pixel_aside, "grid_mismatch"),
        (one_bit_flipped, "checksum_mismatch"),
    ],
)
@pytest.mark.parametrize("band", ["B04", "B03"])
def test_a_spoiled_band_is_refused_by_code_and_touches_nothing_else(two, plots, tmp_path, spoil, code, band):
    observed(two, plots, tmp_path / "whole")
    spoil(two.folder / "bad" / f"{band}.tif", two.items[0]["assets"][band])
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    summary = observed(two, plots, tmp_path / "obs")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 100_000
    assert [(one.code, one.scene_id, one.asset) for one in summary.refused] == [(code, "bad", band)]
    assert manifest_of(tmp_path / "obs")["refused"] == [one.as_dict() for one in summary.refused]
    assert summary.exit_code == 1
    found, whole = (rows_of(tmp_path / name).set_index("scene_id") for name in ("obs", "whole"))
    pd.testing.assert_frame_equal(found.loc[["good"]], whole.loc[["good"]])
    of_bad = found.loc[["bad"]]
    needs = {"B04": ["ndvi", "evi", "savi"], "B03": ["gndvi"]}[band]
    assert of_bad[needs].isna().all(axis=None)
    others = [name for name in ("ndvi", "gndvi", "ndmi", "ndrei") if name not in needs]
    pd.testing.assert_frame_equal(of_bad[others], whole.loc[["bad"], others])


def test_a_band_torn_midway_is_out_of_the_cube_too_and_the_cube_answers_as_the_batch(two, plots, tmp_path):
    pixels_overwritten(two.folder / "bad" / "B03.tif", None)
    observed(two, plots, tmp_path / "alone")
    summary = observed(two, plots, tmp_path / "obs", cube=tmp_path / "cube")
    assert [(one.code, one.scene_id, one.asset) for one in summary.refused] == [("asset_unreadable", "bad", "B03")]
    assert bytes_of(tmp_path / "obs") == bytes_of(tmp_path / "alone")
    drawn = shape(json.loads(plots.read_text())["features"][0]["geometry"])
    found = fresh(drawn, cube=tmp_path / "cube", plot_id="a").to_pandas()
    batch = rows_of(tmp_path / "obs")
    expected = batch[batch["plot_id"] == "a"].sort_values("acquired_at").reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected, rtol=0, atol=1e-6)
    assert found["gndvi"].isna().tolist() == [True, False]


def test_a_band_torn_where_all_is_cloud_costs_nothing_with_or_without_a_cube(catalogue, plots, tmp_path):
    catalogue.add("clouded", "2022-05-10", classes=9).add("good", "2022-05-15")
    pixels_overwritten(catalogue.folder / "clouded" / "B03.tif", None)
    assert observed(catalogue, plots, tmp_path / "alone").refused == ()
    assert observed(catalogue, plots, tmp_path / "obs", cube=tmp_path / "cube").refused == ()
    assert bytes_of(tmp_path / "obs") == bytes_of(tmp_path / "alone")


@pytest.mark.parametrize("spoil", [cut_in_the_middle, pixels_overwritten, absent, error_page, vrt_to_a_neighbour, bomb])
def test_a_spoiled_mask_costs_the_scene_because_cloud_would_count_as_crop(two, plots, tmp_path, spoil):
    spoil(two.folder / "bad" / "SCL.tif", None)
    summary = observed(two, plots, tmp_path / "obs")
    assert [(one.scene_id, one.asset) for one in summary.refused] == [("bad", "SCL")]
    assert set(rows_of(tmp_path / "obs")["scene_id"]) == {"good"}
    assert manifest_of(tmp_path / "obs")["counts"]["scenes"] == 1


def test_all_bands_one_zone_off_are_refused_by_the_items_own_box(two, plots, tmp_path):
    del two.items[0]["properties"]["proj:epsg"]
    for path in sorted((two.folder / "bad").glob("*.tif")):
        another_zone(path, None)
    summary = observed(two, plots, tmp_path / "obs")
    assert {(one.code, one.scene_id) for one in summary.refused} == {("grid_mismatch", "bad")}
    assert set(rows_of(tmp_path / "obs")["scene_id"]) == {"good"}


def test_a_whole_scene_half_a_pixel_off_what_its_item_says_is_refused(two, plots, tmp_path):
    for name, asset in two.items[0]["assets"].items():
        path = two.folder / "bad" / f"{name}.tif"
        with rasterio.open(path) as src:
            asset["proj:transform"] = list(src.transform)[:6]
            asset["proj:shape"] = list(src.shape)
        rewritten(path, transform=from_origin(500_005, 5_270_000, *src.res))
    summary = observed(two, plots, tmp_path / "obs")
    assert {(one.code, one.scene_id) for one in summary.refused} == {("grid_mismatch", "bad")}
    assert set(rows_of(tmp_path / "obs")["scene_id"]) == {"good"}


def test_a_scene_of_another_year_is_left_out(two, plots, tmp_path):
    two.add("old", "2021-05-12", counts={"B04": 3_000}).add("future", "2031-05-12", counts={"B04": 3_000})
    observed(two, plots, tmp_path / "obs")
    assert set(rows_of(tmp_path / "obs")["scene_id"]) == {"bad", "good"}
    assert {one["scene_id"] for one in manifest_of(tmp_path / "obs")["scenes"]} == {"bad", "good"}
    with pytest.raises(InputUnusableError, match="season_empty"):
        observed(two, plots, tmp_path / "none", start=date(2019, 5, 1), end=date(2019, 7, 1))


def test_a_byte_that_changed_without_a_declared_checksum_changes_the_recorded_one(two, plots, tmp_path):
    observed(two, plots, tmp_path / "one")
    path = two.folder / "bad" / "B03.tif"
    with rasterio.open(path) as src:
        pixels = src.read(1)
    pixels[5, 5] ^= 1
    rewritten(path, pixels=pixels)
    observed(two, plots, tmp_path / "two")
    first, second = (
        {(scene["scene_id"], key): value["sha256"] for scene in manifest_of(tmp_path / name)["scenes"]
         for key, value in scene["assets"].items()}
        for name in ("one", "two")
    )  # fmt: skip
    assert {key for key in first if first[key] != second[key]} == {("bad", "B03")}


@pytest.mark.parametrize("bands", [("B04",), ("B02", "B03", "B04", "B08", "B05", "B11")])
def test_nodata_everywhere_is_a_gap_and_no_value(two, plots, tmp_path, bands):
    for band in bands:
        path = two.folder / "bad" / f"{band}.tif"
        with rasterio.open(path) as src:
            rewritten(path, pixels=np.zeros(src.shape, dtype=np.uint16))
    observed(two, plots, tmp_path / "obs")
    rows = rows_of(tmp_path / "obs").set_index("scene_id")
    assert rows.loc[["bad"], "ndvi"].isna().all()
    assert rows.loc[["good"], "ndvi"].notna().all()
    if len(bands) > 1:
        assert (rows.loc["bad", "valid_fraction"] == 0).all()
