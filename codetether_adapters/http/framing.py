"""Requests that two readers could read as two: whoever is before us may have taken such a one for another.

HTTP servers are lenient here, each in its own way. What RFC 9112 has them refuse or close the connection after is
refused, and the connection closed, whatever is below us; and so is a header sent twice of which only one can be meant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from starlette.types import Scope

from codetether_adapters.http.headers import Headers
from codetether_core.errors import Invalid

__all__ = ["Ambiguous", "check_framing"]

_ONCE: Final = frozenset(
    {
        *(b"authorization", b"host", b"origin", b"sec-fetch-site", b"content-length", b"transfer-encoding"),
        *(b"content-type", b"content-encoding", b"idempotency-key", b"last-event-id"),
        *(b"x-worker-id", b"x-lease-token", b"x-agent-name", b"x-slots", b"x-tenant-id"),
    }
)
_HOST: Final = re.compile(r"([A-Za-z0-9._~!$&'()*+;=%-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{0,5})?", re.ASCII)
"""RFC 3986, section 3.2.2, without the comma that would join two."""


class Ambiguous(Invalid):
    """The request may have been understood otherwise on its way; what follows it on its connection, too."""

    code = "request_ambiguous"


def check_framing(scope: Scope, headers: Headers) -> None:
    """``Ambiguous`` unless the request can be read in one way only."""
    version: str = scope.get("http_version", "")
    raw: Sequence[tuple[bytes, bytes]] = scope["headers"]
    wrong = _repeated(raw) if len(headers) != len(raw) else ""
    if (host := headers.get("host")) is None:
        wrong = wrong or ("must have a Host" if version == "1.1" else "")
    elif not _HOST.fullmatch(host):
        wrong = wrong or "has a Host that is none"
    if (coding := headers.get("transfer-encoding")) is not None:
        wrong = wrong or _chunking(version, coding, headers)
    if version not in ("", "1.0", "1.1", "2", "3"):
        wrong = wrong or "is of a version of HTTP that is not spoken here"
    if wrong:
        raise Ambiguous("", f"the request {wrong}")


def _repeated(raw: Sequence[tuple[bytes, bytes]]) -> str:
    seen: set[bytes] = set()
    for name, _ in raw:
        if name in seen and name in _ONCE:
            return f"has more than one {name.decode()}"
        seen.add(name)
    return ""


def _chunking(version: str, coding: str, headers: Headers) -> str:
    """What is wrong with a body in chunks (RFC 9112, section 6.1)."""
    if "content-length" in headers:
        return "says in two ways how long its body is"
    if version != "1.1":
        return "has a body in chunks, which its version of HTTP has not"
    return "" if coding.strip().lower() == "chunked" else "has a body in a coding that is not spoken here"
