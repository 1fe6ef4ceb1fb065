"""Which network addresses a webhook may go to: public ones, and those that an operator names."""

import socket
from collections.abc import Callable
from collections.abc import Sequence
from ipaddress import IPv4Address
from ipaddress import IPv4Network
from ipaddress import IPv6Address
from ipaddress import IPv6Network
from ipaddress import ip_address
from ipaddress import ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
#: host, port -> addresses as text; raises OSError where there are none
Resolve = Callable[[str, int], Sequence[str]]

LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1"))

#: addresses that a gateway translates into the IPv4 address in their last 32 bits
_TRANSLATED = IPv6Network("64:ff9b::/96")
#: all that is assigned to the public internet so far
_UNICAST = IPv6Network("2000::/3")
#: for special purposes; older releases of Python take part of them for public
_SPECIAL: tuple[Network, ...] = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv6Network("2001::/23"),
    IPv6Network("2002::/16"),
    IPv6Network("3fff::/20"),
)


def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses that the machine's resolver knows for the name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def permitted(address: str, within: Sequence[Network]) -> bool:
    """Tell whether a webhook may go to the address: within the networks, or public if none."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if within:
        return any(found in network for network in within)
    return is_public(found)


def is_public(address: Address) -> bool:
    """Tell whether the address is one of the public internet's, of a single machine.

    Private, loopback and link-local addresses are not, the metadata services of clouds among
    them, nor is an IPv6 address that leads to an IPv4 address that is not.
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _TRANSLATED:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if address not in _UNICAST:
            return False
    if any(address in special for special in _SPECIAL):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def network(text: str) -> Network:
    """Return the network; raise ValueError."""
    return ip_network(text)
