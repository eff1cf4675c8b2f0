"""Winter wheat in Switzerland, spring 2022: what is seen agrees with rasterio + exactextract done by hand."""

import json
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource

from pipelines.observe import ObserveRequest, observe

CLEAR = (4, 5, 6, 7)
FARMS = {
    "ch_swissfuturefarm_2022": {"products": 36, "acquisitions": 33, "nir": "B8A"},
    "ch_arenenberg_2022": {"products": 60, "acquisitions": 37, "nir": "B8A"},
}


def observations_of(shared, farm, out):
    folder = shared / "imagery" / farm
    request = ObserveRequest(
        scenes=str(folder / "stac" / "items.json"),
        plots=folder / "parcels" / "parcels_2022.geojson",
        id_field="parcel",
        start=date(2022, 3, 1),
        end=date(2022, 8, 1),
        out=out,
    )
    return observe(request)


@pytest.fixture(scope="module", params=FARMS)
def run(request, shared, tmp_path_factory):
    out = tmp_path_factory.mktemp(request.param) / "observations"
    summary = observations_of(shared, request.param, out)
    manifest = json.loads((out / "manifest.json").read_text())
    table = pd.concat([pd.read_parquet(part) for part in sorted(out.glob("*.parquet"))], ignore_index=True)
    return request.param, summary, manifest, table, out


def test_every_acquisition_is_there_once_a_parcel(run):
    farm, _, manifest, table, _ = run
    assert not table.duplicated(["plot_id", "acquired_at"]).any()
    assert table["acquired_at"].dt.date.nunique() == FARMS[farm]["acquisitions"]
    assert len(manifest["scenes"]) + len(manifest["superseded"]) == FARMS[farm]["products"]


def test_the_manifest_says_that_b8a_stands_in_for_b08_and_which_offset_was_taken(run):
    farm, _, manifest, _, _ = run
    assert {scene["nir_asset"] for scene in manifest["scenes"]} == {FARMS[farm]["nir"]}
    assert {scene["mask"] for scene in manifest["scenes"]} == {"scl"}
    assert {scene["offset"] for scene in manifest["scenes"]} == {-0.1}
    assert all(len(asset["sha256"]) == 64 for scene in manifest["scenes"] for asset in scene["assets"].values())


def test_ndvi_rises_to_nine_tenths_in_may_and_falls_by_late_july(run):
    _, _, _, table, _ = run
    seen = table[table["valid_fraction"] >= 0.5]
    for _, parcel in seen.groupby("plot_id"):
        by_day = parcel.set_index(parcel["acquired_at"].dt.date)["ndvi"]
        may = by_day[[day for day in by_day.index if day.month == 5]]
        late = by_day[[day for day in by_day.index if day >= date(2022, 7, 15)]]
        assert 0.85 <= may.max() <= 0.97
        assert late.min() < 0.45


def by_hand(shared, farm, scene_id, plots):
    """Whole rasters, one index raster, exactextract: the way it is usually done."""
    folder = shared / "imagery" / farm / "stac" / scene_id
    with rasterio.open(folder / "B04.tif") as src:
        red, bounds = src.read(1).astype(float), src.bounds
        crs = src.crs
    with rasterio.open(folder / "B8A.tif") as src:
        nir = src.read(1).astype(float)
    with rasterio.open(folder / "SCL.tif") as src:
        clear = np.isin(src.read(1), CLEAR)
    usable = clear & (red != 0) & (nir != 0)
    red, nir = red * 1e-4 - 0.1, nir * 1e-4 - 0.1
    ndvi = np.where(usable, (nir - red) / (nir + red), np.nan)
    extent = {"xmin": bounds.left, "ymin": bounds.bottom, "xmax": bounds.right, "ymax": bounds.top}
    sources = [
        NumPyRasterSource(ndvi, name="ndvi", srs_wkt=None, **extent),
        NumPyRasterSource(usable.astype(float), name="clear", srs_wkt=None, **extent),
    ]
    local = plots.to_crs(crs)
    means = exact_extract(sources, local, ["mean", "sum"], output="pandas")
    return means["ndvi_mean"].to_numpy(), means["clear_sum"].to_numpy(), local.area.to_numpy() / 100


def test_the_values_agree_with_exactextract_by_hand(run, shared):
    farm, _, _, table, _ = run
    plots = gpd.read_file(shared / "imagery" / farm / "parcels" / "parcels_2022.geojson").sort_values("parcel")
    compared = 0
    for scene_id in table["scene_id"].unique():
        rows = table[table["scene_id"] == scene_id].set_index("plot_id")
        ndvi, clear_pixels, area_pixels = by_hand(shared, farm, scene_id, plots)
        for index, plot_id in enumerate(plots["parcel"]):
            if plot_id not in rows.index:
                continue
            row = rows.loc[plot_id]
            assert row["pixel_count"] == pytest.approx(clear_pixels[index], abs=0.02)
            assert row["valid_fraction"] == pytest.approx(clear_pixels[index] / area_pixels[index], abs=1e-3)
            if row["valid_fraction"] >= 0.05:
                assert row["ndvi"] == pytest.approx(ndvi[index], abs=1e-4)
                compared += 1
    assert compared >= 10


def test_the_same_inputs_give_the_same_bytes(run, shared, tmp_path):
    farm, _, _, _, first = run
    observations_of(shared, farm, tmp_path / "again")
    names = sorted(path.name for path in first.iterdir())
    assert names == sorted(path.name for path in (tmp_path / "again").iterdir())
    for name in names:
        assert (first / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
