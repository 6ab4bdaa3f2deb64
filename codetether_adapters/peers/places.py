"""Places of the web that others name."""

from __future__ import annotations

from typing import Any, Final

import httpx

__all__ = ["place_in", "site_of"]

_PORTS: Final = {"http": 80, "https": 443}


def place_in(told: Any) -> httpx.URL | None:
    """The URL that it is, of http or https and without credentials; ``None`` for anything else."""
    try:
        place = httpx.URL(told)
        named = bool(place.host)
    except (httpx.InvalidURL, TypeError, ValueError):  # the last for a host that IDNA does not know
        return None
    return place if place.scheme in _PORTS and named and not place.userinfo else None


def site_of(url: httpx.URL) -> tuple[str, str, int]:
    """Whose it is: scheme, host and port."""
    return url.scheme, url.host, url.port or _PORTS[url.scheme]
