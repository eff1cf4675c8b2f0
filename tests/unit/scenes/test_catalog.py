from __future__ import annotations

import json
from datetime import date

import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.scenes import find_scenes
from agrocredit.scenes.catalog import _touches

BANDS = ("red", "nir")


@pytest.fixture
def source(tmp_path):
    def write(document, name="items.json"):
        path = tmp_path / "catalog" / name
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    return write


def collection(*items):
    return {"type": "FeatureCollection", "features": list(items)}


def test_scenes_come_sorted_by_time_and_id(source, bare_item, season):
    items = [
        bare_item("b", datetime="2022-05-02T00:00:00Z"),
        bare_item("c", datetime="2022-05-01T00:00:00Z"),
        bare_item("a", datetime="2022-05-02T00:00:00Z", **{"s2:mgrs_tile": "32TNT"}),
    ]
    found = find_scenes(source(collection(*items)), bands=BANDS, **season)
    assert [scene.scene_id for scene in found.scenes] == ["c", "a", "b"]


def test_a_single_item_is_a_source(source, bare_item, season):
    assert len(find_scenes(source(bare_item()), bands=BANDS, **season).scenes) == 1


def test_the_end_is_not_included(source, bare_item):
    path = source(
        collection(
            bare_item("first", datetime="2022-05-01T00:00:00Z"),
            bare_item("last", datetime="2022-05-31T23:59:59Z"),
            bare_item("late", datetime="2022-06-01T00:00:00Z"),
        )
    )
    found = find_scenes(path, start=date(2022, 5, 1), end=date(2022, 6, 1), bands=BANDS)
    assert [scene.scene_id for scene in found.scenes] == ["first", "last"]
    assert found.outside_season == 1


def test_an_empty_season_says_which_dates_there_are(source, bare_item):
    path = source(collection(bare_item("a"), bare_item("b", datetime="2022-06-30T00:00:00Z")))
    with pytest.raises(InputUnusableError) as raised:
        find_scenes(path, start=date(2023, 1, 1), end=date(2024, 1, 1), bands=BANDS)
    assert raised.value.code == "season_empty"
    assert "has 2 from 2022-05-11 to 2022-06-30" in raised.value.detail


def test_a_collection_without_items_is_an_empty_season(source, season):
    with pytest.raises(InputUnusableError, match=r"season_empty.*holds no items"):
        find_scenes(source(collection()), bands=BANDS, **season)


def test_a_bad_item_is_refused_by_name_and_the_others_serve(source, bare_item, season):
    bad, nameless = bare_item("bad"), bare_item("x")
    bad["assets"] = None
    del nameless["id"]
    found = find_scenes(source(collection(bad, bare_item("good"), nameless, 3)), bands=BANDS, **season)
    assert [scene.scene_id for scene in found.scenes] == ["good"]
    assert {(one.code, one.scene_id) for one in found.refused} == {("item_invalid", "bad"), ("item_invalid", None)}
    assert len(found.refused) == 3


def test_items_none_of_which_can_be_used_are_the_flows_affair(source, season):
    found = find_scenes(source(collection({"type": "Feature", "id": "x"})), bands=BANDS, **season)
    assert found.scenes == ()
    assert len(found.refused) == 1


def test_a_scene_with_none_of_the_bands_is_refused(source, bare_item, season):
    found = find_scenes(source(collection(bare_item(assets={"B01": {"href": "x"}}))), bands=BANDS, **season)
    assert found.scenes == ()
    assert (found.refused[0].code, found.refused[0].scene_id) == ("band_missing", "one")


def test_items_elsewhere_are_counted_not_refused(source, bare_item, season):
    path = source(collection(bare_item("here")))
    near = find_scenes(path, bands=BANDS, bounds_deg=(8.0, 47.0, 8.91, 47.475), **season)
    far = find_scenes(path, bands=BANDS, bounds_deg=(30.0, -5.0, 31.0, -4.0), **season)
    assert (len(near.scenes), near.outside_bounds) == (1, 0)
    assert (len(far.scenes), far.outside_bounds, far.refused) == (0, 1, ())


def test_boxes_touch_across_the_antimeridian():
    across = (179.0, -18.0, -179.0, -16.0)
    assert _touches(across, (-179.5, -17.0, -179.4, -16.9))
    assert _touches((179.5, -17.0, 179.6, -16.9), across)
    assert not _touches(across, (0.0, -17.0, 1.0, -16.0))
    assert not _touches(across, (179.5, 10.0, 179.6, 11.0))


def test_superseded_products_are_named(source, bare_item, season):
    old = "S2A_MSIL2A_20220511T102601_N0400_R108_T32TMT_20220511T174519"
    new = "S2A_MSIL2A_20220511T102601_N0510_R108_T32TMT_20240511T000000"
    found = find_scenes(source(collection(bare_item(new), bare_item(old))), bands=BANDS, **season)
    assert [scene.scene_id for scene in found.scenes] == [new]
    assert found.superseded == (old,)


def test_a_collection_id_keeps_its_own_items(source, bare_item, season):
    mine, other = bare_item("mine"), bare_item("other", **{"s2:mgrs_tile": "32TNT"})
    mine["collection"], other["collection"] = "a", "b"
    found = find_scenes(source(collection(mine, other)), bands=BANDS, collection="a", **season)
    assert [scene.scene_id for scene in found.scenes] == ["mine"]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("", "catalog_not_stac"),
        ("<html></html>", "catalog_not_stac"),
        ("\x00\x01", "catalog_not_stac"),
        ("[" * 100_000, "catalog_not_stac"),
        ("[]", "catalog_not_stac"),
        ({"hello": "world"}, "catalog_not_stac"),
        ({"type": "Polygon", "coordinates": []}, "catalog_not_stac"),
        ({"type": "FeatureCollection"}, "catalog_not_stac"),
        ({"type": "FeatureCollection", "features": {}}, "catalog_not_stac"),
        ({"type": "Catalog"}, "catalog_not_stac"),
        ({"type": ["Feature"]}, "catalog_not_stac"),
    ],
)
def test_what_is_not_stac_is_named_with_what_it_is(source, season, document, code):
    path = source(document)
    with pytest.raises(InputUnusableError) as raised:
        find_scenes(path, bands=BANDS, **season)
    assert raised.value.code == code
    assert "items.json" in raised.value.detail


def test_a_missing_file_and_a_folder_are_named(tmp_path, season):
    for source in (tmp_path / "none.json", tmp_path):
        with pytest.raises(InputUnusableError, match=f"source_missing: {source}"):
            find_scenes(source, bands=BANDS, **season)


def test_a_source_that_may_not_be_asked_ends_the_command(season):
    for source in ("file:///etc/passwd", "https://user:word@example.com/items.json", "https:///items.json"):
        with pytest.raises(InputUnusableError, match="href_not_allowed"):
            find_scenes(source, bands=BANDS, **season)
