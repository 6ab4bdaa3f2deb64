"""Errors as ``application/problem+json`` (RFC 9457).

Members: ``type`` ``title`` ``status`` ``detail`` of the RFC; ``code``, the slug that clients may match on; where they
apply ``field``, ``hint`` and the error's own ids; ``request_id``. ``detail`` reads as the deployed server's does.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any, Final

import structlog
from starlette.responses import Response

from codetether_adapters.http.bodies import EncodingUnsupported, TooSlow
from codetether_adapters.http.csrf import is_of_another_site
from codetether_adapters.http.framing import Ambiguous
from codetether_adapters.http.headers import Headers
from codetether_adapters.http.negotiating import MediaTypeUnsupported, NotAcceptable
from codetether_adapters.http.origins import Misdirected
from codetether_adapters.http.protected import Guidance
from codetether_adapters.http.responses import Encoded, encode_json
from codetether_adapters.http.routing import MethodNotAllowed
from codetether_core.artifacts import BlobDamaged
from codetether_core.errors import (
    CodeTetherError,
    Conflict,
    CursorUnknown,
    Invalid,
    NotConfigured,
    NotFound,
    PermissionDenied,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Undecipherable,
)

__all__ = ["CLOSING", "STATUSES", "TITLES", "problem", "report", "status_of"]

_log = structlog.get_logger(__name__)

STATUSES: Final[Mapping[type[CodeTetherError], int]] = {
    Invalid: 422,
    Unauthenticated: 401,
    PermissionDenied: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    NotAcceptable: 406,
    Conflict: 409,
    CursorUnknown: 410,
    TooSlow: 408,
    TooLarge: 413,
    MediaTypeUnsupported: 415,
    Misdirected: 421,
    EncodingUnsupported: 415,
    RateLimited: 429,
    NotConfigured: 501,
    Unavailable: 503,
    BlobDamaged: 503,
    Undecipherable: 503,
}
"""The status of each kind of error, of its subclasses too."""

CLOSING: Final = (Ambiguous, TooSlow, TooLarge)
"""After these nothing more is read from the connection."""

TITLES: Final[Mapping[int, str]] = {
    400: "Malformed request",
    401: "Authentication required",
    403: "Permission denied",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    408: "Too slow",
    409: "Conflict",
    410: "No longer kept",
    413: "Too large",
    415: "Unsupported encoding or media type",
    421: "Misdirected request",
    422: "Invalid request",
    429: "Too many requests",
    500: "Internal error",
    501: "Not configured",
    503: "Unavailable",
}

_MALFORMED: Final = frozenset(
    {
        "body_missing",
        "cursor_malformed",
        "json_malformed",
        "json_too_deep",
        "path_malformed",
        "query_malformed",
        "request_ambiguous",
        "unknown_status",
    }
)
_MEDIA_TYPE: Final = b"application/problem+json"
_RETRY_AFTER: Final = b"1"


def status_of(error: CodeTetherError) -> int:
    """The HTTP status of an error: 400 for what cannot be read at all, else that of the nearest class in the table."""
    if error.code in _MALFORMED:
        return 400
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), 500)


def problem(
    error: CodeTetherError, request_id: str, headers: Headers | None = None, guidance: Guidance | None = None
) -> Response:
    """The answer to a request that was refused; ``headers`` are the request's, ``guidance`` goes with a challenge."""
    status = status_of(error)
    members: dict[str, Any] = {
        **{name: value for name, value in error.details.items() if value != ""},
        "type": f"urn:codetether:problem:{error.code}",
        "title": TITLES[status],
        "status": status,
        "code": error.code,
        "detail": error.message,
        "request_id": request_id,
    }
    if error.hint:
        members["hint"] = error.hint
    return Encoded(encode_json(members), status, media_type=_MEDIA_TYPE, headers=_headers(error, headers, guidance))


def report(error: Exception, request_id: str, route: str) -> Response:
    """Log an error that nobody foresaw, and answer it without saying more than where to look.

    Neither the log nor the answer has the exception's text: drivers put addresses and passwords in it.
    """
    frames = traceback.extract_tb(error.__traceback__)
    _log.error(
        "request_failed",
        request_id=request_id,
        route=route,
        error=f"{type(error).__module__}.{type(error).__qualname__}",
        where=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    )
    internal = CodeTetherError("Something went wrong on our side", hint="the server's log has it under the request id")
    internal.code = "internal"
    return problem(internal, request_id)


def _headers(error: CodeTetherError, headers: Headers | None, guidance: Guidance | None) -> list[tuple[bytes, bytes]]:
    if isinstance(error, Unauthenticated):
        return _challenges(headers, guidance, passwords=type(error) is Unauthenticated)
    if isinstance(error, PermissionDenied):
        if "permission" not in error.details:
            return []
        scope = str(error.details["permission"])
        challenge = f'Bearer realm="codetether", error="insufficient_scope", scope="{scope}"'
        challenge += guidance.where if guidance else ""
        return [(b"www-authenticate", challenge.encode("latin-1", "replace"))]
    if isinstance(error, MethodNotAllowed):
        return [(b"allow", ", ".join(error.allow).encode())]
    if isinstance(error, EncodingUnsupported):
        return [(b"accept-encoding", b"identity")]
    if isinstance(error, RateLimited):
        return _limits(error)
    if isinstance(error, Unavailable):
        return [(b"retry-after", _RETRY_AFTER)]
    return []


def _limits(error: RateLimited) -> list[tuple[bytes, bytes]]:
    """When to come again (RFC 9110, section 10.2.3; draft-ietf-httpapi-ratelimit-headers-07)."""
    limit, wait = (str(error.details[member]).encode() for member in ("limit", "resets_in"))
    return [
        (b"retry-after", wait),
        (b"ratelimit-limit", limit),
        (b"ratelimit-remaining", b"0"),
        (b"ratelimit-reset", wait),
    ]


def _challenges(headers: Headers | None, guidance: Guidance | None, *, passwords: bool) -> list[tuple[bytes, bytes]]:
    """How to authenticate (RFC 6750, section 3; RFC 7617).

    Basic is offered to a person who opens a page only: a browser would ask for a password in the middle of a
    script's request otherwise, and would ask for ever where the request comes from another site. Nor is it an answer
    to a sign-in that failed in some other way, which has an error of its own.
    """
    sent = headers is not None and "authorization" in headers
    bearer = b'Bearer realm="codetether", error="invalid_token"' if sent else b'Bearer realm="codetether"'
    challenges = [(b"www-authenticate", bearer + (guidance.whole.encode("latin-1", "replace") if guidance else b""))]
    if passwords and headers is not None and _opens_a_page(headers):
        challenges.append((b"www-authenticate", b'Basic realm="codetether", charset="UTF-8"'))
    return challenges


def _opens_a_page(headers: Headers) -> bool:
    return (
        (headers.get("accept") or "").startswith("text/html")
        and headers.get("sec-fetch-mode", "navigate") == "navigate"
        and not is_of_another_site(headers)
    )
