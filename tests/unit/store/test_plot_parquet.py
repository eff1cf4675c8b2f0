from __future__ import annotations

import json

import geopandas as gpd
import pyarrow.parquet as pq
import pytest

from agrocredit.store.plot_files import check_plots, read_plots
from agrocredit.store.plot_parquet import PLOTS, write_plots


@pytest.fixture
def plotset(write_geojson, make_feature, make_square):
    multi = make_feature(id="m", crop="maize", declared_area_m2=5000.5)
    multi["geometry"] = {"type": "MultiPolygon", "coordinates": [[make_square(31)], [make_square(32)]]}
    return read_plots(write_geojson(make_feature(id="z", farmer_id="f"), multi, make_feature(id="ä", region="Zürich")))


def test_what_is_written_reads_back_the_same(plotset, tmp_path):
    write_plots(plotset, tmp_path / "plots.parquet")
    again = read_plots(tmp_path / "plots.parquet")
    assert again.refused == ()
    assert again.plots.to_wkb().equals(plotset.plots.to_wkb())
    write_plots(again, tmp_path / "again.parquet")
    assert (tmp_path / "again.parquet").read_bytes() == (tmp_path / "plots.parquet").read_bytes()


def test_the_order_and_the_drawing_of_the_input_do_not_show(write_geojson, make_feature, make_square, tmp_path):
    features = [make_feature(make_square(30 + n / 10), id=str(n)) for n in range(3)]
    write_plots(read_plots(write_geojson(*features)), tmp_path / "one")
    for feature in features:
        ring = feature["geometry"]["coordinates"][0][::-1]
        feature["geometry"]["coordinates"] = [[*ring[1:], ring[1], ring[1]]]
    write_plots(read_plots(write_geojson(*features[::-1])), tmp_path / "other")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_geopandas_reads_the_file_with_its_crs(plotset, tmp_path):
    write_plots(plotset, tmp_path / "plots.parquet")
    found = gpd.read_parquet(tmp_path / "plots.parquet")
    assert found.crs == "EPSG:4326"
    assert found["id"].tolist() == ["m", "z", "ä"]
    assert found.geometry.geom_equals_exact(plotset.plots.geometry, tolerance=0).all()


def test_the_file_is_geoparquet_and_names_no_machine_or_time(plotset, tmp_path):
    write_plots(plotset, tmp_path / "plots.parquet")
    schema = pq.read_schema(tmp_path / "plots.parquet")
    assert schema.equals(PLOTS)
    assert set(schema.metadata) == {b"geo"}
    geo = json.loads(schema.metadata[b"geo"])
    assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
    column = geo["columns"]["geometry"]
    assert column["geometry_types"] == ["MultiPolygon", "Polygon"]
    assert column["bbox"] == [30.0, -5.0, 32.001, -4.999]
    assert column["crs"]["id"] == {"authority": "EPSG", "code": 4326}


def test_no_plots_at_all_make_a_file_without_rows(write_geojson, tmp_path):
    write_plots(check_plots(write_geojson()), tmp_path / "plots.parquet")
    assert pq.read_table(tmp_path / "plots.parquet").num_rows == 0
