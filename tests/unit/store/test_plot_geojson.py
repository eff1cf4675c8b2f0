from __future__ import annotations

import json
import math

import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.store.plot_files import check_plots, read_plots


def codes(plotset):
    return [refusal.code for refusal in plotset.refused]


@pytest.fixture
def code_of_ring(write_geojson, make_feature, make_square):
    """Return a function that gives the code for one ring beside a good plot."""

    def find(ring):
        good = make_feature(make_square(29.0), id="good")
        found = check_plots(write_geojson(good, make_feature(ring, id="bad")))
        assert found.plots["id"].tolist() == ["good"]
        assert [(refusal.plot_id, refusal.row) for refusal in found.refused] == [("bad", 2)]
        return found.refused[0].code

    return find


def test_a_square_is_read_with_its_attributes_and_geodesic_area(write_geojson, make_feature):
    path = write_geojson(
        make_feature(id="7", crop="maize", farmer_id=12, declared_area_m2=12_000, region="Rukwa", other=[1])
    )
    (row,) = read_plots(path).plots.to_dict("records")
    geometry = row.pop("geometry")
    assert geometry.bounds == (30.0, -5.0, 30.001, -4.999)
    # One degree at 5 degrees south: 110.90 km along the parallel, 110.58 km along the meridian.
    assert math.isclose(row.pop("area_m2"), 110.90 * 110.58, rel_tol=1e-3)
    assert math.isclose(row.pop("perimeter_m"), 2 * (110.90 + 110.58), rel_tol=1e-3)
    assert row == {"id": "7", "crop": "maize", "farmer_id": "12", "declared_area_m2": 12_000.0, "region": "Rukwa"}


def test_what_is_not_given_is_none(write_geojson, make_feature):
    (row,) = read_plots(write_geojson(make_feature(id="a"))).plots.to_dict("records")
    assert (row["crop"], row["farmer_id"], row["region"]) == (None, None, None)
    assert math.isnan(row["declared_area_m2"])


def test_plots_are_sorted_by_id(write_geojson, make_feature, make_square):
    features = [make_feature(make_square(30 + n / 10), id=name) for n, name in enumerate(["b", "a", "10", "9"])]
    found = read_plots(write_geojson(*features)).plots
    assert found["id"].tolist() == ["10", "9", "a", "b"]
    assert found.crs.to_epsg() == 4326


def test_the_property_comes_before_plot_id_and_the_features_own_id(write_geojson, make_feature, make_square):
    both = make_feature(make_square(30.1), id="property", plot_id="alias") | {"id": "own"}
    alias = make_feature(make_square(30.2), plot_id="alias") | {"id": "own2"}
    own = make_feature(make_square(30.3)) | {"id": 3}
    assert read_plots(write_geojson(both, alias, own)).plots["id"].tolist() == ["3", "alias", "property"]


def test_another_column_can_name_the_plots(write_geojson, make_feature):
    path = write_geojson(make_feature(id="a", parcel="x"))
    assert read_plots(path, id_field="parcel").plots["id"].tolist() == ["x"]


@pytest.mark.parametrize(("id_field", "named"), [(None, "--id-field"), ("absent", "absent")])
def test_a_file_without_identifiers_says_what_it_has(write_geojson, make_feature, id_field, named):
    path = write_geojson(make_feature(parcel="x", crop="maize"))
    with pytest.raises(InputUnusableError, match=f"{named}.*; found 'crop, parcel'") as caught:
        read_plots(path, id_field=id_field)
    assert caught.value.code == "column_missing"


@pytest.mark.parametrize(
    "point",
    [
        [30.0],
        [],
        [30.0, -5.0, 900.0, 1.0],
        ["30", "-5"],
        [30.0, None],
        [True, False],
        [[30.0], -5.0],
        30.0,
        "30 -5",
        None,
        {"x": 30},
        [1e308, 0],
        [10**400, 0],
        [30.0, -5.0, "900"],
    ],
)
def test_a_point_that_is_no_pair_of_numbers_is_refused(code_of_ring, make_square, point):
    ring = make_square()
    ring[1] = point
    assert code_of_ring(ring) == "coordinate_invalid"


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_json_does_not_have_are_refused(write_geojson, make_feature, make_square, word):
    good, bad = make_feature(make_square(29.0), id="good"), make_feature(id="bad")
    bad["geometry"]["coordinates"][0][2][1] = 123456
    path = write_geojson(good, bad, make_feature(make_square(28.0), id="area", declared_area_m2=123456))
    path.write_text(path.read_text().replace("123456", word))
    found = check_plots(path)
    assert codes(found) == ["coordinate_invalid", "declared_area_invalid"]


@pytest.mark.parametrize("ring", [[], None, "POLYGON", {}, 5])
def test_a_ring_that_is_no_list_of_points_is_refused(code_of_ring, make_feature, make_square, write_geojson, ring):
    if ring is not None:
        assert code_of_ring(ring) == "coordinate_invalid"
    bad = make_feature(id="bad")
    bad["geometry"]["coordinates"] = ring
    found = check_plots(write_geojson(make_feature(make_square(29.0), id="good"), bad))
    assert codes(found) == ["coordinate_invalid"]


