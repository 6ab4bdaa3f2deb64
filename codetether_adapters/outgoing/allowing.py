"""Exceptions: where requests may go although not everybody can."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from attrs import frozen

from codetether_adapters.outgoing.addresses import Address

__all__ = ["ANYWHERE", "Allowed", "allowed", "checked_exception"]

ANYWHERE: Final = "*"
_HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::([0-9]{1,5}))?", re.ASCII)


@frozen(kw_only=True)
class Allowed:
    """``anywhere``, or to these hosts (at a port, or ``None`` for any) whatever their addresses, and these networks."""

    anywhere: bool = False
    hosts: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def host(self, host: str, port: int) -> bool:
        """Whether a host may be asked at a port, wherever it is."""
        return self.anywhere or bool(self.hosts & {(host, None), (host, port)})

    def address(self, address: Address) -> bool:
        """Whether an address may be asked, whatever its name."""
        return any(address in network for network in self.networks)


def checked_exception(text: str) -> str:
    """The same, if it is one; ``ValueError``."""
    if text == ANYWHERE or _network(text) is not None or _HOST.fullmatch(text.lower()):
        return text
    raise ValueError("hosts such as hooks.example.org or build.local:8080, networks such as 10.0.0.0/8, or *")


def allowed(exceptions: Iterable[str]) -> Allowed:
    """What they come to."""
    given = [*exceptions]
    networks = {text: network for text in given if (network := _network(text)) is not None}
    matches = [_HOST.fullmatch(text.lower()) for text in given if text not in networks]
    return Allowed(
        anywhere=ANYWHERE in given,
        hosts=frozenset((match[1].strip("[]"), int(match[2]) if match[2] else None) for match in matches if match),
        networks=tuple(networks.values()),
    )


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None
