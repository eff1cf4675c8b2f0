from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.domain.errors import InputUnusableError
from agrocredit.store.personal import PersonKey, blind_index, key_ring, new_person_key, open_text, seal_text
from agrocredit.store.personal.key_ring import KeyUnavailableError

OLD, NEW = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
RING = key_ring(f"old:{OLD}")
ROTATING = key_ring(f"new:{NEW},old:{OLD}")
KEY = new_person_key(tenant="lender-a", person="p1")


@given(st.text())
def test_what_was_sealed_opens_again(text):
    assert open_text(seal_text(text, key=KEY, name="name"), key=KEY, name="name") == text


def test_the_same_text_never_seals_to_the_same_bytes_and_never_shows():
    first, second = (seal_text("Wanjiru Kamau", key=KEY, name="name") for _ in range(2))
    assert first != second
    assert b"Wanjiru" not in first


@pytest.mark.parametrize("change", [{"tenant": "lender-b"}, {"person": "p2"}])
def test_a_value_moved_to_another_person_does_not_open(change):
    sealed = seal_text("0712", key=KEY, name="phone")
    with pytest.raises(KeyUnavailableError, match="key_unavailable"):
        open_text(sealed, key=replace(KEY, **change), name="phone")


def test_a_value_moved_to_another_field_does_not_open():
    sealed = seal_text("0712", key=KEY, name="phone")
    with pytest.raises(KeyUnavailableError, match="'name'"):
        open_text(sealed, key=KEY, name="name")


@pytest.mark.parametrize("at", [0, 12, -1])
def test_a_changed_byte_is_noticed(at):
    sealed = bytearray(seal_text("0712", key=KEY, name="phone"))
    sealed[at] ^= 1
    with pytest.raises(KeyUnavailableError):
        open_text(bytes(sealed), key=KEY, name="phone")


def test_a_new_master_key_comes_into_force_while_the_old_one_still_opens():
    name, wrapped = KEY.wrapped(RING)
    opened = PersonKey.unwrapped(ROTATING, tenant="lender-a", person="p1", name=name, wrapped=wrapped)
    again, rewrapped = opened.wrapped(ROTATING)
    assert (name, again) == ("old", "new")
    only_new = key_ring(f"new:{NEW}")
    assert PersonKey.unwrapped(only_new, tenant="lender-a", person="p1", name=again, wrapped=rewrapped) == KEY
    with pytest.raises(KeyUnavailableError, match="'old' is not among the 1 given"):
        PersonKey.unwrapped(only_new, tenant="lender-a", person="p1", name=name, wrapped=wrapped)


def test_a_person_key_given_to_another_person_does_not_unwrap():
    name, wrapped = KEY.wrapped(RING)
    with pytest.raises(KeyUnavailableError, match="does not open"):
        PersonKey.unwrapped(RING, tenant="lender-a", person="p2", name=name, wrapped=wrapped)


def test_equal_values_are_found_again_within_a_tenant_and_by_no_other():
    index = blind_index("+254 712 000", ring=RING, tenant="lender-a", name="phone")
    assert index == blind_index("+254712 000", ring=RING, tenant="lender-a", name="phone")
    assert index == blind_index("+254712000", ring=ROTATING, tenant="lender-a", name="phone", master_key="old")
    assert index != blind_index("+254712000", ring=ROTATING, tenant="lender-a", name="phone")
    assert index != blind_index("+254712000", ring=RING, tenant="lender-b", name="phone")
    assert index != blind_index("+254712000", ring=RING, tenant="lender-a", name="national_id")


@pytest.mark.parametrize(
    "text", ["", "old", f"old:{OLD},", "old:%%%", "old:c2hvcnQ=", f"old:{OLD},old:{NEW}", f"bad name:{OLD}", f":{OLD}"]
)
def test_a_ring_that_cannot_be_read_is_refused_without_repeating_a_key(text):
    with pytest.raises(InputUnusableError, match="key_invalid") as refused:
        key_ring(text)
    assert OLD not in str(refused.value)


def test_keys_do_not_show_when_printed():
    shown = repr(RING) + repr(KEY)
    assert OLD not in shown
    assert "secret=" not in shown
    assert "\\x01" not in shown
