"""Whose address a request comes from: the connection's, or what proxies that we trust say of it.

``X-Forwarded-For`` is read from its end, where the nearest proxy wrote; the first address that is no trusted proxy's is
the client's. What stands before that, anybody may have written. ``X-Forwarded-Proto``, ``-Host`` and ``-Prefix`` are
read in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

from starlette.types import Scope

__all__ = ["Network", "client_address", "is_trusted", "network_of", "told_host", "told_prefix", "told_scheme"]

Network: TypeAlias = IPv4Network | IPv6Network

_PREFIX: Final = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+")


def client_address(scope: Scope, trusted: Sequence[Network]) -> str:
    """The client's; a Unix socket's or an unknown one is empty."""
    peer: str = scope["client"][0] if scope.get("client") else ""
    if not trusted or not is_trusted(peer, trusted):
        return peer
    told = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    for hop in reversed([each.strip() for each in ",".join(told).split(",") if each.strip()]):
        address = _bare(hop)
        if not _is_address(address):
            return peer
        if not is_trusted(address, trusted):
            return address
        peer = address
    return peer


def told_scheme(scope: Scope, trusted: Sequence[Network]) -> str:
    """How the client asks: ``https``, if the connection is or the nearest proxy that we trust says so, or ``http``."""
    told = _told(scope, b"x-forwarded-proto", trusted)
    if told is None:
        return str(scope.get("scheme", "http"))
    scheme = told.lower()
    return scheme if scheme in ("http", "https") else "http"


def told_host(scope: Scope, trusted: Sequence[Network]) -> str:
    """Which host the client asks, as the nearest proxy that we trust says; empty if it does not say."""
    return _told(scope, b"x-forwarded-host", trusted) or ""


def told_prefix(scope: Scope, trusted: Sequence[Network]) -> str:
    """Below which path the nearest proxy that we trust says it has us, without a slash at its end; empty if nowhere."""
    prefix = (_told(scope, b"x-forwarded-prefix", trusted) or "").rstrip("/")
    return prefix if _PREFIX.fullmatch(prefix) else ""


def is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    """Whether a connection from there is one of these."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(mapped in network for network in trusted)


def network_of(address: str) -> str:
    """Whom to count for it: of IPv6 the first 64 bits, for the rest is everybody's own to choose."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    return str(ip_network(f"{parsed}/64", strict=False)) if parsed.version == 6 else str(parsed)


def _told(scope: Scope, header: bytes, trusted: Sequence[Network]) -> str | None:
    """What the nearest proxy wrote there, if we trust it."""
    peer: str = scope["client"][0] if scope.get("client") else ""
    told: list[str] = [value.decode("latin-1") for name, value in scope["headers"] if name == header]
    if told and trusted and is_trusted(peer, trusted):
        return told[-1].rpartition(",")[2].strip()
    return None


def _bare(hop: str) -> str:
    """Without a port: ``192.0.2.1:80`` and ``[2001:db8::1]:80`` are both written."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
