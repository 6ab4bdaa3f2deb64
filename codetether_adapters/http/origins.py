"""Whose page asks, and by which name, where neither may be anybody's: an endpoint for programs.

A page of another site can have a browser send requests here, and with a name of its own that leads to this machine
(DNS rebinding) it reads the answers too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.types import Scope

from codetether_adapters.http.headers import Headers
from codetether_adapters.http.site import Site, is_loopback, origin_of
from codetether_core.errors import CodeTetherError, PermissionDenied

if TYPE_CHECKING:
    from codetether_adapters.http.call import Call

__all__ = ["ForeignOrigin", "Misdirected", "require_own_host", "require_own_origin"]


class ForeignOrigin(PermissionDenied):
    """A browser says that a page of another site asks."""

    code = "foreign_origin"


class Misdirected(CodeTetherError):
    """The request was meant for another host."""

    code = "misdirected"


def require_own_host(site: Site, scope: Scope, headers: Headers) -> None:
    """``Misdirected`` for a foreign name of a server that is on its own machine only."""
    server, host = (scope.get("server") or ("", None))[0], headers.get("host") or ""
    local = is_loopback(f"[{server}]" if ":" in server else server)
    if local and not site.trusted and not is_loopback(host) and site.asked(scope, headers) != origin_of(site.public):
        raise Misdirected(
            "This server does not go by that name", hint="set CODETETHER_PUBLIC_URL to the URL that clients use"
        )


def require_own_origin(call: Call) -> None:
    """``Misdirected`` as above, ``ForeignOrigin``."""
    site, scope, headers = call.browser.site, call.scope, call.headers
    require_own_host(site, scope, headers)
    origin = headers.get("origin")
    if origin is not None and origin not in (origin_of(site.public), site.asked(scope, headers)):
        raise ForeignOrigin("A page of another site asks", hint="clients that are no pages send no Origin header")
