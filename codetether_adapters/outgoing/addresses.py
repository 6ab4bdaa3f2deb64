"""Which addresses are everybody's."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

__all__ = ["Address", "address_of", "is_public"]

Address: TypeAlias = IPv4Address | IPv6Address

_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_OTHERS: Final = tuple(map(ip_network, ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "3fff::/20")))
"""Nobody's for all that Python knows, in some of its releases: services that only the machines of a cloud reach, the
relays of 6to4, and what is for documentation."""


def address_of(text: str) -> Address:
    """The address; one that IPv6 maps an IPv4 address to is that. ``ValueError`` if it is none."""
    address = ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address


def is_public(address: Address) -> bool:
    """Whether anybody can reach it, and the same one for everybody.

    Ways to write an IPv4 address in IPv6 (NAT64, 6to4, Teredo) are not looked into: what is meant has a plain one.
    """
    if isinstance(address, IPv6Address) and (
        address not in _GLOBAL_UNICAST or address.sixtofour is not None or address.teredo is not None
    ):
        return False
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in _OTHERS)
