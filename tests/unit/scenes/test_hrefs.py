from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.domain.errors import RefusedError
from agrocredit.scenes.hrefs import Access, access_to, joined, locate


@pytest.fixture
def tree(tmp_path):
    for name in ("catalog/sub/item.json", "catalog/sub/B04.tif", "catalog/items.json", "beside/secret.tif"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / "catalog/door").symlink_to(tmp_path / "beside")
    return tmp_path


def at(tree, href, *, document="catalog/items.json", allow_roots=()):
    source = str(tree / "catalog/items.json")
    return locate(href, base=str(tree / document), access=access_to(source, allow_roots=allow_roots))


def test_relative_hrefs_start_at_their_own_document(tree):
    assert at(tree, "./sub/B04.tif").path == tree / "catalog/sub/B04.tif"
    assert at(tree, "B04.tif", document="catalog/sub/item.json").path == tree / "catalog/sub/B04.tif"
    assert at(tree, "../items.json", document="catalog/sub/item.json").path == tree / "catalog/items.json"
    assert at(tree, str(tree / "catalog/sub/B04.tif")).path == tree / "catalog/sub/B04.tif"


@pytest.mark.parametrize(
    "href",
    [
        "../beside/secret.tif",
        "sub/../../beside/secret.tif",
        "door/secret.tif",
        "/etc/passwd",
        "/vsicurl/https://example.com/a.tif",
        "/vsizip/catalog.zip/a.tif",
        "file:///etc/passwd",
        "FILE:/etc/passwd",
        "ftp://example.com/a.tif",
        "gs://bucket/a.tif",
        "data:image/tiff;base64,AAAA",
        "GTIFF_DIR:1:/etc/passwd",
        "http://example.com/a.tif",
        "https://example.com/a.tif",
        "s3://bucket/a.tif",
        "https://user:pass@example.com/a.tif",
        "https:///a.tif",
        "https://[::1/a.tif",
        "s3://Bad_Bucket/a.tif",
        "<VRTDataset/>",
        "a\nb.tif",
        "a\x00.tif",
        "",
    ],
)
def test_what_leaves_the_catalogue_is_refused(tree, href):
    with pytest.raises(RefusedError) as raised:
        at(tree, href)
    assert raised.value.code == "href_not_allowed"


def test_a_named_root_opens_the_door(tree):
    assert at(tree, "door/secret.tif", allow_roots=[tree / "beside"]).path == tree / "beside/secret.tif"


def test_a_refused_site_is_told_as_the_root_to_allow(tree):
    with pytest.raises(RefusedError, match=r"allow https://example\.com:8443 if you trust it"):
        at(tree, "https://example.com:8443/a.tif")
    assert at(tree, "https://example.com:8443/a.tif", allow_roots=["https://example.com:8443"]).kind == "http"


def test_a_remote_source_may_lead_to_its_own_site_and_to_no_other():
    base = "http://127.0.0.1:8000/stac/items.json"
    assert locate("/a.tif", base=base, access=access_to(base)).href == "http://127.0.0.1:8000/a.tif"
    for href in ("http://127.0.0.1:8001/a.tif", "https://example.com/a.tif", "//example.com/a.tif"):
        with pytest.raises(RefusedError, match="href_not_allowed"):
            locate(href, base=base, access=access_to(base))


def test_a_named_host_is_trusted_on_its_own_port_and_scheme_only(tree):
    roots = ["http://127.0.0.1:8000", "s3://bucket"]
    assert at(tree, "http://127.0.0.1:8000/a.tif", allow_roots=roots).named
    assert at(tree, "s3://bucket/a.tif", allow_roots=roots).named
    with pytest.raises(RefusedError, match="href_not_allowed"):
        at(tree, "http://127.0.0.1:8001/a.tif", allow_roots=roots)
    with pytest.raises(RefusedError, match="href_not_allowed"):
        at(tree, "https://127.0.0.1:8000/a.tif", allow_roots=roots)


def test_hrefs_of_a_remote_document_stay_remote():
    base = "https://example.com/stac/items.json"
    access = access_to(base)
    assert locate("../b/B04.tif", base=base, access=access).href == "https://example.com/b/B04.tif"
    assert locate("/etc/passwd", base=base, access=access).href == "https://example.com/etc/passwd"
    assert joined("//other.example/a.tif", base=base) == "https://other.example/a.tif"
    assert joined("B04.tif", base="s3://bucket/stac/items.json") == "s3://bucket/stac/B04.tif"


@given(st.text(min_size=1, max_size=60))
def test_no_text_leads_outside_the_tree(text):
    access = Access(root="/srv/catalog")
    with contextlib.suppress(RefusedError):
        found = locate(text, base="/srv/catalog/items.json", access=access)
        assert found.kind != "file" or found.href == "/srv/catalog" or found.href.startswith("/srv/catalog/")
