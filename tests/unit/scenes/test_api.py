from __future__ import annotations

import json

import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.scenes import find_scenes

BANDS = ("red",)


def answer(document):
    return (200, {"content-type": "application/json"}, json.dumps(document).encode())


@pytest.fixture
def api(site, bare_item):
    """Make a STAC API of two pages; ``next_href`` may lead elsewhere."""

    def serve(next_href=None):
        site.answers["/"] = answer(
            {
                "type": "Catalog", "stac_version": "1.0.0", "id": "api", "description": "test",
                "conformsTo": ["https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/item-search"],
                "links": [
                    {"rel": "self", "href": site.url + "/"},
                    {"rel": "root", "href": site.url + "/"},
                    {"rel": "search", "href": site.url + "/search", "method": "POST", "type": "application/geo+json"},
                ],
            }
        )  # fmt: skip
        following = {"rel": "next", "href": next_href or site.url + "/page2", "method": "GET"}
        site.answers["/search"] = answer(
            {"type": "FeatureCollection", "features": [bare_item("a")], "links": [following]}
        )
        other = bare_item("b", datetime="2022-05-16T10:26:01Z")
        site.answers["/page2"] = answer({"type": "FeatureCollection", "features": [other], "links": []})
        return site

    return serve


def test_an_api_is_searched_page_by_page(api, season):
    site = api()
    found = find_scenes(site.url, bands=BANDS, collection="s2", bounds_deg=(8.9, 47.4, 9.0, 47.5), **season)
    assert [scene.scene_id for scene in found.scenes] == ["a", "b"]
    (body,) = [json.loads(body) for body in site.bodies if body]
    assert body["collections"] == ["s2"]
    assert body["bbox"] == [8.9, 47.4, 9.0, 47.5]
    assert body["datetime"].startswith("2022-01-01T00:00:00Z/2023-01-01")


@pytest.mark.parametrize("href", ["http://169.254.169.254/latest", "file:///etc/passwd", "https://127.0.0.1:1/x"])
def test_a_next_page_may_not_lead_inside(api, season, href):
    site = api(next_href=href)
    with pytest.raises(InputUnusableError, match="href_not_allowed"):
        find_scenes(site.url, bands=BANDS, collection="s2", **season)


def test_what_is_no_api_is_named(site, season):
    site.answers["/"] = answer({"hello": "world"})
    with pytest.raises(InputUnusableError, match="catalog_not_stac"):
        find_scenes(site.url + "/", bands=BANDS, collection="s2", **season)
    site.answers["/"] = (200, {}, b"<html></html>")
    with pytest.raises(InputUnusableError, match="catalog_not_stac"):
        find_scenes(site.url + "/", bands=BANDS, collection="s2", **season)


def test_an_api_that_is_gone_is_named(site, season):
    site.answers["/"] = (410, {}, b"")
    with pytest.raises(InputUnusableError, match="source_missing"):
        find_scenes(site.url + "/", bands=BANDS, collection="s2", **season)
