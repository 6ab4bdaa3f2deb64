"""Where a URL leads that somebody gave us for others to use: written in one way, and nowhere that nobody can be.

We dial none of them. That is why names and private addresses count here: deployed workers register the URL by which
they reach their server, often a loopback one. Whoever comes to dial one has to judge the address that its name has at
that moment, which no check of the text can.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Final

from codetether_core.errors import Invalid

__all__ = ["given_url"]

_LONGEST: Final = 2048
_LONGEST_NAME: Final = 253
_URL: Final = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*)://)?(?:[^/?#]*@)?([^/?#]*)(.*)")
_PLACE: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:@%]+?)\.?(?::([0-9]{1,5}))?")
_LABEL: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?", re.ASCII)
_NUMBER: Final = re.compile(r"0[xX][0-9A-Fa-f]*|[0-9]+", re.ASCII)
_SCHEMES: Final = frozenset({"", "http", "https"})
_NAT64: Final = IPv6Network("64:ff9b::/96")
_HINT: Final = "give http:// or https://, a host and a path"


def given_url(field: str, text: str) -> str:
    """The URL as it is kept: without credentials, the host in lower case, in ASCII and, if it is an address, in its
    usual form. A text without a scheme is a host and what follows it; an empty one stays empty.

    ``Invalid`` for any other scheme than http and https, for what URL parsers disagree about, and for addresses that
    are no single host's, or are the link's own (among them the metadata services of clouds).
    """
    if not text:
        return ""
    if len(text) > _LONGEST or not text.isprintable() or " " in text or "\\" in text:
        raise Invalid(field, f"must be a URL of at most {_LONGEST} characters, without spaces", hint=_HINT)
    parts = _URL.fullmatch(text)
    scheme, authority, rest = parts.groups("") if parts else ("", "", "")
    if scheme.lower() not in _SCHEMES:
        raise Invalid(field, "must be a URL of http or https", hint=_HINT)
    place = _PLACE.fullmatch(authority)
    if place is None or (place[2] and not 0 < int(place[2]) < 65536):
        raise Invalid(field, "must have a host, and a port that there is", hint=_HINT)
    port = f":{int(place[2])}" if place[2] else ""
    return (
        f"{scheme.lower()}://{_host(field, place[1])}{port}{rest}" if scheme else _host(field, place[1]) + port + rest
    )


def _host(field: str, text: str) -> str:
    try:
        address = _ipv6(text[1:-1]) if text.startswith("[") else _ipv4(text)
        name = "" if address else text.encode("idna").decode("ascii").lower()
    except (ValueError, UnicodeError):
        raise Invalid(field, "has a host that is no name and no address", hint=_HINT) from None
    if address is None:
        if len(name) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in name.split(".")):
            raise Invalid(field, "has a host that is no name", hint=_HINT)
        return name
    reached = _reached(address)
    here = reached.is_loopback or reached.is_unspecified
    if not here and (reached.is_multicast or reached.is_link_local or reached.is_reserved):
        raise Invalid(field, f"names {address}, where no agent can be", hint="give the address of one host")
    return f"[{address}]" if address.version == 6 else str(address)


def _ipv6(text: str) -> IPv4Address | IPv6Address:
    """One that stands for an IPv4 address is that."""
    address = IPv6Address(text)
    return address.ipv4_mapped or address


def _ipv4(text: str) -> IPv4Address | None:
    """The address that a host is if its last part is a number, of whatever base, and for however many parts it stands
    (as ``inet_aton`` reads it, and with it most programs); ``ValueError`` if it should be one and is none.
    """
    *first, last = text.split(".")
    if not _NUMBER.fullmatch(last):
        return None
    values = [_number(part) for part in (*first, last)]
    if len(values) > 4 or any(value > 255 for value in values[:-1]) or values[-1] >= 256 ** (5 - len(values)):
        raise ValueError("no address")
    return IPv4Address(sum(value << (24 - 8 * at) for at, value in enumerate(values[:-1])) + values[-1])


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError("no number")
    if text[:2].lower() == "0x":
        return int(text[2:] or "0", 16)
    return int(text, 8 if text.startswith("0") else 10)


def _reached(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Where packets to it end: IPv6 has ways to write an IPv4 address."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour or address
