"""Requests that a page of another site has a browser make: by whose page one is made, and the proof that it is ours.

A browser adds its cookies to anybody's request. It also says whose page asks: by Fetch Metadata, older ones by
``Origin`` or ``Referer``. A page of ours shows besides what only it can have read, and what holds for one sign-in only.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode

from codetether_adapters.http.headers import Headers
from codetether_adapters.http.site import origin_of
from codetether_core.errors import PermissionDenied
from codetether_core.ids import CredentialId, TenantId

__all__ = [
    "HEADER",
    "SAFE",
    "Csrf",
    "csrf_token",
    "is_foreign",
    "is_of_another_site",
    "is_ours",
    "require_csrf_token",
]

HEADER = "x-csrf-token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""

_OURS = ("same-origin", "none")


class Csrf(PermissionDenied):
    """Perhaps nobody wants this but a page of another site."""

    code = "csrf"


def csrf_token(key: bytes, tenant: TenantId, sign_in: CredentialId) -> str:
    """What pages show for a sign-in, for as long as it lasts; ``key`` is the installation's."""
    digest = hmac.digest(key, f"csrf {tenant} {sign_in}".encode(), hashlib.sha256)
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def require_csrf_token(headers: Headers, expected: str) -> None:
    """``Csrf`` unless the request shows it."""
    shown = headers.get(HEADER) or ""
    if not hmac.compare_digest(shown.encode(), expected.encode()):
        raise Csrf(
            "The request does not show the sign-in's CSRF token",
            hint="send X-CSRF-Token: what the cookie ct_csrf has, or csrf_token of GET /v1/auth/session",
        )


def is_of_another_site(headers: Headers) -> bool:
    """Whether the browser says so (Fetch Metadata); older ones, and programs, say nothing."""
    return headers.get("sec-fetch-site", "none") not in _OURS


def is_foreign(headers: Headers, origin: str) -> bool:
    """Whether the browser says that a page of another origin asks. ``Origin: null`` says nothing: so browsers write
    where a page tells nobody where it is, as ours do.
    """
    return is_of_another_site(headers) or headers.get("origin") not in (None, "null", origin)


def is_ours(headers: Headers, origin: str) -> bool:
    """Whether it says that a page of ours does."""
    if headers.get("sec-fetch-site") is not None:
        return not is_foreign(headers, origin)
    told = headers.get("origin")
    return bool(origin) and (origin_of(headers.get("referer") or "") if told is None else told) == origin
