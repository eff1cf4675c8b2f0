from __future__ import annotations

import hashlib

import pytest

from agrocredit.domain.errors import RefusedError
from agrocredit.scenes.checksums import file_sha256, parse_multihash

DATA = b"pixels" * 1000


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "B04.tif"
    file.write_bytes(DATA)
    return file


@pytest.mark.parametrize(("code", "name"), [("1220", "sha256"), ("1620", "sha3_256"), ("1340", "sha512")])
def test_a_right_multihash_passes_and_the_sha256_comes_back(path, code, name):
    declared = code + hashlib.new(name, DATA).hexdigest()
    assert file_sha256(path, checksum=declared, size_bytes=len(DATA)) == hashlib.sha256(DATA).hexdigest()


@pytest.mark.parametrize("at", [0, 3000, len(DATA) - 1])
def test_one_flipped_bit_is_noticed(path, at):
    declared = "1220" + hashlib.sha256(DATA).hexdigest()
    changed = bytearray(DATA)
    changed[at] ^= 1
    path.write_bytes(changed)
    with pytest.raises(RefusedError, match="checksum_mismatch"):
        file_sha256(path, checksum=declared)


def test_another_size_is_a_file_cut_short(path):
    with pytest.raises(RefusedError, match=r"asset_unreadable: B04\.tif has 6000 bytes, the catalogue says 6001"):
        file_sha256(path, size_bytes=6001)


@pytest.mark.parametrize(
    "text", ["", "12", "abc", "1220aa", "ff20" + 64 * "a", "1210" + 32 * "a", "sha256:" + 64 * "a"]
)
def test_what_cannot_be_checked_is_not_trusted(text):
    with pytest.raises(RefusedError, match="checksum_mismatch"):
        parse_multihash(text)
