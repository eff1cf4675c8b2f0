"""What counts as the same scene, and as the same bytes, without a look at a pixel."""

from dataclasses import replace

import pytest

from agrocredit.scenes import find_scenes, open_scene
from agrocredit.scenes.cache import cached_path
from agrocredit.scenes.hrefs import locate
from agrocredit.scenes.unchanged import description_sha256, is_unchanged

BANDS = ("red", "nir")
DIGEST = "ab" * 32


@pytest.fixture
def scene(maker, season):
    maker.scene()
    return find_scenes(maker.write(), bands=BANDS, allow_roots=["https://example.org"], **season).scenes[0]


def recorded(scene):
    with open_scene(scene, cache=None, bands=BANDS) as opened:
        return opened.sha256


def remote(scene, **changes):
    red = replace(scene.bands["red"], href="https://example.org/B04.tif", **changes)
    return replace(scene, bands={"red": red}, mask=None)


def test_local_files_are_hashed(scene, maker):
    before = recorded(scene)
    assert is_unchanged(scene, before, cache=None)
    path = maker.folder / scene.scene_id / "B04.tif"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert not is_unchanged(scene, before, cache=None)
    path.unlink()
    assert not is_unchanged(scene, before, cache=None)


def test_a_file_that_the_catalogue_names_no_more_is_a_change(scene):
    assert not is_unchanged(scene, {**recorded(scene), "B99": DIGEST}, cache=None)


def test_a_remote_file_without_a_copy_is_known_only_by_its_declared_hash(scene, tmp_path):
    assert not is_unchanged(remote(scene), {"B04": DIGEST}, cache=tmp_path)
    assert is_unchanged(remote(scene, checksum="1220" + DIGEST), {"B04": DIGEST}, cache=tmp_path)
    assert is_unchanged(remote(scene, checksum="1220" + DIGEST), {"B04": DIGEST}, cache=None)
    assert not is_unchanged(remote(scene, checksum="1220" + "cd" * 32), {"B04": DIGEST}, cache=tmp_path)


def test_a_copy_of_a_remote_file_is_hashed(scene, maker, tmp_path):
    digest = recorded(scene)["B04"]
    there = remote(scene)
    red = there.bands["red"]
    copy = cached_path(locate(red.href, base=red.base, access=there.access), tmp_path)
    copy.write_bytes((maker.folder / scene.scene_id / "B04.tif").read_bytes())
    assert is_unchanged(there, {"B04": digest}, cache=tmp_path)
    copy.write_bytes(b"torn")
    assert not is_unchanged(there, {"B04": digest}, cache=tmp_path)


def test_a_scene_is_the_same_wherever_its_files_lie_and_another_if_its_words_change(scene):
    red = scene.bands["red"]
    moved = replace(scene, bands={**scene.bands, "red": replace(red, href="/elsewhere/B04.tif", base="/elsewhere")})
    assert description_sha256(moved) == description_sha256(scene)
    other = replace(scene, bands={**scene.bands, "red": replace(red, nodata=7)})
    assert description_sha256(other) != description_sha256(scene)
    assert description_sha256(replace(scene, baseline="05.11")) != description_sha256(scene)
