from __future__ import annotations

import json
import sqlite3
import struct
from contextlib import closing

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from agrocredit.domain.errors import InputUnusableError
from agrocredit.store import plot_layers
from agrocredit.store.plot_files import check_plots, read_plots

FORMATS = ("gpkg", "shp", "parquet")


def frame(count=3, *, crs="EPSG:4326", geometry=None, **columns):
    shapes = [shapely.box(30 + n / 100, -5, 30.001 + n / 100, -4.999) for n in range(count)]
    columns = {"id": [f"p{n}" for n in range(count)], "crop": ["Körnermais"] * count} | columns
    return gpd.GeoDataFrame(columns, geometry=shapes if geometry is None else geometry, crs=crs)


@pytest.fixture
def write(tmp_path):
    def write_as(found, suffix):
        path = tmp_path / f"plots.{suffix}"
        found.to_parquet(path) if suffix == "parquet" else found.to_file(path)
        return path

    return write_as


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_same_plots(write, suffix):
    found = read_plots(write(frame(), suffix))
    assert found.plots["id"].tolist() == ["p0", "p1", "p2"]
    assert set(found.plots["crop"]) == {"Körnermais"}
    assert found.plots.geometry[0].bounds == (30.0, -5.0, 30.001, -4.999)
    assert found.refused == ()


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_projected_crs_is_brought_to_degrees(write, suffix):
    degrees = read_plots(write(frame(), suffix)).plots
    metres = read_plots(write(frame().to_crs("EPSG:32736"), suffix)).plots
    np.testing.assert_allclose(
        shapely.get_coordinates(metres.geometry), shapely.get_coordinates(degrees.geometry), atol=1e-9
    )
    np.testing.assert_allclose(metres["area_m2"], degrees["area_m2"], rtol=1e-6)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_a_file_without_crs_is_one_error(write, suffix):
    with pytest.raises(InputUnusableError) as caught:
        read_plots(write(frame(crs=None), suffix))
    assert caught.value.code == "crs_missing"


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_missing_id_column_is_one_error_with_what_was_found(write, suffix):
    with pytest.raises(InputUnusableError, match=r"no column id .*--id-field.*found 'parcel, crop") as caught:
        read_plots(write(frame().rename(columns={"id": "parcel"})[["parcel", "crop", "geometry"]], suffix))
    assert caught.value.code == "column_missing"


@pytest.mark.parametrize("suffix", FORMATS)
def test_another_column_can_name_the_plots(write, suffix):
    path = write(frame(parcel=[7, 8, 9]).drop(columns="id"), suffix)
    assert read_plots(path, id_field="parcel").plots["id"].tolist() == ["7", "8", "9"]


def test_the_layers_own_key_can_name_the_plots(write):
    path = write(frame().drop(columns="id"), "gpkg")
    assert read_plots(path, id_field="fid").plots["id"].tolist() == ["1", "2", "3"]


