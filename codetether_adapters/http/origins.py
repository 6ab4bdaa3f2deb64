"""Whose page asks, and by which name, where neither may be anybody's: an endpoint for programs.

A page of another site can have a browser send requests here, and with a name of its own that leads to this machine
(DNS rebinding) it reads the answers too.
"""

from __future__ import annotations

from codetether_adapters.http.call import Call
from codetether_adapters.http.site import is_loopback, origin_of
from codetether_core.errors import CodeTetherError, PermissionDenied

__all__ = ["ForeignOrigin", "Misdirected", "require_own_origin"]


class ForeignOrigin(PermissionDenied):
    """A browser says that a page of another site asks."""

    code = "foreign_origin"


class Misdirected(CodeTetherError):
    """The request was meant for another host."""

    code = "misdirected"


def require_own_origin(call: Call) -> None:
    """``Misdirected`` for a foreign name of a server that is on its own machine only, ``ForeignOrigin``."""
    site, scope, headers = call.browser.site, call.scope, call.headers
    ours, asked, host = origin_of(site.public), site.asked(scope, headers), headers.get("host") or ""
    server = scope.get("server") or ("", None)
    if is_loopback(server[0]) and not site.trusted and not is_loopback(host) and asked != ours:
        raise Misdirected(
            "This server does not go by that name", hint="set CODETETHER_PUBLIC_URL to the URL that clients use"
        )
    origin = headers.get("origin")
    if origin is not None and origin not in (ours, asked):
        raise ForeignOrigin("A page of another site asks", hint="clients that are no pages send no Origin header")
