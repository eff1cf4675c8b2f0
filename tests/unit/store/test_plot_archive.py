from __future__ import annotations

import stat
import tempfile
import zipfile
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from agrocredit.domain.errors import InputUnusableError
from agrocredit.store import plot_archive
from agrocredit.store.plot_files import read_plots


@pytest.fixture
def members(tmp_path):
    """Return the files of a good Shapefile by their names."""
    folder = tmp_path / "source"
    folder.mkdir()
    shapes = [shapely.box(30 + n / 100, -5, 30.001 + n / 100, -4.999) for n in range(2)]
    gpd.GeoDataFrame({"id": ["a", "b"], "crop": ["Körnermais"] * 2}, geometry=shapes, crs=4326).to_file(
        folder / "p.shp"
    )
    return {found.name: found.read_bytes() for found in sorted(folder.iterdir())}


@pytest.fixture
def archive(tmp_path):
    def write(content, **options):
        path = tmp_path / "plots.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as opened:
            for name, data in content.items():
                opened.writestr(name, data)
        return path

    return write


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path, monkeypatch):
    """Unpack below a folder that must be empty afterwards."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    before = sorted(tmp_path.parent.iterdir())
    yield
    assert list(folder.iterdir()) == []
    assert sorted(tmp_path.parent.iterdir()) == before


def code_and_detail(path):
    with pytest.raises(InputUnusableError) as caught:
        read_plots(path)
    return caught.value.code, caught.value.detail


def assert_rejected(path, said):
    code, detail = code_and_detail(path)
    assert code == "archive_rejected"
    assert said in detail


def test_a_zipped_shapefile_is_read(archive, members):
    found = read_plots(archive(members)).plots
    assert found["id"].tolist() == ["a", "b"]
    assert found["crop"].tolist() == ["Körnermais"] * 2


def test_a_folder_capital_letters_and_foreign_files_do_not_matter(archive, members):
    inside = {f"My plots/{name.upper()}": data for name, data in members.items()}
    inside |= {"__MACOSX/My plots/._P.SHP": b"", "My plots/readme.txt": b"", ".DS_Store": b""}
    assert len(read_plots(archive(inside)).plots) == 2


@pytest.mark.parametrize("name", ["../p.txt", "a/../../p.txt", "/etc/p.txt", "C:/p.txt", "a\\..\\p.txt", ".."])
def test_a_path_that_leads_out_is_rejected(archive, members, name):
    assert_rejected(archive(members | {name: b"x"}), "leads out")


def test_a_link_is_rejected(archive, members):
    link = zipfile.ZipInfo("link.shp")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = archive(members)
    with zipfile.ZipFile(path, "a") as opened:
        opened.writestr(link, "/etc/passwd")
    assert_rejected(path, "link")


@pytest.mark.parametrize("suffix", [".prj", ".shx", ".dbf"])
def test_a_missing_member_is_rejected(archive, members, suffix):
    del members[f"p{suffix}"]
    assert_rejected(archive(members), f"comes without {suffix}")


def test_no_or_several_shapefiles_are_rejected(archive, members):
    assert_rejected(archive({"a.txt": b"x"}), "holds 0 Shapefiles")
    assert_rejected(archive(members | {name.replace("p.", "q."): data for name, data in members.items()}), "holds 2")


def test_two_tables_of_one_shapefile_are_rejected(archive, members):
    assert_rejected(archive(members | {"P.DBF": b"x"}), "two .dbf")


def test_an_archive_in_the_archive_is_rejected(archive, members):
    assert_rejected(archive(members | {"more.zip": b"x"}), "archive in the archive")


def test_too_many_members_are_rejected(archive, members):
    assert_rejected(archive(members | {f"{n}.txt": b"" for n in range(200)}), "members")


def test_a_bomb_is_rejected_by_its_ratio(archive, members):
    assert_rejected(archive(members | {"zeros.txt": bytes(5_000_000)}), "packed over 200 to 1")


def test_a_large_archive_is_rejected_by_its_table_of_contents(archive, members, monkeypatch):
    monkeypatch.setattr(plot_archive, "UNPACKED_BYTES_MAX", 1000)
    assert_rejected(archive(members), "unpacks to")


def test_a_member_that_unpacks_to_more_than_it_says_is_rejected(archive, members):
    path = archive(members)
    size = len(members["p.shp"])
    content = path.read_bytes()
    assert content.count(size.to_bytes(4, "little")) >= 2
    path.write_bytes(content.replace(size.to_bytes(4, "little"), (size - 100).to_bytes(4, "little")))
    code, _ = code_and_detail(path)
    assert code == "archive_rejected"


def test_an_encrypted_member_is_rejected(archive, members):
    path = archive(members)
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    path.write_bytes(content)
    assert_rejected(path, "encrypted")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_archive_is_rejected(archive, members, share):
    path = archive(members)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert_rejected(path, "not a readable ZIP")


def test_a_damaged_member_is_rejected(archive, members):
    path = archive(members)
    with zipfile.ZipFile(path) as opened:
        at = opened.getinfo("p.shp").header_offset + 60
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(content)
    assert_rejected(path, "not a readable ZIP")


def test_a_table_of_contents_that_points_before_the_file_is_rejected(archive, members):
    path = archive(members)
    content = bytearray(path.read_bytes())
    end = content.rindex(b"PK\x05\x06")
    start = int.from_bytes(content[end + 16 : end + 20], "little")
    content[end + 16 : end + 20] = (start + 10_000).to_bytes(4, "little")  # members seem to begin 10,000 bytes earlier
    path.write_bytes(content)
    assert_rejected(path, "not a readable ZIP")


def test_text_in_the_wrong_encoding_is_rejected(archive, members):
    members["p.dbf"] = members["p.dbf"].replace("Körner".encode(), b"K\xf6rnerx")
    code, _ = code_and_detail(archive(members))
    assert code == "archive_rejected"


def test_the_message_names_the_archive_not_the_temporary_copy(archive, members):
    members["p.shp"] = b"\x00\x00\x27\x0a" + bytes(20)
    path = archive(members)
    _, detail = code_and_detail(path)
    assert str(path) in detail
    assert str(Path(tempfile.gettempdir())) not in detail
