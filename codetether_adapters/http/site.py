"""Where browsers and agents find us: under the public URL if there is one, else under the name that they ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from attrs import frozen
from starlette.types import Scope

from codetether_adapters.http.addresses import Network, told_host, told_prefix, told_scheme
from codetether_adapters.http.headers import Headers

__all__ = ["Site", "is_loopback", "origin_of"]

_PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}


@frozen(kw_only=True)
class Site:
    """``public`` is the public URL or empty. ``trusted`` proxies are believed when they say that they were asked by TLS
    (``X-Forwarded-Proto``), and to agents also by which name and path.
    """

    public: str = ""
    base_path: str = ""
    trusted: Sequence[Network] = ()

    def origin(self, scope: Scope, headers: Headers) -> str:
        """The origin of our pages (RFC 6454), as browsers write it; empty if the request does not tell."""
        return origin_of(self.public) or self.asked(scope, headers)

    def asked(self, scope: Scope, headers: Headers) -> str:
        """The origin that the request was sent to."""
        return self._origin(scope, headers.get("host") or "")

    def address(self, scope: Scope, headers: Headers) -> str:
        """Our URL as agents have it, without a slash at its end; on this machine if the request does not tell.

        A proxy that passes on another ``Host`` than it was asked for tells in ``X-Forwarded-Host``. What cookies count
        for does not hang on that: it is the header that proxies forget to take from strangers.
        """
        if settled := origin_of(self.public):
            return settled + self.below(scope)
        told = self._origin(scope, told_host(scope, self.trusted)) or self.asked(scope, headers)
        origin = told or f"{told_scheme(scope, self.trusted)}://localhost"
        return origin + (self.below(scope) or told_prefix(scope, self.trusted))

    def below(self, scope: Scope) -> str:
        """The path below which browsers see us, without a slash at its end."""
        path: str = self.base_path or scope.get("root_path", "") or urlsplit(self.public).path
        return path.rstrip("/")

    def _origin(self, scope: Scope, host: str) -> str:
        scheme = urlsplit(self.public).scheme or told_scheme(scope, self.trusted)
        return "" if set(host) & set("/@?#\\") else origin_of(f"{scheme}://{host}")


@lru_cache(maxsize=1024)
def origin_of(url: str) -> str:
    """Scheme, host and port of a URL, in lower case and without the port that goes without saying; empty without."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.scheme not in _PORTS or not host:
        return ""
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + ("" if port in (None, _PORTS[parts.scheme]) else f":{port}")


def is_loopback(host: str) -> bool:
    """Whether a ``Host`` header names this machine."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    name = name.removeprefix("[").removesuffix("]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
