from __future__ import annotations

import pytest

from agrocredit.domain.errors import RefusedError
from agrocredit.scenes.addresses import checked_address, is_public


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - nothing is bound
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "not an address",
    ],
)
def test_addresses_inside_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "52.218.0.1", "2600:1f00::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_outside_are_public(address):
    assert is_public(address)


def ask(addresses, *, named=False):
    return checked_address("host.example", 443, named=named, resolve=lambda _host, _port: addresses)


def test_one_hidden_address_among_public_ones_is_enough_to_refuse():
    with pytest.raises(RefusedError) as raised:
        ask(("8.8.8.8", "10.0.0.1"))
    assert raised.value.code == "href_not_allowed"
    assert "10.0.0.1" in raised.value.detail


def test_a_host_the_user_named_may_be_inside():
    assert ask(("127.0.0.1",), named=True) == "127.0.0.1"


def test_a_name_nobody_knows_is_unreadable():
    def resolve(_host, _port):
        raise OSError("Name or service not known")

    with pytest.raises(RefusedError, match="asset_unreadable: host 'x'"):
        checked_address("x", 443, named=False, resolve=resolve)
    with pytest.raises(RefusedError, match="asset_unreadable"):
        ask(())