@pytest.mark.parametrize("suffix", ["gpkg", "parquet"])  # a Shapefile's names of ten letters cannot hold the area
def test_numbers_and_nulls_in_columns_are_understood(write, suffix):
    found = check_plots(write(frame(farmer_id=[1, 2, 3], declared_area_m2=[100.0, None, -1.0]), suffix))
    assert [(refusal.code, refusal.plot_id) for refusal in found.refused] == [("declared_area_invalid", "p2")]
    np.testing.assert_equal(found.plots["declared_area_m2"].to_numpy(), [100.0, np.nan])
    assert found.plots["farmer_id"].tolist() == ["1", "2"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_crossing_rings_and_missing_geometries_are_refused_one_by_one(write, suffix):
    tie = shapely.from_wkt("POLYGON ((30 -5, 30.001 -4.999, 30.001 -5, 30 -4.999, 30 -5))")
    found = check_plots(write(frame(geometry=[shapely.box(30, -5, 30.001, -4.999), tie, None]), suffix))
    assert [(refusal.code, refusal.plot_id) for refusal in found.refused] == [
        ("geometry_invalid", "p1"),
        ("coordinate_invalid", "p2"),
    ]
    assert "longitude 30.0005, latitude -4.9995" in found.refused[0].detail


def test_points_and_lines_are_refused(write):
    shapes = [shapely.box(30, -5, 30.001, -4.999), shapely.Point(30, -5), shapely.LineString([(30, -5), (31, -5)])]
    found = check_plots(write(frame(geometry=shapes), "parquet"))
    assert [refusal.code for refusal in found.refused] == ["geometry_invalid"] * 2


def test_a_point_outside_the_reach_of_its_crs_is_refused(write):
    shapes = frame(2, crs=None).geometry
    metres = gpd.GeoSeries(shapes, crs=4326).to_crs("EPSG:32736").tolist()
    found = check_plots(write(frame(geometry=[*metres, shapely.box(9e7, 1e7, 9.1e7, 1.1e7)], crs="EPSG:32736"), "gpkg"))
    assert [(refusal.code, refusal.plot_id) for refusal in found.refused] == [("coordinate_invalid", "p2")]


def test_several_layers_are_one_error(write):
    path = write(frame(), "gpkg")
    frame().to_file(path, layer="more")
    with pytest.raises(InputUnusableError, match="2 layers 'plots, more', expected one"):
        read_plots(path)


def test_a_table_without_geometry_beside_the_layer_is_no_matter(write):
    path = write(frame(), "gpkg")
    pyogrio.write_dataframe(frame().drop(columns="geometry"), path, layer="notes")
    assert len(read_plots(path).plots) == 3


def test_a_geopackage_with_a_virtual_table_is_refused(write):
    path = write(frame(), "gpkg")
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE VIRTUAL TABLE other USING fts5(text)")
        database.commit()
    with pytest.raises(InputUnusableError, match="virtual table 'other'"):
        read_plots(path)


@pytest.mark.parametrize("content", [b"", b"\x00" * 200, b"rest of a database"])
def test_a_broken_database_is_unreadable(tmp_path, content):
    path = tmp_path / "plots.gpkg"
    path.write_bytes(b"SQLite format 3\x00" + content)
    with pytest.raises(InputUnusableError) as caught:
        read_plots(path)
    assert caught.value.code == "plots_unreadable"


def test_a_database_that_is_no_geopackage_is_unreadable(tmp_path):
    with closing(sqlite3.connect(tmp_path / "a.gpkg")) as database:
        database.execute("CREATE TABLE plots (id TEXT)")
        database.commit()
    with pytest.raises(InputUnusableError, match="plots_unreadable"):
        read_plots(tmp_path / "a.gpkg")


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_truncated_file_is_an_error_or_refusals(write, suffix):
    path = write(frame(200), suffix)
    content = path.read_bytes()
    for share in (0.2, 0.5, 0.9):
        path.write_bytes(content[: int(len(content) * share)])
        try:
            found = check_plots(path)
        except InputUnusableError:
            continue
        assert found.read_count < 200 or found.refused


def test_a_shapefile_without_its_table_is_unreadable_or_without_ids(write):
    path = write(frame(), "shp")
    path.with_suffix(".dbf").unlink()
    with pytest.raises(InputUnusableError, match=r"column_missing|plots_unreadable"):
        read_plots(path)


def test_a_text_in_the_wrong_encoding_is_unreadable(write):
    path = write(frame(), "shp")
    table = path.with_suffix(".dbf").read_bytes()
    path.with_suffix(".dbf").write_bytes(table.replace("Körner".encode(), b"K\xf6rnerx"))
    with pytest.raises(InputUnusableError) as caught:
        read_plots(path)
    assert caught.value.code == "plots_unreadable"


def geoparquet(path, wkb, **column):
    count = len(wkb)
    geo = {"version": "1.1.0", "primary_column": "geom", "columns": {"geom": {"encoding": "WKB"} | column}}
    table = pa.table({"id": [f"p{n}" for n in range(count)], "geom": pa.array(wkb, pa.binary())})
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    return path


SQUARE = shapely.to_wkb(shapely.box(30, -5, 30.001, -4.999))


def test_what_geopandas_calls_wgs84_is_known_without_asking_proj(write, monkeypatch):
    path, asked = write(frame(), "parquet"), []
    monkeypatch.setattr(plot_layers.CRS, "from_user_input", asked.append)
    monkeypatch.setattr(plot_layers, "_to_degrees", lambda crs: asked.append(crs.to_epsg()))
    assert len(read_plots(path)) == 3
    assert asked == [4326]


def test_geoparquet_without_crs_is_wgs84_and_null_is_missing(tmp_path):
    assert len(read_plots(geoparquet(tmp_path / "a", [SQUARE])).plots) == 1
    with pytest.raises(InputUnusableError, match="crs_missing"):
        read_plots(geoparquet(tmp_path / "b", [SQUARE], crs=None))
    with pytest.raises(InputUnusableError, match="crs_unsupported"):
        read_plots(geoparquet(tmp_path / "c", [SQUARE], crs={"type": "Nonsense"}))


def test_bytes_that_are_no_geometry_are_refused_one_by_one(tmp_path):
    unclosed = struct.pack("<BIII6d", 1, 3, 1, 3, 30, -5, 31, -5, 31, -4)
    curve = struct.pack("<BII", 1, 10, 0)
    found = check_plots(geoparquet(tmp_path / "a", [SQUARE, b"junk", unclosed, curve, b"", None]))
    assert [(refusal.code, refusal.row) for refusal in found.refused] == [
        ("geometry_invalid", 2),
        ("geometry_invalid", 3),
        ("geometry_invalid", 4),
        ("geometry_invalid", 5),
        ("coordinate_invalid", 6),
    ]


@pytest.mark.parametrize(
    "geo", ["", "[]", "{}", '{"primary_column": "geom"}', '{"primary_column": "x", "columns": {}}']
)
def test_parquet_with_broken_metadata_is_unreadable(tmp_path, geo):
    table = pa.table({"id": ["a"], "geom": pa.array([SQUARE])})
    pq.write_table(table.replace_schema_metadata({"geo": geo}), tmp_path / "a")
    with pytest.raises(InputUnusableError) as caught:
        read_plots(tmp_path / "a")
    assert caught.value.code == "plots_unreadable"


def test_plain_parquet_and_other_encodings_are_unreadable(tmp_path):
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "plain")
    with pytest.raises(InputUnusableError, match="without the GeoParquet metadata"):
        read_plots(tmp_path / "plain")
    with pytest.raises(InputUnusableError, match="expected WKB"):
        read_plots(geoparquet(tmp_path / "a", [SQUARE], encoding="polygon"))
    geo = {"primary_column": "geom", "columns": {"geom": {"encoding": "WKB"}}}
    table = pa.table({"id": ["a"], "geom": [1]}).replace_schema_metadata({"geo": json.dumps(geo)})
    pq.write_table(table, tmp_path / "number")
    assert [refusal.code for refusal in check_plots(tmp_path / "number").refused] == ["geometry_invalid"]


@pytest.mark.parametrize(
    ("wkt", "code"),
    [
        (
            'ENGCRS["site",EDATUM["site"],CS[Cartesian,2],AXIS["x",east],AXIS["y",north],UNIT["metre",1]]',
            "crs_unsupported",
        ),
        (
            (
                'GEOGCRS["Undefined geographic SRS",DATUM["unknown",ELLIPSOID["unknown",6378137,298.257223563]],'
                'CS[ellipsoidal,2],AXIS["latitude",north],AXIS["longitude",east],UNIT["degree",0.0174532925199433]]'
            ),
            "crs_missing",
        ),
    ],
)
def test_a_crs_without_a_place_on_earth_is_one_error(tmp_path, wkt, code):
    with pytest.raises(InputUnusableError) as caught:
        read_plots(geoparquet(tmp_path / "a", [SQUARE], crs=wkt))
    assert caught.value.code == code
