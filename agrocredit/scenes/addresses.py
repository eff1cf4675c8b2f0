"""Which network addresses a catalogue may lead us to: public ones only, unless the user named the host.

The name is resolved once, every address it has must be public, and the connection then goes to an address that was
checked, so a name that changes its address between check and use gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING

from agrocredit.domain.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    Resolver = Callable[[str, int], tuple[str, ...]]

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def resolve_by_system(host: str, port: int) -> tuple[str, ...]:
    """Return the addresses the operating system knows for a host, in its order, each once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Return whether an IP address is on the public internet, looking through IPv4 that is wrapped in IPv6.

    >>> is_public("169.254.169.254"), is_public("::ffff:127.0.0.1"), is_public("8.8.8.8")
    (False, False, True)
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        wrapped = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if wrapped is None and ip in _NAT64:
            wrapped = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(str(wrapped))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def checked_address(host: str, port: int, *, named: bool, resolve: Resolver) -> str:
    """Return the address to connect to.

    Parameters
    ----------
    host, port : str, int
        As they stand in the URL.
    named : bool
        The user named this host, so it may be private.
    resolve : callable
        Host and port to addresses.

    Raises
    ------
    RefusedError
        ``href_not_allowed`` where any address of the name is not public; ``asset_unreadable`` where it has none.
    """
    try:
        addresses = resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise RefusedError("asset_unreadable", f"host {host!r} cannot be resolved: {error}") from error
    if not addresses:
        raise RefusedError("asset_unreadable", f"host {host!r} has no address")
    hidden = [address for address in addresses if not is_public(address)]
    if hidden and not named:
        raise RefusedError(
            "href_not_allowed", f"host {host!r} has the address {hidden[0]}, expected a public one or a host you allow"
        )
    return addresses[0]
