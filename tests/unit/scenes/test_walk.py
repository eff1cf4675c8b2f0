from __future__ import annotations

import json

import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.scenes import FakeFetcher, find_scenes
from agrocredit.scenes.documents import read_document
from agrocredit.scenes.hrefs import access_to, locate
from agrocredit.scenes.walk import WalkLimits, walk

BANDS = ("red",)


def catalog(*links, kind="Catalog"):
    return {
        "type": kind,
        "stac_version": "1.0.0",
        "id": "c",
        "links": [{"rel": rel, "href": href} for rel, href in links],
    }


@pytest.fixture
def write(tmp_path):
    def put(name, document):
        path = tmp_path / "catalog" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
        return path

    return put


def test_children_and_items_are_followed_and_hrefs_start_at_each_item(write, bare_item, season):
    root = write("catalog.json", catalog(("child", "./2022/collection.json"), ("license", "https://example.com")))
    write("2022/collection.json", catalog(("item", "a/a.json"), ("root", "../catalog.json"), kind="Collection"))
    path = write("2022/a/a.json", bare_item("a"))
    (scene,) = find_scenes(root, bands=BANDS, **season).scenes
    assert scene.scene_id == "a"
    assert scene.bands["red"].base == str(path)


def test_a_loop_ends(write, bare_item, season):
    root = write("catalog.json", catalog(("child", "b.json"), ("item", "a.json")))
    write("b.json", catalog(("child", "catalog.json"), ("child", "./b.json"), ("item", "a.json")))
    write("a.json", bare_item("a"))
    assert len(find_scenes(root, bands=BANDS, **season).scenes) == 1


@pytest.mark.parametrize(
    ("href", "code"),
    [
        ("../outside.json", "href_not_allowed"),
        ("file:///etc/passwd", "href_not_allowed"),
        ("/etc/passwd", "href_not_allowed"),
        ("https://example.com/other/item.json", "href_not_allowed"),
        ("missing.json", "source_missing"),
        ("page.json", "catalog_not_stac"),
    ],
)
def test_a_link_that_leads_astray_is_refused_and_the_others_serve(write, bare_item, season, href, code, tmp_path):
    (tmp_path / "outside.json").write_text(json.dumps(bare_item("outside")))
    write("page.json", {"no": "stac"})
    write("a.json", bare_item("a"))
    root = write("catalog.json", catalog(("item", href), ("item", "a.json")))
    found = find_scenes(root, bands=BANDS, **season)
    assert [scene.scene_id for scene in found.scenes] == ["a"]
    assert [one.code for one in found.refused] == [code]


def walked(root, **limits):
    access = access_to(str(root))
    location = locate(str(root), base="", access=access)
    fetcher = FakeFetcher({})
    return walk(
        read_document(location, fetcher=fetcher),
        location=location,
        access=access,
        fetcher=fetcher,
        limits=WalkLimits(**limits),
    )


def test_depth_items_and_documents_are_bounded(write, bare_item):
    for level in range(6):
        write(f"{level}.json", catalog(("child", f"{level + 1}.json")))
    root = write("0.json", catalog(("child", "1.json")))
    write("6.json", {"type": "FeatureCollection", "features": [bare_item(str(i)) for i in range(5)]})
    assert len(walked(root).items) == 5
    for limits in ({"depth_max": 3}, {"items_max": 4}, {"documents_max": 3}):
        with pytest.raises(InputUnusableError, match="catalog_too_large"):
            walked(root, **limits)


def test_a_remote_catalogue_is_read_through_the_fetcher_and_stays_below_its_folder(bare_item, season):
    site = "https://example.com/stac/"
    fetcher = FakeFetcher(
        {
            site + "catalog.json": json.dumps(catalog(("item", "a/a.json"), ("item", "../b.json"))).encode(),
            site + "a/a.json": json.dumps(bare_item("a")).encode(),
            "https://example.com/b.json": json.dumps(bare_item("b")).encode(),
        }
    )
    found = find_scenes(site + "catalog.json", bands=BANDS, fetcher=fetcher, **season)
    assert [scene.scene_id for scene in found.scenes] == ["a"]
    assert [one.code for one in found.refused] == ["href_not_allowed"]
    assert fetcher.asked == [site + "catalog.json", site + "a/a.json"]
