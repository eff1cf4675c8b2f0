from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.store.audit import HeadKey, leaf_hash, read_head

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
ROOT = leaf_hash(b"all there is")


@pytest.fixture
def head():
    return HeadKey(bytes(range(32))).sign(log="lender-a", size=7, root=ROOT, at=AT)


def test_a_head_that_was_kept_in_a_file_is_the_same_head(head, tmp_path):
    path = tmp_path / "head.json"
    path.write_bytes(head.as_json())
    assert read_head(path) == head


def test_the_same_log_at_the_same_instant_signs_to_the_same_bytes(head):
    again = HeadKey(bytes(range(32))).sign(log="lender-a", size=7, root=ROOT, at=AT)
    assert again.as_json() == head.as_json()


@pytest.mark.parametrize(
    "change",
    [{"size": 8}, {"root": leaf_hash(b"less").hex()}, {"log": "lender-b"}, {"signed_at": "2026-03-02T12:30:00+00:00"}],
)
def test_a_head_whose_fields_were_edited_is_refused(head, change, tmp_path):
    path = tmp_path / "head.json"
    path.write_bytes(replace(head, **change).as_json())
    with pytest.raises(InputUnusableError, match="head_invalid"):
        read_head(path)


def test_a_head_signed_by_another_key_does_not_pass_under_the_first_keys_name(head):
    other = HeadKey(bytes(32)).sign(log="lender-a", size=7, root=ROOT, at=AT)
    assert other.is_genuine()
    assert not replace(other, public_key=head.public_key).is_genuine()


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff\xfe", b'{"log": "a", "extra": 1}', b"null"])
def test_rubbish_is_no_head(content, tmp_path):
    path = tmp_path / "head.json"
    path.write_bytes(content)
    with pytest.raises(InputUnusableError, match="head_invalid"):
        read_head(path)


@pytest.mark.parametrize(("field", "value"), [("size", "7"), ("size", None), ("root", "zz"), ("signature", "%%%")])
def test_a_head_with_a_field_of_another_kind_is_refused(head, field, value, tmp_path):
    path = tmp_path / "head.json"
    path.write_text(json.dumps({**json.loads(head.as_json()), field: value}))
    with pytest.raises(InputUnusableError, match="head_invalid"):
        read_head(path)


def test_a_key_of_the_wrong_length_is_refused():
    with pytest.raises(InputUnusableError, match="has 5 bytes, not 32"):
        HeadKey(b"short")