def test_unclosed_short_and_flat_rings_are_refused(code_of_ring, make_square):
    ring = make_square()
    assert code_of_ring(ring[:-1]) == "geometry_invalid"
    assert code_of_ring([ring[0], ring[1], ring[0]]) == "geometry_invalid"
    assert code_of_ring([ring[0], ring[1], ring[1], ring[0]]) == "geometry_invalid"
    assert code_of_ring([ring[0]] * 5) == "geometry_invalid"
    assert code_of_ring([[30, 0], [30.001, 0], [30.002, 0], [30, 0]]) == "geometry_invalid"


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [30, -5]},
        {"type": "LineString", "coordinates": [[30, -5], [31, -5]]},
        {"type": "GeometryCollection", "geometries": []},
        {"type": "polygon", "coordinates": []},
        {"type": ["Polygon"], "coordinates": []},
        {},
        [],
        "Polygon",
        7,
    ],
)
def test_what_is_no_polygon_is_refused(write_geojson, make_feature, make_square, geometry):
    bad = make_feature(id="bad") | {"geometry": geometry}
    found = check_plots(write_geojson(make_feature(make_square(29.0), id="good"), bad))
    assert codes(found) == ["geometry_invalid"]


def test_a_feature_without_geometry_is_refused(write_geojson, make_feature, make_square):
    good = make_feature(make_square(29.0), id="good")
    without = {"type": "Feature", "properties": {"id": "b"}}
    assert codes(check_plots(write_geojson(good, without | {"geometry": None}))) == ["coordinate_invalid"]
    assert codes(check_plots(write_geojson(good, without))) == ["coordinate_invalid"]


@pytest.mark.parametrize("strange", [None, 3, "Feature", [], {"type": "Point"}])
def test_a_feature_that_is_none_is_refused_by_its_row(write_geojson, make_feature, strange):
    found = check_plots(write_geojson(make_feature(id="good"), strange))
    assert [(refusal.code, refusal.row) for refusal in found.refused] == [("id_missing", 2)]


def test_an_altitude_is_dropped(write_geojson, make_feature, make_square):
    ring = [[*point, 900.0 + n] for n, point in enumerate(make_square())]
    mixed = [ring[0], *make_square()[1:-1], ring[0]]
    for found in (ring, mixed):
        (geometry,) = read_plots(write_geojson(make_feature(found, id="a"))).plots.geometry
        assert not geometry.has_z
        assert geometry.bounds == (30.0, -5.0, 30.001, -4.999)


def test_several_parts_and_holes_are_kept(write_geojson, make_feature, make_square):
    multi = make_feature(id="a")
    hole = make_square(30.0002, -4.9998, 0.0002)
    multi["geometry"] = {"type": "MultiPolygon", "coordinates": [[make_square(), hole], [make_square(30.01)]]}
    (geometry,) = read_plots(write_geojson(multi)).plots.geometry
    assert (len(geometry.geoms), sum(len(part.interiors) for part in geometry.geoms)) == (2, 1)


@pytest.mark.parametrize(
    "name",
    [
        "urn:ogc:def:crs:OGC:1.3:CRS84",
        "EPSG:4326",
        "urn:ogc:def:crs:EPSG::4326",
        "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
    ],
)
def test_a_crs_member_that_says_wgs84_is_fine(write_geojson, make_feature, name):
    path = write_geojson(make_feature(id="a"), crs={"type": "name", "properties": {"name": name}})
    assert len(read_plots(path).plots) == 1


@pytest.mark.parametrize(
    ("crs", "code"),
    [
        ({"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32736"}}, "crs_unsupported"),
        ({"type": "link", "properties": {"href": "http://example.org"}}, "crs_unsupported"),
        ("EPSG:32736", "crs_unsupported"),
        ([], "crs_unsupported"),
        (None, "crs_missing"),
    ],
)
def test_another_crs_member_ends_the_whole_file(write_geojson, make_feature, crs, code):
    with pytest.raises(InputUnusableError) as caught:
        read_plots(write_geojson(make_feature(id="a"), crs=crs))
    assert caught.value.code == code


def test_metres_for_degrees_are_refused_plot_by_plot(code_of_ring, make_square):
    assert code_of_ring(make_square(470_000.0, 9_400_000.0, 100.0)) == "crs_unsupported"


def test_a_key_given_twice_refuses_the_plot_that_has_it(write_geojson, make_feature, make_square):
    path = write_geojson(make_feature(make_square(29.0), id="good"), make_feature(id="bad"))
    path.write_text(path.read_text().replace('{"id": "bad"}', '{"id": "bad", "id": "bad"}'))
    assert codes(check_plots(path)) == ["json_invalid"]


def test_a_key_given_twice_at_the_top_ends_the_file(write_geojson, make_feature):
    path = write_geojson(make_feature(id="a"))
    path.write_text(path.read_text().replace("{", '{"type": "FeatureCollection", ', 1))
    with pytest.raises(InputUnusableError, match="unique keys"):
        read_plots(path)


def test_a_single_feature_is_a_file_of_one(tmp_path, make_feature):
    path = tmp_path / "one.json"
    path.write_bytes(b"\xef\xbb\xbf\n" + json.dumps(make_feature(id="a")).encode())
    assert len(read_plots(path).plots) == 1


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        '{"type": "FeatureCollection"}',
        '{"type": "FeatureCollection", "features": {}}',
        '{"type": "Polygon", "coordinates": []}',
        '{"a": ' + "[" * 200_000,
        '{"a": ' + "9" * 5_000 + "}",
    ],
)
def test_what_is_no_feature_collection_is_unreadable(tmp_path, text):
    path = tmp_path / "plots.geojson"
    path.write_text(text)
    with pytest.raises(InputUnusableError) as caught:
        read_plots(path)
    assert caught.value.code == "plots_unreadable"


def test_text_that_is_not_utf8_is_unreadable(tmp_path, make_feature):
    path = tmp_path / "plots.geojson"
    path.write_bytes(json.dumps(make_feature(id="ü"), ensure_ascii=False).encode("latin-1"))
    with pytest.raises(InputUnusableError, match="plots_unreadable"):
        read_plots(path)
