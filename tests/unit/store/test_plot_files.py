from __future__ import annotations

import json
import os

import geopandas as gpd
import pytest
import shapely
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agrocredit.domain.errors import AgrocreditError, ExitCode, InputUnusableError
from agrocredit.store.plot_files import check_plots, read_plots

EXAMPLES = int(os.environ.get("AGROCREDIT_FUZZ_EXAMPLES", "60"))
FUZZ = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["Feature", "Polygon", "MultiPolygon", "FeatureCollection"]),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.sampled_from(["type", "id", "properties", "geometry", "coordinates", "crs", "name"]), inner
        )
    ),
    max_leaves=20,
)
POINTS = st.lists(st.lists(st.integers(-200, 200) | st.floats() | st.none(), max_size=4), max_size=6)
GEOMETRIES = JSON | st.fixed_dictionaries(
    {"type": st.sampled_from(["Polygon", "MultiPolygon"]), "coordinates": JSON | st.lists(POINTS | st.lists(POINTS))}
)
FEATURES = JSON | st.fixed_dictionaries(
    {"type": st.just("Feature"), "geometry": GEOMETRIES, "properties": JSON | st.fixed_dictionaries({"id": JSON})}
)


def survives(path, count=None):
    """Read a file of any content: plots and refusals, or an error of ours with exit code 4; all of it printable."""
    ended = None
    try:
        found = check_plots(path)
    except AgrocreditError as error:
        ended = error
    if ended is not None:
        assert ended.exit_code is ExitCode.INPUT_UNUSABLE
        assert ended.detail.encode().decode().isprintable()
        return
    assert count in (None, found.read_count)
    assert found.plots.geometry.is_valid.all()
    assert found.plots["id"].is_unique
    for refusal in found.refused:
        json.dumps(refusal.as_dict(), ensure_ascii=False).encode()


@given(st.lists(FEATURES, max_size=4))
@example([{"type": "Feature", "properties": {"id": "\ud800"}, "geometry": None}])
@FUZZ
def test_any_features_end_in_plots_or_refusals(tmp_path, features):
    path = tmp_path / "fuzz.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    survives(path, len(features))


@given(JSON)
@FUZZ
def test_any_json_ends_in_plots_or_an_error(tmp_path, document):
    path = tmp_path / "fuzz.geojson"
    path.write_text(json.dumps(document))
    survives(path)


@given(st.sampled_from([b"", b"{", b"PAR1", b"PK\x03\x04", b"SQLite format 3\x00", b"\x00\x00\x27\x0a"]), st.binary())
@FUZZ
def test_any_bytes_end_in_an_error(tmp_path, head, rest):
    path = tmp_path / "fuzz"
    path.write_bytes(head + rest)
    survives(path)


@pytest.fixture(scope="module")
def good_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    shapes = [shapely.box(30 + n / 100, -5, 30.001 + n / 100, -4.999) for n in range(3)]
    frame = gpd.GeoDataFrame({"id": ["a", "b", "c"], "crop": ["maize"] * 3}, geometry=shapes, crs="EPSG:32736")
    for name in ("plots.gpkg", "plots.shp", "plots.geojson"):
        frame.set_crs(4326, allow_override=True).to_file(folder / name)
    frame.set_crs(4326, allow_override=True).to_parquet(folder / "plots.parquet")
    return folder


@pytest.mark.parametrize("name", ["plots.gpkg", "plots.shp", "plots.geojson", "plots.parquet"])
def test_damaged_files_end_in_plots_refusals_or_an_error(good_files, tmp_path, name):
    @given(st.lists(st.tuples(st.integers(0), st.integers(1, 255)), min_size=1, max_size=4))
    @settings(FUZZ, max_examples=EXAMPLES // 2)
    def damage(changes):
        for found in good_files.glob("plots.*"):
            (tmp_path / found.name).write_bytes(found.read_bytes())
        content = bytearray((good_files / name).read_bytes())
        for at, flip in changes:
            content[at % len(content)] ^= flip
        (tmp_path / name).write_bytes(content)
        survives(tmp_path / name)

    damage()


def test_the_name_of_a_file_says_nothing(write_geojson, make_feature):
    path = write_geojson(make_feature(id="a"), name="plots.gpkg")
    assert len(read_plots(path).plots) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>/etc/hosts</SrcDataSource></OGRVRTLayer>",
        b"%PDF-1.7",
        b"\x89HDF\r\n\x1a\n",
        b"id,geometry\na,POLYGON EMPTY\n",
        b"",
        b"\xef\xbb\xbf",
    ],
)
@pytest.mark.parametrize("suffix", ["gpkg", "shp", "geojson", "zip"])
def test_content_of_another_format_is_never_handed_on(tmp_path, content, suffix):
    path = tmp_path / f"plots.{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputUnusableError, match="begins with") as caught:
        read_plots(path)
    assert caught.value.code == "plots_unreadable"


def test_a_missing_file_or_a_folder_is_named(tmp_path):
    for path in (tmp_path / "absent.geojson", tmp_path):
        with pytest.raises(InputUnusableError, match=f"file_missing: plots: no file {path}"):
            read_plots(path)


def test_a_file_of_refusals_only_is_an_error_that_counts_them(write_geojson, make_feature, make_square):
    tie = make_square()
    tie[1], tie[2] = tie[2], tie[1]
    path = write_geojson(make_feature(tie, id="a"), make_feature(tie, id="b"), make_feature(make_square()))
    assert len(check_plots(path).refused) == 3
    with pytest.raises(
        InputUnusableError, match="none of 3 plots is usable: geometry_invalid 2, id_missing 1"
    ) as caught:
        read_plots(path)
    assert caught.value.code == "no_usable_plots"


def test_a_file_without_features_has_no_usable_plots(write_geojson):
    with pytest.raises(InputUnusableError, match=r"no_usable_plots: .* no features"):
        read_plots(write_geojson())
